"""The stored crossed ratings that reference values are quoted for, as the arrays that `analysis.stats` takes.

802 answers of 6 raters about 160 neurons (2 sizes, 2 arms, 40 neurons each; 15 % of the answers missing), drawn from a
logistic model: arm 1.3, neurons SD 1.6, raters 0.8, raters within an arm 0.6, order -0.25 per 100; log seconds: arm
0.05, order -0.06 per 100, neurons SD 0.12.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("data") / "crossed.csv"


def crossed_columns() -> dict[str, np.ndarray]:
    """Columns of the file; `arm_of` and `size_of` have one entry per neuron."""
    table = np.genfromtxt(FILE, delimiter=",", names=True)
    columns = {name: table[name] for name in table.dtype.names}
    for name in ("size", "arm", "neuron", "rater", "order", "judgment"):
        columns[name] = columns[name].astype(np.int64)
    first = np.unique(columns["neuron"], return_index=True)[1]
    return columns | {"arm_of": columns["arm"][first], "size_of": columns["size"][first]}


def crossed_ratings() -> dict[str, np.ndarray]:
    """Keyword arguments of functions for single answers."""
    columns = crossed_columns()
    return {
        "said": columns["judgment"],
        "neuron": columns["neuron"],
        "rater": columns["rater"],
        "arm": columns["arm_of"],
        "size": columns["size_of"],
    }
