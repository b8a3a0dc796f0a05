"""Numbers for JSON: float32 in as few digits as give the same float32 again."""

import math

import numpy as np


def numbers(values: np.ndarray) -> list[float | None]:
    """Activations as JSON can hold them; what is not finite becomes None.

    Parameters
    ----------
    values : ndarray, float32, (n,)

    Examples
    --------
    >>> numbers(np.array([0.1, np.nan, 3], dtype=np.float32))
    [0.1, None, 3.0]
    """
    short = values.astype(str).astype(np.float64)
    # Read back by way of float64 a short number may, very rarely, round to a neighbour.
    same = short.astype(np.float32) == values
    exact = np.where(same, short, values.astype(np.float64)).tolist()
    return [number if math.isfinite(number) else None for number in exact]
