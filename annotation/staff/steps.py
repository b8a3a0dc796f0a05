"""The one clear next step of a study, by its state, and what each step needs to be told."""

from dataclasses import dataclass

from annotation.models import Study


@dataclass(frozen=True, slots=True)
class Step:
    name: str  # part of the address
    button: str
    explanation: tuple[str, ...]  # what happens, on the confirmation page
    wants_reason: bool = False
    danger: bool = False


FREEZE = Step(
    name="freeze",
    button="Freeze the design",
    explanation=(
        "The neurons are drawn with the study's seed, their snippets are stored, and each seat gets its own order.",
        "The protocol is written down with its sha256. After this nothing of the design can be changed.",
        "This takes a few seconds for a study of 180 neurons.",
    ),
)
OPEN = Step(
    name="open",
    button="Open for rating",
    explanation=(
        "Raters with a seat see the study on their page and can start at once.",
        "Seats that are still free can be given away later too.",
    ),
)
CLOSE = Step(
    name="close",
    button="Close the study",
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


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do next, in a few words for the list and in a sentence for the study's own page."""

    short: str
    sentence: str
    seat_first: bool = False  # seating raters is the more urgent of the two buttons


_ADVICE = {
    Study.State.DRAFT.value: Advice(
        "freeze the design",
        "Freeze the design: the neurons are drawn, their snippets stored, and every rater's order fixed.",
    ),
    Study.State.CLOSED.value: Advice(
        "unblind", "Unblind: the key is opened, once and on record, and the report can be read."
    ),
    Study.State.UNBLINDED.value: Advice("read the report", "The study is done. Its report can be read."),
}
_NO_FREE_SEAT = Advice("open for rating", "All seats are taken. Open the study, and the raters can start.")
_ALL_IN = Advice("close the study", "All answers are in. Close the study.")


def advice(study: Study, *, free: int, left: int) -> Advice:
    """What a study waits for, given its free seats and its missing answers."""
    if study.state in _ADVICE:
        return _ADVICE[study.state]
    if study.simulated and left:
        return _advice_simulated(study)
    if free:
        seats = "1 seat is free" if free == 1 else f"{free} seats are free"
        also = " You can open the study before that." if study.state == Study.State.FROZEN else ""
        return Advice("seat raters", f"{seats}: give every free seat to a rater.{also}", seat_first=True)
    if study.state == Study.State.FROZEN:
        return _NO_FREE_SEAT
    if left:
        return Advice(
            f"wait for {left} more answer{'' if left == 1 else 's'}",
            f"The raters are at work: {left} answers are missing. Closing stops rating for good: do it early only if "
            "your stopping rule says so.",
        )
    return _ALL_IN


def _advice_simulated(study: Study) -> Advice:
    command = f"“manage.py study_simulate {study.slug}” on the server"
    if study.state == Study.State.FROZEN:
        return Advice("open for rating", f"Open the study. Then run {command}: it seats the raters and answers.")
    return Advice("simulate the raters", f"Run {command}: it seats the raters and answers.")


def next_step(study: Study) -> Step | None:
    """The step that a study waits for, or None after unblinding."""
    return _NEXT.get(study.state)
