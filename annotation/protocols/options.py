"""What a task's options may be: one message per fault, for the design's author."""

from collections.abc import Sequence
from typing import Any

TOP = "top"


def whole_problem(value: Any, least: int, most: int) -> str | None:
    """What is wrong with a whole number, or None.

    Examples
    --------
    >>> whole_problem(3, 1, 5), whole_problem(9, 1, 5)
    (None, 'Received 9; give a whole number from 1 to 5.')
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        return f"Received {value!r}; give a whole number from {least} to {most}."
    return None


def share_problem(value: Any) -> str | None:
    """What is wrong with a share of 0 … 1, or None."""
    if not _is_share(value):
        return f"Received {value!r}; give a number from 0 to 1."
    return None


def choice_problem(value: Any, choices: Sequence[str]) -> str | None:
    """What is wrong with one of several texts, or None."""
    return None if value in choices else f"Received {value!r}; choose one of: {', '.join(choices)}."


def switch_problem(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"Received {value!r}; give true or false."


def range_problem(value: Any) -> str | None:
    """What is wrong with a rank range, or None: "top", or two rank shares of all harvested tokens, 0 weakest.

    Examples
    --------
    >>> range_problem("top"), range_problem([0.99, 1.0])
    (None, None)
    >>> range_problem([0.9, 0.1])
    "Received [0.9, 0.1]; give 'top' or two rising shares from 0 to 1, as in [0.99, 1.0]."
    """
    if value == TOP:
        return None
    two = isinstance(value, list | tuple) and len(value) == 2 and all(_is_share(share) for share in value)
    if not two or not value[0] < value[1]:
        return f"Received {value!r}; give 'top' or two rising shares from 0 to 1, as in [0.99, 1.0]."
    return None


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
