"""Play a whole open study over HTTP with simulated raters, through the same pages as a person.

Only for studies frozen with rater_kind = "simulated". What is planted is printed and kept in the study's log.
"""

import argparse
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from django.core.management.base import CommandError
from tqdm import tqdm

from annotation.management.simulated_rater import PageUnexpected, SimulatedRater, own_server
from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.protocols.simulated import ERROR, PAPER_SHARES, Behaviour
from annotation.services.simulation import SimulatedLogin, SimulationPlan, simulation_plan


class Command(StudyCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--raters", type=int, default=3, help="simulated raters, one per seat (default 3)")
        parser.add_argument("--url", help="a running site; without it the command starts its own on a free port")
        parser.add_argument("--seed", type=int, default=1, help="seed of the planted truth and the answers (default 1)")
        parser.add_argument("--parallel", type=int, default=0, help="raters at once (default: all)")
        parser.add_argument("--error", type=float, default=ERROR, help="chance of a wrong verdict")
        parser.add_argument(
            "--share",
            action="append",
            type=_share,
            default=[],
            metavar="ARM=SHARE",
            help=f"planted interpretable share of an arm; default {PAPER_SHARES}",
        )

    def handle_study(self, study: Study, **options: Any) -> str:
        behaviour = Behaviour(shares=PAPER_SHARES | dict(options["share"]), error=options["error"])
        plan = simulation_plan(study=study, raters=options["raters"], seed=options["seed"], behaviour=behaviour)
        for group in plan.planted:
            self.stdout.write(
                f"planted {group.size} {group.arm}: {group.interpretable} of {group.neurons} interpretable"
            )
        with nullcontext(options["url"]) if options["url"] else own_server() as url:
            given = _play(study.slug, plan, url, options["parallel"] or options["raters"])
        return f"{study.slug}: {given} answers by {len(plan.logins)} simulated raters"


def _play(study: str, plan: SimulationPlan, url: str, parallel: int) -> int:
    """Let all raters work, some at a time, until none of them finds anything to do; the number of answers given.

    Where raters wait for each other's rules one round is not enough.
    """
    given = 0
    with tqdm(desc="Rating", total=len(plan.answers), unit="answer") as bar, ThreadPoolExecutor(parallel) as pool:
        try:
            raters = list(pool.map(lambda login: _ready(login, study, plan, url), plan.logins))
            while now := sum(pool.map(lambda rater: _rate(rater, study, plan, bar.update), raters)):
                given += now
            list(pool.map(lambda rater: _guess(rater, study, plan), raters))
        except (PageUnexpected, OSError) as error:
            raise CommandError(f"The simulation stopped: {error}") from None
    return given


def _ready(login: SimulatedLogin, study: str, plan: SimulationPlan, url: str) -> SimulatedRater:
    """A rater signed in and through the practice."""
    rater = SimulatedRater(url)
    try:
        rater.sign_in(login.username, login.password)
        rater.prepare(study, plan.practice)
    finally:
        rater.close()
    return rater


def _rate(rater: SimulatedRater, study: str, plan: SimulationPlan, rated: Callable[[], object]) -> int:
    try:
        return rater.rate(study, plan.answers.__getitem__, rated)
    finally:
        rater.close()


def _guess(rater: SimulatedRater, study: str, plan: SimulationPlan) -> None:
    try:
        rater.guess(study, plan.guesses.__getitem__)
    finally:
        rater.close()


def _share(text: str) -> tuple[str, float]:
    arm, _, share = text.partition("=")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not arm or not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"Received {text!r}; write ARM=SHARE with a share from 0 to 1, as solu=0.6.")
    return arm, value
