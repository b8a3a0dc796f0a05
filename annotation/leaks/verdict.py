"""When an audit's areas are too large to open a study."""

from annotation.leaks.audit import Comparison, LeakNumbers

ESTIMATE, UPPER = "estimate", "upper"
RULES = (ESTIMATE, UPPER)
SHOWN = 0.05  # largest chance at which an area is called more than chance


def leaks_beyond(numbers: LeakNumbers, limit: float, rule: str) -> tuple[Comparison, ...]:
    """The pairs of arms that a study may not open with.

    Parameters
    ----------
    limit : float
        Largest area allowed, 0.5 … 1.
    rule : {"estimate", "upper"}
        What is held against the limit. "estimate": the area itself, if shuffled arms give one as large in at most 5 %
        of cases; so a study without leaks is refused in at most 5 % of cases, however small it is or many arms it has.
        "upper": the upper end of its interval; the study must prove that it leaks less, which takes many neurons, and
        pairs that could not be measured count as leaking.
    """
    if rule == UPPER:
        return tuple(pair for pair in numbers.pairs if pair.presentation is None or pair.presentation.high > limit)
    if numbers.p_value is None or numbers.p_value > SHOWN:
        return ()
    return tuple(pair for pair in numbers.pairs if pair.presentation is not None and pair.presentation.auc > limit)
