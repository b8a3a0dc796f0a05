"""Check a frozen study against its own protocol; anybody can repeat it from the published files."""

import json
from typing import Any

from annotation.design import design_from_dict
from annotation.models import ArmGuess, Assignment, Item, PersonErasure, Seat, Study, Unblinding
from annotation.sealed.keys import commitment, disclosure
from annotation.selectors import judgments_sha256
from annotation.services.protocol import sha256, shown_sha256
from annotation.services.stages import predictions_stored
from annotation.services.versions import version_problems


def study_problems(study: Study) -> list[str]:
    """What does not match the frozen protocol; empty if all is as it was frozen.

    Before unblinding the key cannot be checked; after it the key and the judgments are checked too.
    """
    study = Study.objects.get(pk=study.pk)
    if not study.protocol:
        return ["The study is a draft; it has no protocol yet."]
    protocol = json.loads(study.protocol)
    checks = {
        "The protocol's text does not match its sha256.": sha256(study.protocol) == study.protocol_sha256,
        "The stored items differ from the protocol.": _items(study) == _items_expected(protocol),
        "The raters' orders differ from the protocol.": _orders(study) == _orders_expected(study, protocol),
        "Who predicts from whose rule differs from the protocol.": predictions_stored(study)
        == protocol.get("predictions", []),
        "The items whose arm is guessed differ from the protocol.": _guesses(study) == protocol["guesses"],
        **_checks_after_unblinding(study, protocol),
    }
    return [problem for problem, holds in checks.items() if not holds] + version_problems(study)


def _items(study: Study) -> dict[str, str]:
    rows = Item.objects.filter(study=study).values_list("public_id", "snippets", "layout")
    return {public_id: shown_sha256(snippets, layout) for public_id, snippets, layout in rows}


def _items_expected(protocol: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item["shown_sha256"] for item in protocol["items"]}


def _orders(study: Study) -> list[dict[str, Any]]:
    rows = Assignment.objects.filter(seat__study=study).order_by("seat__number", "position")
    orders: dict[tuple[int, str], list[str]] = {}
    for seat, kind, item in rows.values_list("seat__number", "seat__kind", "item__public_id"):
        orders.setdefault((seat, kind), []).append(item)
    return [{"seat": seat, "kind": kind, "items": items} for (seat, kind), items in orders.items()]


def _orders_expected(study: Study, protocol: dict[str, Any]) -> list[dict[str, Any]]:
    """The lists as frozen, and behind them the rounds of the reserve that an amendment brought into use."""
    rounds = protocol["reserve"][: design_from_dict(study.design).sampling.reserve_used]
    return [
        seat | {"items": seat["items"] + [item for lists in rounds for item in lists[seat["seat"] - 1]]}
        for seat in protocol["seats"]
    ]


def _guesses(study: Study) -> list[list[str]]:
    asked: dict[int, list[str]] = {
        seat: [] for seat in Seat.objects.filter(study=study).order_by("number").values_list("number", flat=True)
    }
    rows = ArmGuess.objects.filter(assignment__seat__study=study).order_by("position")
    for seat, item in rows.values_list("assignment__seat__number", "assignment__item__public_id"):
        asked[seat].append(item)
    return list(asked.values())


def _checks_after_unblinding(study: Study, protocol: dict[str, Any]) -> dict[str, bool]:
    unblinding = Unblinding.objects.filter(study=study).first()
    if unblinding is None:
        return {}
    sealed = disclosure(study)
    return {
        "The key differs from the one committed to at freeze.": commitment(sealed) == protocol["key_commitment"],
        "The salt differs from the one committed to at freeze.": sha256(sealed["salt"]) == protocol["salt_sha256"],
        "The judgments changed after unblinding.": judgments_sha256(study)
        == _judgments_expected(study, unblinding.judgments_sha256),
    }


def _judgments_expected(study: Study, at_unblinding: str) -> str:
    """The hash that the judgments must have now: as they were unblinded, or as recorded erasures left them since."""
    expected = at_unblinding
    for before, after in PersonErasure.objects.filter(study=study).values_list("before_sha256", "after_sha256"):
        expected = after if before == expected else expected
    return expected
