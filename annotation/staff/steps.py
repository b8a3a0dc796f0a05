"""The one clear next step of a study, by its state, and what each step needs to be told."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

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
    button=gettext_noop("Freeze the design"),
    explanation=(
        gettext_noop(
            "The neurons are drawn with the study's seed, their snippets are stored, and each seat gets its own order."
        ),
        gettext_noop("The protocol is written down with its sha256. After this nothing of the design can be changed."),
        gettext_noop("This takes a few seconds for a study of 180 neurons."),
    ),
)
OPEN = Step(
    name="open",
    button=gettext_noop("Open for rating"),
    explanation=(
        gettext_noop("Raters with a seat see the study on their page and can start at once."),
        gettext_noop("Seats that are still free can be given away later too."),
    ),
)
CLOSE = Step(
    name="close",
    button=gettext_noop("Close the study"),
    explanation=(
        gettext_noop("No further answer is accepted, from anybody, and the study cannot be opened again."),
        gettext_noop("Close it by the rule that you set before the start, not by how the answers look."),
    ),
    wants_reason=True,
    danger=True,
)
UNBLIND = Step(
    name="unblind",
    button=gettext_noop("Unblind"),
    explanation=(
        gettext_noop(
            "The answers are hashed as they stand now. Then the key opens: which neuron and arm each answer is about."
        ),
        gettext_noop("Your name, the time and your reason are kept with the study. It cannot be undone."),
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
        gettext_noop("freeze the design"),
        gettext_noop("Freeze the design: the neurons are drawn, their snippets stored, and every rater's order fixed."),
    ),
    Study.State.CLOSED.value: Advice(
        gettext_noop("unblind"),
        gettext_noop("Unblind: the key is opened, once and on record, and the report can be read."),
    ),
    Study.State.UNBLINDED.value: Advice(
        gettext_noop("read the report"), gettext_noop("The study is done. Its report can be read.")
    ),
}
_NO_FREE_SEAT = Advice(
    gettext_noop("open for rating"), gettext_noop("All seats are taken. Open the study, and the raters can start.")
)
_ALL_IN = Advice(gettext_noop("close the study"), gettext_noop("All answers are in. Close the study."))


def advice(study: Study, *, free: int, left: int) -> Advice:
    """What a study waits for, given its free seats and its missing answers, in the reader's language."""
    if study.state in _ADVICE:
        return _said(_ADVICE[study.state])
    if study.simulated and left:
        return _advice_simulated(study)
    if free:
        return _advice_free(study, free)
    if study.state == Study.State.FROZEN:
        return _said(_NO_FREE_SEAT)
    return _advice_left(left) if left else _said(_ALL_IN)


def _said(advice: Advice) -> Advice:
    return Advice(_(advice.short), _(advice.sentence))


def _advice_free(study: Study, free: int) -> Advice:
    sentence = ngettext(
        "%(free)s seat is free: give every free seat to a rater.",
        "%(free)s seats are free: give every free seat to a rater.",
        free,
    ) % {"free": free}
    if study.state == Study.State.FROZEN:
        sentence += " " + _("You can open the study before that.")
    return Advice(_("seat raters"), sentence, seat_first=True)


def _advice_left(left: int) -> Advice:
    short = ngettext("wait for %(left)s more answer", "wait for %(left)s more answers", left)
    sentence = ngettext(
        "The raters are at work: %(left)s answer is missing. Closing stops rating for good: do it early only if your "
        "stopping rule says so.",
        "The raters are at work: %(left)s answers are missing. Closing stops rating for good: do it early only if your "
        "stopping rule says so.",
        left,
    )
    return Advice(short % {"left": left}, sentence % {"left": left})


def _advice_simulated(study: Study) -> Advice:
    command = {"command": f"manage.py study_simulate {study.slug}"}
    if study.state == Study.State.FROZEN:
        sentence = _("Open the study. Then run “%(command)s” on the server: it seats the raters and answers.")
        return Advice(_("open for rating"), sentence % command)
    sentence = _("Run “%(command)s” on the server: it seats the raters and answers.")
    return Advice(_("simulate the raters"), sentence % command)


def next_step(study: Study) -> Step | None:
    """The step that a study waits for, or None after unblinding."""
    return _NEXT.get(study.state)
