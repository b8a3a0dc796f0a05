"""What a rater's page may know: frozen records, and no field of them leads to a neuron, an arm or a network."""

from dataclasses import dataclass
from typing import Any

from annotation.protocols.task import Answer

BlindAnswer = Answer  # what raters send


@dataclass(frozen=True, slots=True)
class BlindPiece:
    text: str
    band: int  # 0 unmarked, higher is stronger


@dataclass(frozen=True, slots=True)
class BlindSnippet:
    pieces: tuple[BlindPiece, ...]


@dataclass(frozen=True, slots=True)
class BlindProgress:
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class BlindNotice:
    """A message of the staff that this rater has not read yet."""

    notice: str  # public id
    study: str  # slug
    title: str
    text: str
    sent: str  # day and time


@dataclass(frozen=True, slots=True)
class BlindStudyCard:
    study: str  # slug
    title: str
    progress: BlindProgress
    state: str  # "waiting", "open", "paused", "closed"
    simulated: bool
    started: bool
    screened_out: bool  # did not pass the training


@dataclass(frozen=True, slots=True)
class HomePage:
    studies: tuple[BlindStudyCard, ...]
    pseudonym: str
    notices: tuple[BlindNotice, ...]


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    version: str  # sha256 of the text that was on the screen
    agrees: bool
    conflict: str = ""  # "yes", "no"; empty where it is not asked
    conflict_text: str = ""


@dataclass(frozen=True, slots=True)
class ConsentPage:
    study: str
    title: str
    paragraphs: tuple[str, ...]
    promises: tuple[str, ...]  # what leaving means in this study
    required: bool  # only who agrees may rate
    ask_conflicts: bool
    version: str  # sha256 of all of this
    answer: str  # "agreed", "declined", "withdrawn"; empty: this version was not answered
    changed: bool  # another version was answered before
    missing: bool  # nothing can be rated until it is answered
    contact: str
    from_crowd: bool  # goes back to a provider with a code
    draft: ConsentAnswer | None = None  # what was refused, to be corrected


@dataclass(frozen=True, slots=True)
class InstructionsPage:
    study: str
    title: str
    paragraphs: tuple[str, ...]
    task: str
    question: str
    simulated: bool
    minutes_per_neuron: str
    snippets: int
    contact: str
    ready: bool  # read before
    progress: BlindProgress


@dataclass(frozen=True, slots=True)
class PracticeFeedback:
    expected: str  # verdict of a careful rater; empty in tasks without one
    responses: dict[str, str]  # and what else a careful rater answers, by name
    agrees: bool
    text: str  # and why
    marks: tuple[str, ...]  # how a careful rater marks the snippets; empty: not at all
    answer: BlindAnswer  # what this rater answered


@dataclass(frozen=True, slots=True)
class TrainingPart:
    """How far the rater is in a training that has to be passed."""

    round: int  # 1, 2, …
    rounds: int  # at most; 0: as many as it takes
    items: int
    needed: int  # of them answered as a careful rater would
    right: int  # so far in this round
    outcome: str  # "going", "passed", "again" (another round comes), "out"


@dataclass(frozen=True, slots=True)
class PracticePage:
    study: str
    title: str
    number: int  # 1 … total
    total: int
    task: str  # name of the task type
    snippets: tuple[BlindSnippet, ...]
    layout: dict[str, Any]  # numbers of snippets by group, as the task lays them out
    question: str
    threshold: float | None
    rule: str  # to predict from; empty in most tasks
    simulated: bool
    training: TrainingPart | None  # None: nobody can fail
    feedback: PracticeFeedback | None
    draft: BlindAnswer | None = None  # an answer that was refused, to be corrected


@dataclass(frozen=True, slots=True)
class RatePage:
    study: str
    title: str
    assignment: str  # public id
    position: int
    progress: BlindProgress
    task: str  # name of the task type
    snippets: tuple[BlindSnippet, ...]
    layout: dict[str, Any]  # numbers of snippets by group, as the task lays them out
    question: str
    threshold: float | None
    rule: str  # of another rater, to predict from; empty in most tasks
    simulated: bool
    draft: BlindAnswer | None
    can_undo: bool
    notices: tuple[BlindNotice, ...]


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """Nothing to answer for the moment: what is left needs rules that other raters have not written yet."""

    study: str
    title: str
    progress: BlindProgress
    waiting: int  # items left
    simulated: bool
    can_undo: bool
    contact: str


@dataclass(frozen=True, slots=True)
class DonePage:
    study: str
    title: str
    progress: BlindProgress
    simulated: bool
    can_undo: bool
    contact: str
    guesses_left: int  # items of which the rater has still to guess the arm
    guessing: bool  # the verdicts are locked
    from_crowd: bool  # goes back to a provider with a code


@dataclass(frozen=True, slots=True)
class GuessChoice:
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class GuessPage:
    """Asked after the last verdict, when all of them are locked."""

    study: str
    title: str
    assignment: str  # public id
    progress: BlindProgress  # of the guesses
    snippets: tuple[BlindSnippet, ...]
    choices: tuple[GuessChoice, ...]  # the arms of the study, the same for every item and rater
    verdict: str  # what this rater answered
    simulated: bool


@dataclass(frozen=True, slots=True)
class ScreenedPage:
    """The study is over for a rater who did not pass the training."""

    study: str
    title: str
    simulated: bool
    contact: str
    from_crowd: bool  # goes back to a provider with a code


@dataclass(frozen=True, slots=True)
class SaveReceipt:
    saved: bool
    study: str
    assignment: str
    version: int
    duplicate: bool
    next: str | None  # public id of the next assignment
