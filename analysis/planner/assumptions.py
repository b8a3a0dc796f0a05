"""What is assumed of neurons, raters and the study, checked."""

import re
from dataclasses import dataclass

ARM = re.compile(r"[a-z][a-z0-9_]{0,39}")
LEAST_SHARE, MOST_SHARE = 0.01, 0.99
# field -> smallest and largest allowed value
WHOLE: dict[str, tuple[int, int]] = {
    "sizes": (1, 50),
    "neurons_per_arm": (2, 2_000),
    "raters": (1, 200),
    "raters_per_neuron": (1, 200),
    "replicates": (100, 20_000),
    "seed": (0, 2**31 - 1),
}
REAL: dict[str, tuple[float, float]] = {
    "neuron_sd": (0.0, 6.0),
    "rater_sd": (0.0, 4.0),
    "rater_arm_sd": (0.0, 4.0),
    "level": (0.5, 0.999),
    "minutes_per_item": (0.01, 240.0),
    "extra_items": (0.0, 2.0),
    "pay_per_hour": (0.0, 10_000.0),
    "fee": (0.0, 2.0),
    "budget": (0.0, 1e9),
}
MOST_ANSWERS = 400_000  # of one replicate: what a few seconds of simulation can bear


class PlanRefused(ValueError):
    """Assumptions that cannot be simulated; `problems` holds (field, what was received and what is allowed)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("\n".join(f"{field}: {message}" for field, message in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Assumptions:
    """A study as it may turn out.

    Attributes
    ----------
    fractions : tuple of (str, float)
        Expected share of yes of each arm over neurons and raters, 0.01 … 0.99; the others are compared with the first.
    sizes : int
        Model sizes, pooled with equal weights.
    neurons_per_arm : int
        Per size and arm.
    raters, raters_per_neuron : int
        Seats, and how many of them judge each neuron.
    neuron_sd : float
        Standard deviation of neurons within an arm, logits: how much they differ in what raters say of them.
    rater_sd : float
        Standard deviation of raters, logits: how much their bars differ, in all arms alike.
    rater_arm_sd : float
        Standard deviation of a rater's own shift in one arm, logits.
    level : float
        Confidence level.
    minutes_per_item : float
        1 to 2 in Elhage et al. 2022.
    extra_items : float
        Repeats, catch trials and training, as a share of the items.
    pay_per_hour, fee, budget : float
        In one currency; the fee of a crowd provider as a share of the pay. Budget 0: none given.
    replicates : int
        Simulated studies; fewer if the study is large.
    seed : int
    """

    fractions: tuple[tuple[str, float], ...] = (("baseline", 0.35), ("solu", 0.60))
    sizes: int = 1
    neurons_per_arm: int = 60
    raters: int = 3
    raters_per_neuron: int = 3
    neuron_sd: float = 1.5
    rater_sd: float = 0.5
    rater_arm_sd: float = 0.2
    level: float = 0.95
    minutes_per_item: float = 1.5
    extra_items: float = 0.1
    pay_per_hour: float = 0.0
    fee: float = 0.0
    budget: float = 0.0
    replicates: int = 2_000
    seed: int = 1

    def __post_init__(self) -> None:
        problems = [*self._numbers(), *self._fractions()]
        if not problems and self.raters_per_neuron > self.raters:
            message = f"Received {self.raters_per_neuron}; at most the number of raters, {self.raters}."
            problems.append(("raters_per_neuron", message))
        if not problems and self.answers > MOST_ANSWERS:
            message = f"Received a study of {self.answers:,} answers; at most {MOST_ANSWERS:,} can be simulated."
            problems.append(("neurons_per_arm", message))
        if problems:
            raise PlanRefused(problems)

    @property
    def answers(self) -> int:
        """Answers that the intervals stand on, without repeats and catch trials."""
        return len(self.fractions) * self.sizes * self.neurons_per_arm * self.raters_per_neuron

    def _numbers(self) -> list[tuple[str, str]]:
        found = []
        for kind, ranges in ((int, WHOLE), (int | float, REAL)):
            for name, (least, most) in ranges.items():
                value = getattr(self, name)
                if isinstance(value, bool) or not isinstance(value, kind) or not least <= value <= most:
                    what = "whole number" if kind is int else "number"
                    found.append((name, f"Received {value!r}; give a {what} from {least:g} to {most:g}."))
        return found

    def _fractions(self) -> list[tuple[str, str]]:
        names = [name for name, _ in self.fractions]
        if not 2 <= len(names) <= 8 or len(set(names)) < len(names):
            return [("fractions", f"Received {', '.join(names) or 'no arm'}; give two to eight different arms.")]
        return [
            ("fractions", f"Received {name}={share:g}; give a name in lower case and a share from 0.01 to 0.99.")
            for name, share in self.fractions
            if not ARM.fullmatch(name) or not LEAST_SHARE <= share <= MOST_SHARE
        ]


def fractions_read(text: str) -> tuple[tuple[str, float], ...]:
    """Read "baseline=0.35, solu=60 %" and the like.

    Raises
    ------
    PlanRefused
        If a part is not name=share.

    Examples
    --------
    >>> fractions_read("baseline=0.35, solu=60%")
    (('baseline', 0.35), ('solu', 0.6))
    """
    found = []
    for part in re.split(r"[,;\n]+", text):
        if not part.strip():
            continue
        name, _, share = (piece.strip() for piece in part.partition("="))
        try:
            value = float(share.rstrip("% ")) / (100 if share.endswith("%") else 1)
        except ValueError:
            message = f"Received {part.strip()!r}; write each arm as name=share, as in baseline=0.35, solu=0.60."
            raise PlanRefused([("fractions", message)]) from None
        found.append((name, value))
    return tuple(found)
