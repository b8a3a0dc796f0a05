"""The one clear next step of a study, by its state, and what each step needs to be told."""

from dataclasses import dataclass

from annotation.models import Study


@dataclass(frozen=True, slots=True)
class Step:
    name: str  # part of the address
    button: str
    hint: str  # one line beside the button
    explanation: tuple[str, ...]  # what happens, on the confirmation page
    wants_reason: bool = False
    danger: bool = False


FREEZE = Step(
    name="freeze",
    button="Freeze the design",
    hint="Draws the neurons, stores the snippets and fixes every rater's order.",
    explanation=(
        "The neurons are drawn with the study's seed, their snippets are stored, and each seat gets its own order.",
        "The protocol is written down with its sha256. After this nothing of the design can be changed.",
        "This takes a few seconds for a study of 180 neurons.",
    ),
)
OPEN = Step(
    name="open",
    button="Open for rating",
    hint="Raters with a seat can start.",
    explanation=(
        "Raters with a seat see the study on their page and can start at once.",
        "Seats that are still free can be given away later too.",
    ),
)
CLOSE = Step(
    name="close",
    button="Close the study",
    hint="Stops rating for good. Do this when every rater is done, or when your stopping rule says so.",
    explanation=(
        "No further answer is accepted, from anybody, and the study cannot be opened again.",
        "Close it by the rule that you set before the start, not by how the answers look.",
    ),
    wants_reason=True,
    danger=True,
)
UNBLIND = Step(
    name="unblind",
    button="Unblind",
    hint="Opens the key, once and on record, and makes the report.",
    explanation=(
        "The answers are hashed as they stand now. Then the key opens: which neuron and arm each answer is about.",
        "Your name, the time and your reason are kept with the study. It cannot be undone.",
    ),
    wants_reason=True,
    danger=True,
)
STEPS = {step.name: step for step in (FREEZE, OPEN, CLOSE, UNBLIND)}
_NEXT = {
    Study.State.DRAFT.value: FREEZE,
    Study.State.FROZEN.value: OPEN,
    Study.State.OPEN.value: CLOSE,
    Study.State.CLOSED.value: UNBLIND,
}


def next_step(study: Study) -> Step | None:
    """The step that a study waits for, or None after unblinding."""
    return _NEXT.get(study.state)
