"""The leak audit of a study: draw every page as a rater gets it, and let classifiers guess the arm.

The audit reads the arms of a blind study and lets out areas over whole arms, without direction for single features. No
item, no order and no guess leaves this module.
"""

import copy
import json
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.template.loader import get_template
from django.utils.translation import override

from annotation.blinding.specimen import blind_specimen
from annotation.design import StudyDesign, design_from_dict
from annotation.leaks import SHUFFLES, LeakNumbers, ShownPage, leaks_beyond, leaks_measure, numbers_read
from annotation.models import Assignment, Item, LeakAudit, Study
from annotation.sealed.keys import keys_read_for_leak_audit
from annotation.services.draw import StudyDraw
from annotation.services.errors import LeaksTooLarge, StudyWrongState
from annotation.services.log import User, event_add
from annotation.services.protocol import rater_text, snippets_json

PAGE = "annotation/evaluator/rate.html"


@dataclass(frozen=True, slots=True)
class Measured:
    """An audit that is not stored yet."""

    numbers: LeakNumbers
    seconds: float


@dataclass(frozen=True, slots=True)
class _Row:
    """An item with what the key says of it, and its place in the lists of seats."""

    public_id: str
    arm: str
    size: str
    unit: str
    snippets: list[list[list[Any]]]
    layout: dict[str, Any]
    position: float


def leaks_at_freeze(study: Study, design: StudyDesign, draw: StudyDraw, *, shuffles: int = SHUFFLES) -> Measured:
    """Audit a draw before it is stored: nothing is locked while pages are drawn and classifiers trained."""
    as_frozen = copy.copy(study)
    as_frozen.rater_text = rater_text(design)
    places = _places((item, place) for seat in draw.lists.seats for place, item in enumerate(seat.items, start=1))
    rows = [
        _Row(
            public_id=item.public_id,
            arm=item.stratum.arm.name,
            size=item.stratum.pair.size,
            unit=f"{item.layer}:{item.neuron}",
            snippets=snippets_json(item.snippets),
            layout=item.layout,
            position=places[item.public_id],
        )
        for item in draw.items
        if item.public_id in places
    ]
    return _measured(as_frozen, rows, shuffles)


def study_leaks(*, study: Study, by: User = None) -> LeakAudit:
    """Repeat the audit of a frozen study, on the items as they are stored. Recorded, as every reading of the key is."""
    study = Study.objects.get(pk=study.pk)
    if study.state == Study.State.DRAFT:
        raise StudyWrongState(f"“{study.title}” is a draft and has no items to audit; freeze it first.")
    keys = {row.item_id: row for row in keys_read_for_leak_audit(study, by)}
    assigned = Assignment.objects.filter(seat__study=study).values_list("item_id", "position")
    places = _places((str(item), place) for item, place in assigned)
    items = Item.objects.filter(pk__in=keys.keys() & {int(item) for item in places}).order_by("public_id")
    rows = [
        _Row(
            public_id=item.public_id,
            arm=keys[item.pk].arm,
            size=keys[item.pk].size,
            unit=f"{keys[item.pk].layer}:{keys[item.pk].neuron}",
            snippets=item.snippets,
            layout=item.layout,
            position=places[str(item.pk)],
        )
        for item in items
    ]
    measured = _measured(study, rows)
    with transaction.atomic():
        return leak_audit_write(study=study, design=design_from_dict(study.design), measured=measured, by=by)


def leak_audit_write(*, study: Study, design: StudyDesign, measured: Measured, by: User = None) -> LeakAudit:
    """Store an audit and log it."""
    limit, rule = design.blinding.leak_limit, design.blinding.leak_rule
    beyond = leaks_beyond(measured.numbers, limit, rule)
    audit = LeakAudit.objects.create(
        study=study,
        limit=limit,
        rule=rule,
        passed=not beyond,
        numbers=measured.numbers.as_json(),
        seconds=round(measured.seconds, 1),
    )
    largest = round(measured.numbers.largest.auc, 4) if measured.numbers.largest else None
    event_add(study, by, "leaks audited", passed=audit.passed, limit=limit, rule=rule, largest_area=largest)
    return audit


def leaks_refuse(study: Study) -> None:
    """Refuse a study whose arms show, unless its protocol says why it may open all the same.

    Raises
    ------
    LeaksTooLarge
    """
    audit = study.leak_audits.order_by("-id").first()
    if audit is None:
        raise LeaksTooLarge(f"“{study.title}” has no leak audit; run “manage.py study_leaks {study.slug}”.")
    if audit.passed or design_from_dict(study.design).blinding.leak_overruled:
        return
    raise LeaksTooLarge(f"“{study.title}” stays closed: {leaks_told(audit)}.")


def leaks_told(audit: LeakAudit) -> str:
    """Which arms can be told, and from what, in a sentence."""
    told = []
    for one in leaks_beyond(numbers_read(audit.numbers), audit.limit, audit.rule):
        area = "not measured, too few neurons" if one.presentation is None else f"AUC {one.presentation.auc:.2f}"
        by = f", most by {one.features[0].name}" if one.features else ""
        told.append(f"{one.first} and {one.second} ({area}{by})")
    held = "the area" if audit.rule == "estimate" else "the upper end of the interval"
    return (
        f"how items are shown tells {'; '.join(told)}. The limit for {held} is {audit.limit:g}. Choose another display "
        "in a new study, or open it with a reason that is written into the protocol"
    )


def leaks_summed(audit: LeakAudit) -> str:
    """What an audit found, in a sentence."""
    numbers = numbers_read(audit.numbers)
    if numbers.largest is None:
        return "not measured: too few neurons to say whether the arms can be told"
    area, limit = numbers.largest, f"the limit of {audit.limit:g}"
    found = f"the largest area is {area.auc:.2f} [{area.low:.2f}, {area.high:.2f}]"
    if not audit.passed:
        return f"above {limit}: {found}"
    if area.auc > audit.limit:
        return f"above {limit}, but no more than chance gives: {found}, as large in {numbers.p_value:.0%} of shuffles"
    return f"within {limit}: {found}"


def _measured(study: Study, rows: list[_Row], shuffles: int = SHUFFLES) -> Measured:
    started = time.perf_counter()
    numbers = leaks_measure(list(_pages(study, rows)), shuffles=shuffles)
    return Measured(numbers, time.perf_counter() - started)


def _pages(study: Study, rows: Iterable[_Row]) -> Iterator[ShownPage]:
    """Every row as page and reply, in the order of public ids: chance, so that a slow moment hits all arms alike."""
    template = get_template(PAGE)
    for row in sorted(rows, key=lambda row: row.public_id):
        page = blind_specimen(study, row.snippets, row.layout)
        begun = time.perf_counter()
        with override(settings.LANGUAGE_CODE):  # in one language, whoever asks for the audit
            html = template.render({"page": page}).encode()
        taken = 1_000 * (time.perf_counter() - begun)
        reply = json.dumps(asdict(page), cls=DjangoJSONEncoder).encode()
        yield ShownPage(
            arm=row.arm,
            size=row.size,
            unit=row.unit,
            public_id=row.public_id,
            snippets=row.snippets,
            layout=row.layout,
            html=html,
            json=reply,
            position=row.position,
            milliseconds=taken,
        )


def _places(shown: Iterable[tuple[str, int]]) -> dict[str, float]:
    """Mean place of each item over the lists of all seats."""
    places: dict[str, list[int]] = defaultdict(list)
    for item, place in shown:
        places[item].append(place)
    return {item: sum(found) / len(found) for item, found in places.items()}
