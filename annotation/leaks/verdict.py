"""When an audit's areas are too large to open a study."""

from annotation.leaks.audit import Comparison, LeakNumbers

ESTIMATE, UPPER = "estimate", "upper"
RULES = (ESTIMATE, UPPER)
SHOWN = 0.05  # largest chance at which an area is called more than chance


def leaks_beyond(numbers: LeakNumbers, limit: float, rule: str) -> tuple[Comparison, ...]:
    """The comparisons, of two arms or of one with all others, that a study may not open with.

    Parameters
    ----------
    limit : float
        Largest area allowed, 0.5 … 1.
    rule : {"estimate", "upper"}
        What is held against the limit. "estimate": the area itself, if shuffled arms give one as large in at most 5 %
        of cases; so a study without leaks is refused in at most 5 % of cases, however small it is or many arms it has.
        "upper": the upper end of its interval; the study must prove that it leaks less, which takes many neurons, and
        what could not be measured counts as leaking.
    """
    if rule == UPPER:
        return tuple(one for one in numbers.comparisons if one.presentation is None or one.presentation.high > limit)
    if numbers.p_value is None or numbers.p_value > SHOWN:
        return ()
    return tuple(one for one in numbers.comparisons if one.presentation is not None and one.presentation.auc > limit)
