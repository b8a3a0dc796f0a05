"""Check a frozen study against its own protocol; anybody can repeat it from the published files."""

import json
from typing import Any

from annotation.models import Assignment, Item, Study, Unblinding
from annotation.sealed.keys import commitment, disclosure
from annotation.selectors import judgments_sha256
from annotation.services.protocol import sha256, shown_sha256


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
        "The stored design differs from the protocol.": study.design == protocol["design"],
        "What raters read differs from the protocol.": study.rater_text == protocol["shown_to_raters"],
        "The stored items differ from the protocol.": _items(study) == _items_expected(protocol),
        "The raters' orders differ from the protocol.": _orders(study) == protocol["seats"],
        **_checks_after_unblinding(study, protocol),
    }
    return [problem for problem, holds in checks.items() if not holds]


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


def _checks_after_unblinding(study: Study, protocol: dict[str, Any]) -> dict[str, bool]:
    unblinding = Unblinding.objects.filter(study=study).first()
    if unblinding is None:
        return {}
    sealed = disclosure(study)
    return {
        "The key differs from the one committed to at freeze.": commitment(sealed) == protocol["key_commitment"],
        "The salt differs from the one committed to at freeze.": sha256(sealed["salt"]) == protocol["salt_sha256"],
        "The judgments changed after unblinding.": judgments_sha256(study) == unblinding.judgments_sha256,
    }
