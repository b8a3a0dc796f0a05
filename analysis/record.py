"""What an export says beside the numbers: the log, the amendments, and every version of every answer."""

import bisect
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd

from analysis.export.sources import Amendment, LeakArea, StudyRecord
from annotation.audit import anchor, chain_of, log_text, verifier_text
from annotation.design import canonical_json, design_from_dict
from annotation.leaks import LeakNumbers, numbers_read
from annotation.models import Judgment, LeakAudit, ProtocolVersion, Study
from annotation.selectors import rater_at, sittings_by_seat
from annotation.services.leaks import leaks_summed

FIELDS = (
    "assignment__seat__number", "assignment__position", "assignment__item__public_id", "version", "is_current",
    "verdict", "confidence", "rule", "responses", "marks", "wall_ms", "active_ms", "shown_at", "submitted_at",
)  # fmt: skip
NAMES = ("seat", "order", "item", *FIELDS[3:])
# Only the first is held against the limit: the others are what raters judge.
LEAKS = {"presentation": "how it is shown", "text_shape": "shape of the texts", "words": "words"}
COLUMNS = ["rater", *NAMES, "protocol_version"]


def study_record(study: Study) -> StudyRecord:
    """All of it as it stands now. Holds no arm."""
    chain = chain_of(study)
    return StudyRecord(
        log=log_text(chain),
        anchor=anchor(chain),
        verifier=verifier_text(),
        amendments=_amendments(study),
        answers=answer_versions(study),
        leaks=_leaks(study),
    )


def answer_versions(study: Study) -> pd.DataFrame:
    """Every answer that was ever given, superseded ones too: by whom, and under which version of the protocol."""
    seats, begun = sittings_by_seat(study), _begun(study)
    rows = Judgment.objects.filter(assignment__seat__study=study).order_by("id").values_list(*FIELDS)
    found = [dict(zip(NAMES, row, strict=True)) for row in rows]
    for row in found:
        row["rater"] = rater_at(seats.get(row["seat"], []), row["seat"], row["submitted_at"])
        row["protocol_version"] = bisect.bisect_right(begun, row["submitted_at"])
        row["responses"], row["marks"] = canonical_json(row["responses"]), canonical_json(row["marks"])
    return pd.DataFrame(found, columns=COLUMNS).astype({"confidence": "Int64"})


def leaks_said(study: Study) -> str:
    """What the last leak audit before the opening found, in words."""
    audit = LeakAudit.objects.filter(study=study).last()
    if audit is None:
        return "not audited: frozen before there were leak audits"
    overruled = design_from_dict(study.design).blinding.leak_overruled
    why = f" Overruled: {overruled}" if overruled and not audit.passed else ""
    return f"how well the arms could be told from how items were shown was {leaks_summed(audit)}.{why}"


def amendments_said(study: Study) -> tuple[Amendment, ...]:
    """Every version of the protocol after the first, as the report tells it."""
    later = ProtocolVersion.objects.filter(study=study, number__gt=1).order_by("number")
    return tuple(
        Amendment(row.number, f"{row.at:%Y-%m-%d %H:%M} UTC", row.reason, row.judgments_before, row.sha256)
        for row in later
    )


def leak_areas(study: Study) -> tuple[LeakArea, ...]:
    """What the last leak audit found of each pair of arms."""
    audit = LeakAudit.objects.filter(study=study).last()
    return () if audit is None else tuple(_areas(numbers_read(audit.numbers)))


def _areas(numbers: LeakNumbers) -> Iterator[LeakArea]:
    for found in numbers.comparisons:
        arms = f"{found.first}, {found.second}"
        for name, by in LEAKS.items():
            auc = getattr(found, name)
            if auc is not None:
                yield LeakArea(arms, by, name == "presentation", auc.auc, auc.low, auc.high, sum(found.neurons))


def _leaks(study: Study) -> list[dict[str, Any]]:
    rows = LeakAudit.objects.filter(study=study).order_by("id")
    return [
        {"at": row.at.isoformat(), "limit": row.limit, "rule": row.rule, "passed": row.passed, **row.numbers}
        for row in rows
    ]


def _begun(study: Study) -> list[datetime]:
    """When each version of the protocol came into force, in order."""
    return list(ProtocolVersion.objects.filter(study=study).order_by("number").values_list("at", flat=True))


def _amendments(study: Study) -> list[dict[str, Any]]:
    """Every version after the first, with its text: the sha256 of the text is the version's."""
    later = ProtocolVersion.objects.filter(study=study, number__gt=1).order_by("number")
    return [
        {
            "version": row.number,
            "in_force_since": row.at.isoformat(),
            "reason": row.reason,
            "judgments_before": row.judgments_before,
            "sha256": row.sha256,
            "text": row.text,
        }
        for row in later
    ]
