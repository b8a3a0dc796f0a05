"""The steps of the demo. Each looks whether its work is done already, so a second start is quick and keeps all data."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command

from annotation.design import design_from_toml
from annotation.models import Evaluator, Study
from annotation.services import (
    evaluator_create,
    seat_assign,
    study_close,
    study_create,
    study_freeze,
    study_open,
    study_unblind,
)
from evalsite.people.sign_in import DEMO_LOGINS
from neurons.models import Corpus, Network
from neurons.selectors import harvest_finished

CORPUS = "embedded"
OPEN_STUDY, FINISHED_STUDY = "solu-one-layer", "solu-one-layer-simulated"
MAX_TOKENS = 600_000  # of the harvest split; enough that every neuron has 20 different snippets
NETWORKS = ("1l-256-gelu", "1l-256-solu-ln", "1l-256-gelu-ln")

# The design that ships for users to start from; the demo changes its name and who rates.
TEMPLATE = settings.BASE_DIR / "annotation" / "study_templates" / "solu_1l.toml"


@dataclass(frozen=True)
class Step:
    """One step: what it is called on the screen, and what it does."""

    title: str
    run: Callable[[str | None], None]  # called with the address of the web server, if one is running
    needs_server: bool = False  # waits until that server answers


def database(_: str | None) -> None:
    call_command("migrate", verbosity=0, interactive=False)


def accounts(_: str | None) -> None:
    """The logins of evalsite.people.sign_in.DEMO_LOGINS."""
    users = User.objects
    for role, name, password in DEMO_LOGINS:
        if users.filter(username=name).exists():
            continue
        if role == "evaluator":
            evaluator_create(username=name, password=password)
            continue
        users.create_user(username=name, password=password).groups.add(Group.objects.get(name=role))


def corpus(_: str | None) -> None:
    if not Corpus.objects.filter(name=CORPUS).exists():
        call_command("corpus_import", CORPUS, embedded=True)


def networks(_: str | None) -> None:
    if Network.objects.filter(name__in=NETWORKS).count() < len(NETWORKS):
        call_command("networks_import")


def harvests(_: str | None) -> None:
    missing = [name for name in NETWORKS if not ((run := harvest_finished(name, CORPUS)) and run.index_url)]
    if missing:
        call_command("harvest_run", *missing, corpus=CORPUS, max_tokens=MAX_TOKENS, processes=len(missing))


def finished_study(address: str | None) -> None:
    """A study that simulated raters play to its end, so that the researcher has a report to read."""
    study = _study(FINISHED_STUDY, "SoLU at one layer, simulated raters", seed=35_60, rater_kind="simulated")
    if study.state == Study.State.OPEN:
        call_command("study_simulate", study.slug, raters=3, url=address)
        study = study_close(study=study, by=_admin(), reason="The simulated raters are through.")
    if study.state == Study.State.CLOSED:
        study_unblind(study=study, by=_admin(), reason="The demo shows what a report looks like.")


def open_study(_: str | None) -> None:
    """A study for people, with a seat for the demo's evaluator."""
    study = _study(OPEN_STUDY, "Do these neurons have one meaning?", seed=2022, rater_kind="human")
    evaluator = Evaluator.objects.get(user__username=_name("evaluator"))
    if not study.seats.filter(evaluator=evaluator).exists():
        seat_assign(study=study, evaluator=evaluator, by=_admin())


def _study(slug: str, title: str, *, seed: int, rater_kind: str) -> Study:
    """The study, frozen and open if it was not yet; an interrupted start goes on where it stopped."""
    template = design_from_toml(TEMPLATE.read_text())
    # Whoever tries the demo is one person, so its protocols ask for one person to unblind. Each demo draws neurons of
    # its own, and by chance some draws look leakier than the limit: the panel shows it, and the study opens.
    design = replace(
        template,
        title=title,
        slug=slug,
        seed=seed,
        rater_kind=rater_kind,
        blinding=replace(template.blinding, unblinders=1, leak_overruled=DEMO_OPENS),
    )
    study = Study.objects.filter(slug=slug).first() or study_create(design=design, by=_admin())
    if study.state == Study.State.DRAFT:
        study = study_freeze(study=study, by=_admin())
    if study.state == Study.State.FROZEN:
        study = study_open(study=study, by=_admin())
    return study


def _name(role: str) -> str:
    return next(name for known, name, _ in DEMO_LOGINS if known == role)


def _admin() -> User:
    return User.objects.get(username=_name("admin"))


DEMO_OPENS = "This is the demonstration: it opens whatever its leak audit finds; the audit stands on the study's page."
STEPS = (
    Step("making the database", database),
    Step("making the logins", accounts),
    Step("importing the embedded corpus (text that this installation already has)", corpus),
    Step("loading the shipped networks", networks),
    Step("harvesting what makes their neurons fire", harvests),
    Step("playing a study with simulated raters to its end", finished_study, needs_server=True),
    Step("opening a study for you to rate", open_study),
)
