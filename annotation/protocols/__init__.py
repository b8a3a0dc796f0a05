"""Task types: what is shown, what is asked, what counts as an answer and how it is scored. Pure; one module each."""

from annotation.protocols.first_glance import FirstGlance
from annotation.protocols.forced_choice import ForcedChoice
from annotation.protocols.intruder import Intruder
from annotation.protocols.rubric import Rubric
from annotation.protocols.rule_prediction import RulePrediction
from annotation.protocols.spectrum import Spectrum
from annotation.protocols.task import Task

TASKS: dict[str, Task] = {
    task.name: task
    for task in (FirstGlance(), Spectrum(), Rubric(), ForcedChoice(), Intruder(), RulePrediction())
}
