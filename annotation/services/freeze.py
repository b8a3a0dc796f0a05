"""Freeze: the moment a design becomes a study that cannot change."""

import secrets
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotation.design import DesignRefused, StudyDesign, design_from_dict, design_to_dict
from annotation.models import Item, Study
from annotation.sealed.keys import catches_write, draws_write, keys_write, salt_write, strata_write
from annotation.services.draw import Progress, StudyDraw, study_draw, writing_of
from annotation.services.errors import StudyWrongState
from annotation.services.guesses import guesses_write
from annotation.services.harvests import strata_open
from annotation.services.leaks import Measured, leak_audit_write, leaks_at_freeze
from annotation.services.log import User, event_add, locked
from annotation.services.protocol import catch_row, key_row, protocol_text, rater_text, sha256, snippets_json
from annotation.services.seating import seats_write
from annotation.services.stages import rules_link
from annotation.services.versions import version_first

BATCH = 500  # rows of one INSERT; items carry long texts


def study_freeze(
    *, study: Study, by: User = None, reason: str = "", progress: Progress | None = None, salt: str | None = None
) -> Study:
    """Draw the neurons, store the items and the sealed key, fix every rater's order, and write the protocol.

    `salt` is given only to draw a study again; a new study gets a secret one.
    """
    if study.state != Study.State.DRAFT:
        locked(study, Study.State.DRAFT, step="freeze")
    design, salt = design_from_dict(study.design), salt or secrets.token_hex(32)
    if design.sampling.reserve_used:
        message = f"Received {design.sampling.reserve_used}; the reserve comes into use after freeze, by amendment."
        raise DesignRefused([("sampling.reserve_used", message)])
    strata = strata_open(design)
    # Drawn and audited before the transaction, which would keep every rater of every study waiting for so many seconds.
    draw = study_draw(design, strata, salt, progress)
    leaks = leaks_at_freeze(study, design, draw)
    return _frozen(study, by, reason, design, draw, protocol_text(design, strata, draw, salt), salt, leaks)


@transaction.atomic
def _frozen(
    study: Study,
    by: User,
    reason: str,
    design: StudyDesign,
    draw: StudyDraw,
    protocol: str,
    salt: str,
    leaks: Measured,
) -> Study:
    row = locked(study, Study.State.DRAFT, step="freeze")
    if design_from_dict(row.design) != design:
        raise StudyWrongState(f"The design of “{row.title}” was changed while it was being frozen; freeze it again.")
    row.design = design_to_dict(design)  # with every field, also where an older draft left out what was new since
    row.protocol, row.protocol_sha256 = protocol, sha256(protocol)
    row.rater_text = rater_text(design)
    row.state, row.frozen_at = Study.State.FROZEN, timezone.now()
    items = _items_write(row, draw)
    keys_write(row, (key_row(drawn, items[drawn.public_id].pk) for drawn in draw.items))
    draws_write(row, draw.draws)
    strata_write(row, draw.strata)
    catches_write(row, (catch_row(catch, items[catch.public_id].pk) for catch in draw.catches))
    salt_write(row, salt)
    seats_write(row, design, draw.lists, items, salt)
    rules_link(row, draw.predictions, writing_of(draw.items))
    guesses_write(draw.guesses, row.pk)
    row.save()
    version_first(row, by)
    event_add(row, by, "frozen", reason.strip(), **_told(row, draw))
    leak_audit_write(study=row, design=design, measured=leaks, by=by)
    return row


def _told(study: Study, draw: StudyDraw) -> dict[str, Any]:
    """What the log says of the draw: pooled counts that lead to no arm."""
    return {
        "protocol_sha256": study.protocol_sha256,
        "items": len(draw.items),
        "catches": len(draw.catches),
        "draws": len(draw.draws),
        "rejected": sum(not row.accepted for row in draw.draws),
        "reserve": sum(row.reserve for row in draw.draws),
        "balance": {kind: asdict(balance) for kind, balance in draw.lists.balance.items()},
    }


def _items_write(study: Study, draw: StudyDraw) -> dict[str, Item]:
    items = [
        Item(study=study, public_id=d.public_id, snippets=snippets_json(d.snippets), layout=d.layout)
        for d in draw.shown
    ]
    return {item.public_id: item for item in Item.objects.bulk_create(items, batch_size=BATCH)}
