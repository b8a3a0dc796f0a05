"""The frozen protocol: one canonical JSON text that says what the study is, without telling which item is which arm."""

import hashlib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from annotation.design import StudyDesign, canonical_json, consent_shown, design_to_dict
from annotation.protocols import TASKS
from annotation.protocols.display import Marked
from annotation.sealed.keys import CatchRow, KeyRow, commitment, disclosed
from annotation.services.catches import CatchItem
from annotation.services.draw import DrawnItem, StudyDraw
from annotation.services.guesses import guess_text
from annotation.services.harvests import Stratum
from annotation.services.seating import seat_kind
from annotation.services.stages import predictions_json

FORMAT = "blindscope-protocol-2"
PACKAGE = Path(__file__).resolve().parents[1]


def rater_text(design: StudyDesign) -> dict[str, Any]:
    """What raters read beside the snippets; the gate shows this and nothing else of the design."""
    task = TASKS[design.protocol]
    practice = task.practice(task.options_filled(design.options))
    return {
        "paragraphs": list(design.paragraphs),
        "task": task.name,
        "question": task.question,
        "threshold": task.threshold,
        "minutes_per_neuron": task.minutes_per_neuron,
        "snippets": design.snippets_per_neuron,
        "contact": design.contact,
        "practice": practice,
        "training": design.training.rule(len(practice)),
        "guess": guess_text(design),
        "consent": consent_shown(design.consent),
    }


def protocol_text(design: StudyDesign, strata: list[Stratum], draw: StudyDraw, salt: str) -> str:
    """The canonical JSON of a study; the same design, harvests, code and salt give the same text."""
    return canonical_json(
        {
            "format": FORMAT,
            "code_sha256": code_sha256(),
            "design": design_to_dict(design),
            "harvests": [stratum.provenance() for stratum in strata],
            "shown_to_raters": rater_text(design),
            "items": [
                {"id": item.public_id, "shown_sha256": shown_sha256(snippets_json(item.snippets), item.layout)}
                for item in draw.shown
            ],
            "seats": [
                {"seat": number, "kind": str(seat_kind(design, seat)), "items": list(seat.items)}
                for number, seat in enumerate(draw.lists.seats, start=1)
            ],
            "reserve": [[list(items) for items in lists] for lists in draw.reserve],
            "predictions": predictions_json(draw.predictions),
            "guesses": [list(items) for items in draw.guesses],
            "balance": {kind: asdict(balance) for kind, balance in draw.lists.balance.items()},
            "salt_sha256": sha256(salt),
            "key_commitment": commitment(sealed_disclosure(draw, salt)),
        }
    )


def sealed_disclosure(draw: StudyDraw, salt: str) -> dict[str, Any]:
    """What is sealed now and published at unblinding."""
    keys = [(item.public_id, key_row(item, item_id=0)) for item in draw.items]
    catches = [(catch.public_id, catch_row(catch, item_id=0)) for catch in draw.catches]
    return disclosed(salt, keys, draw.draws, draw.strata, catches)


def catch_row(catch: CatchItem, item_id: int) -> CatchRow:
    return CatchRow(item_id, catch.kind, catch.expected, catch.truth, catch.rule)


def key_row(item: DrawnItem, item_id: int) -> KeyRow:
    pair, arm, run = item.stratum.pair, item.stratum.arm, item.stratum.lender(item.neuron).run
    return KeyRow(item_id, pair.size, arm.name, item.layer, item.neuron, run.pk, item.corpus, item.truth)


def shown_sha256(snippets: list[list[list[Any]]], layout: dict[str, Any]) -> str:
    """Hash of what is shown of an item, as it is stored."""
    return sha256(canonical_json({"snippets": snippets, "layout": layout}))


def snippets_json(snippets: tuple[Marked, ...]) -> list[list[list[Any]]]:
    return [[[text, band] for text, band in snippet] for snippet in snippets]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """Hash of the code that draws, marks, allocates and shows: a study can be drawn again with this code."""
    digest = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if not name.startswith(("tests/", "migrations/", "staff/", "management/", "sealed/migrations/")):
            digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()
