"""Who judges what, beyond the numbers of raters and of raters per neuron."""

from dataclasses import dataclass
from typing import ClassVar

from annotation.design.fields import Problems, Section


@dataclass(frozen=True, slots=True)
class AssignmentDesign(Section):
    """Balanced incomplete blocks are made whenever fewer raters judge each neuron than there are raters.

    Attributes
    ----------
    calibration : int
        Neurons of every size and arm that all raters judge, machine raters included; they belong to the sample and are
        mixed into every list. Without effect when all raters judge everything.
    repeats : float
        Share of a rater's items that come again later on the same list, for self-agreement, 0 … 0.5; from every size
        and arm as equally as it goes. The rater is not told. Repeats do not count in the main analysis.
    repeat_distance : int
        At least so many other items stand between the two showings.
    block : int
        Items in a block of a list, 0 or >= 2; 0: the order is random over the whole list. In every block sizes and arms
        are mixed as in the whole list, as far as it goes, so that tiredness meets all arms alike.
    machine_raters : int
        Seats for declared machine raters, after those of people. Their allocation is their own and their answers are
        never mixed with people's.
    machine_raters_per_neuron : int
        Machine raters that judge each neuron; 0: all of them.
    """

    RANGES: ClassVar = {
        "calibration": (0, 1_000),
        "repeat_distance": (1, 1_000),
        "block": (0, 1_000),
        "machine_raters": (0, 100),
        "machine_raters_per_neuron": (0, 100),
    }
    SHARES: ClassVar = {"repeats": (0.0, 0.5)}

    calibration: int = 0
    repeats: float = 0.0
    repeat_distance: int = 10
    block: int = 0
    machine_raters: int = 0
    machine_raters_per_neuron: int = 0

    def joint_problems(self) -> Problems:
        if self.block == 1:
            return [("block", "Received 1; a block of one item is no block: give 0, or 2 and more.")]
        if self.machine_raters_per_neuron > self.machine_raters:
            message = f"Received {self.machine_raters_per_neuron}; at most machine_raters, {self.machine_raters}."
            return [("machine_raters_per_neuron", message)]
        return []
