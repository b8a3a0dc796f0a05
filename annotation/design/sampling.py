"""How neurons are sampled: how many from each size and layer, how many in reserve, over which corpora."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from annotation.design.fields import Problems, Section, text_problem

EQUAL, PROPORTIONAL_TO_LIVING, POOLED = "equal", "proportional", "pooled"


@dataclass(frozen=True, slots=True)
class SamplingDesign(Section):
    """Strata are sizes × arms, and layers within them if asked. Every arm of a size gets the same numbers.

    Attributes
    ----------
    sizes : {"equal", "proportional"}
        `neurons_per_arm` from every size; or as many on average, shared out in proportion to the neurons of a size that
        fired at all (mean over its arms).
    layers : {"pooled", "equal", "proportional"}
        Neurons of an arm are drawn uniformly over all its layers together; or equally many from each layer; or in
        proportion to its neurons that fired at all (sum over the arms of the size).
    reserve : int
        Neurons drawn beyond the sample in every stratum that is drawn by itself. They are frozen and sealed like the
        others, in order, and are on nobody's list: they may replace neurons that drop out, or extend the study, by a
        recorded amendment only. Which raters each of them would go to is fixed at freeze.
    reserve_used : int
        Rounds of the reserve in use, at most `reserve`: each is one more neuron of every such stratum. 0 at freeze;
        changed by amendment.
    more_corpora : tuple of str
        Corpora beside the study's own. Every neuron is shown once for each corpus, as separate items with the same
        rater; a neuron that cannot be shown on all of them is rejected. Bolukbasi et al. (2021) found that patterns
        seen on one corpus often do not hold on another.
    """

    RANGES: ClassVar = {"reserve": (0, 1_000), "reserve_used": (0, 1_000)}
    CHOICES: ClassVar = {
        "sizes": (EQUAL, PROPORTIONAL_TO_LIVING),
        "layers": (POOLED, EQUAL, PROPORTIONAL_TO_LIVING),
    }

    sizes: str = EQUAL
    layers: str = POOLED
    reserve: int = 0
    reserve_used: int = 0
    more_corpora: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "more_corpora", tuple(self.more_corpora))  # a list, if it was read from JSON

    @classmethod
    def other_problem(cls, name: str, value: Any) -> str | None:
        if isinstance(value, str) or not isinstance(value, Sequence):
            return f"Received {value!r}; give a list of names of corpora."
        if len({str(corpus) for corpus in value}) < len(value):
            return f"Received {', '.join(map(str, value))}; each corpus may stand once."
        return next((message for corpus in value if (message := text_problem(corpus, False, 60))), None)

    def joint_problems(self) -> Problems:
        if self.reserve_used > self.reserve:
            return [("reserve_used", f"Received {self.reserve_used}; at most the rounds in reserve, {self.reserve}.")]
        return []
