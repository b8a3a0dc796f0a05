"""The check of a chain on the database's own rows."""

import json
from typing import Any

from annotation.audit import verify_log
from annotation.audit.record import Entry, record_text
from annotation.models import LogChain, StudyEvent


def chain_problems(chain: LogChain, anchors: tuple[tuple[str, int, str], ...] = ()) -> list[str]:
    """What is wrong with a chain, the first broken link first; empty if nothing is."""
    rows = list(StudyEvent.objects.filter(chain=chain).select_related("actor").order_by("number", "id"))
    try:
        lines = [chain_line(row) for row in rows]
    except ValueError:
        return [f"Chain {chain.name}: a line is no JSON object any more; it was changed."]
    found = verify_log.problems(lines, anchors) or _column_problems(chain, rows) or _head_problems(chain, rows)
    return [f"Chain {chain.name}: {problem}" for problem in found]


def chain_line(row: StudyEvent) -> dict[str, Any]:
    """A row as a line of the exported log."""
    content = json.loads(row.record)
    if not isinstance(content, dict):
        raise ValueError(f"Line {row.number} is no JSON object.")
    return {**content, "sha256": row.sha256}


def _column_problems(chain: LogChain, rows: list[StudyEvent]) -> list[str]:
    """The columns that pages show must say what was hashed."""
    for row in rows:
        said, hashed = json.loads(_columns(chain, row)), json.loads(row.record)
        differing = sorted(name for name in hashed if said.get(name) != hashed[name])
        if row.study_id != chain.study_id:
            differing.append("study")
        if differing:
            return [f"Line {row.number} ({row.action}): {', '.join(differing)} differ from what was hashed."]
    return []


def _columns(chain: LogChain, row: StudyEvent) -> str:
    return record_text(
        Entry(
            chain=chain.public_id,
            number=row.number,
            at=row.at,
            actor=row.actor.public_id if row.actor else "",
            role=row.role,
            action=row.action,
            object=(row.object_kind, row.object_id),
            old=row.old,
            new=row.new,
            reason=row.reason,
            details=row.details,
            previous=json.loads(row.record)["previous"],
        )
    )


def _head_problems(chain: LogChain, rows: list[StudyEvent]) -> list[str]:
    if len(rows) != chain.length:
        return [f"It has {len(rows)} lines and should have {chain.length}; lines at the end were removed or put in."]
    if rows and rows[-1].sha256 != chain.head_sha256:
        return [f"Line {len(rows)} has another hash than the chain's head; the log was written anew."]
    return []
