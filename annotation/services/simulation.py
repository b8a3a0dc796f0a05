"""Simulated raters: their accounts and seats, and a planted answer for each of their assignments."""

import secrets
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from annotation.models import ArmGuess, Assignment, RaterKind, Seat, Study
from annotation.protocols import TASKS
from annotation.protocols.practice import careful_answer
from annotation.protocols.simulated import Behaviour, plant_truth, simulated_answer, simulated_guess
from annotation.protocols.task import NO, Answer, Shown
from annotation.randomize import stream
from annotation.sealed.keys import KeyRow, catches_read, keys_read_for_simulation
from annotation.services.errors import SeatRefused
from annotation.services.log import User, event_add, locked
from annotation.services.people import account_of, evaluator_create, seat_take


@dataclass(frozen=True, slots=True)
class SimulatedLogin:
    """A simulated rater on a seat, ready to sign in."""

    username: str
    password: str
    seat: int


@dataclass(frozen=True, slots=True)
class Planted:
    """The planted truth of one arm at one size, as counts."""

    size: str
    arm: str
    interpretable: int
    neurons: int


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    planted: tuple[Planted, ...]
    answers: dict[str, dict[str, Any]]  # by public id of the assignment
    guesses: dict[str, dict[str, Any]]  # of the arm, by public id of the assignment
    practice: tuple[Answer, ...]  # what a careful rater answers to the practice items
    logins: tuple[SimulatedLogin, ...]


@transaction.atomic
def simulation_plan(*, study: Study, raters: int, seed: int, behaviour: Behaviour, by: User = None) -> SimulationPlan:
    """Seat the simulated raters and plant what they will answer. Refused for a study with people."""
    row = locked(study, Study.State.OPEN, step="simulate raters in")
    keys = keys_read_for_simulation(row, by)
    truth, planted = _truth(keys, seed, behaviour)
    logins = _logins(row, raters)
    event_add(
        row,
        by,
        "simulated raters planted",
        seed=seed,
        behaviour=asdict(behaviour) | {"shares": dict(behaviour.shares)},
        planted=[asdict(group) for group in planted],
    )
    right = {key.item_id: key.truth for key in keys}
    for item, catch in catches_read(row).items():
        truth[item], right[item] = catch.expected != NO, catch.truth
    answers = _answers(row, truth, right, {login.seat for login in logins}, seed, behaviour)
    practice = tuple(careful_answer(item) for item in row.rater_text["practice"])
    return SimulationPlan(planted, answers, _guesses(row, seed, behaviour), practice, logins)


def _guesses(study: Study, seed: int, behaviour: Behaviour) -> dict[str, dict[str, Any]]:
    choices = [choice["value"] for choice in study.rater_text["guess"]["choices"]]
    rows = ArmGuess.objects.filter(assignment__seat__study=study).order_by("assignment__seat__number", "position")
    rng = stream(seed, "simulation", "guesses")
    return {
        asked: simulated_guess(rng, choices, behaviour)
        for asked in rows.values_list("assignment__public_id", flat=True)
    }


def _truth(keys: list[KeyRow], seed: int, behaviour: Behaviour) -> tuple[dict[int, bool], tuple[Planted, ...]]:
    """The planted truth of every item, the same for all items of a neuron; and its counts."""
    arms: dict[tuple[str, str], dict[tuple[int, int], list[int]]] = {}
    for row in keys:
        arms.setdefault((row.size, row.arm), {}).setdefault((row.layer, row.neuron), []).append(row.item_id)
    truth: dict[int, bool] = {}
    planted = []
    for (size, arm), neurons in sorted(arms.items()):
        here = plant_truth(stream(seed, "simulation", f"truth:{size}:{arm}"), list(neurons), behaviour.share(arm))
        planted.append(Planted(size, arm, sum(here.values()), len(neurons)))
        truth |= {item: here[neuron] for neuron, items in neurons.items() for item in items}
    return truth, tuple(planted)


def _answers(
    study: Study,
    truth: dict[int, bool],
    answers: dict[int, dict[str, Any]],
    seats: set[int],
    seed: int,
    behaviour: Behaviour,
) -> dict[str, dict[str, Any]]:
    assignments = Assignment.objects.filter(seat__study=study, seat__number__in=seats)
    streams = {seat: stream(seed, "simulation", f"rater:{seat}") for seat in seats}
    return {
        row.public_id: simulated_answer(
            streams[row.seat.number],
            TASKS[row.item.layout.get("task") or study.design["protocol"]],
            interpretable=truth[row.item_id],
            shown=Shown(len(row.item.snippets), row.item.layout),
            truth=answers[row.item_id],
            behaviour=behaviour,
        )
        for row in assignments.select_related("seat", "item").order_by("seat__number", "position")
    }


def _logins(study: Study, raters: int) -> tuple[SimulatedLogin, ...]:
    """Accounts for the first `raters` seats; accounts of an earlier run get a new password and go on."""
    seats = list(Seat.objects.filter(study=study).select_related("evaluator__user").order_by("number")[:raters])
    if len(seats) < raters:
        raise SeatRefused(f"“{study.title}” has {len(seats)} seats; simulate at most as many raters, not {raters}.")
    return tuple(_login(study, seat) for seat in seats)


def _login(study: Study, seat: Seat) -> SimulatedLogin:
    """Sign-in for the rater on a seat; a free seat gets a new account."""
    password = secrets.token_urlsafe(18)
    if seat.evaluator is None:
        username = f"simulated-{study.slug}-{seat.number}"
        evaluator = evaluator_create(
            username=username, password=password, pseudonym=_pseudonym(), kind=RaterKind.SIMULATED
        )
        return SimulatedLogin(username, password, seat_take(study=study, evaluator=evaluator).number)
    user = account_of(seat.evaluator)
    user.set_password(password)
    user.save(update_fields=["password"])
    return SimulatedLogin(user.username, password, seat.number)


def _pseudonym() -> str:
    return f"simulated-{secrets.token_hex(4)}"
