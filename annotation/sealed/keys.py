"""The only reader and writer of the sealed key (blinding lock 5: time)."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import User

from annotation.audit import event_append
from annotation.design import canonical_json
from annotation.models import Item, RaterKind, Study, Unblinding
from annotation.sealed.models import SealedCatch, SealedDraw, SealedKey, SealedSalt, SealedStratum

OPENED_FOR_SIMULATION = "key opened for simulated raters"
OPENED_FOR_LEAK_AUDIT = "key read for the leak audit"


class StudyStillBlinded(Exception):
    """Somebody asked for the key of a study that is not unblinded."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """Which neuron of which arm an item shows."""

    item_id: int
    size: str
    arm: str
    layer: int
    neuron: int
    harvest_id: int
    corpus: str = ""
    truth: dict[str, Any] = field(default_factory=dict)  # the task's right answers


@dataclass(frozen=True, slots=True)
class DrawRow:
    """One draw of the sampling, accepted or rejected with its reason."""

    number: int
    size: str
    arm: str
    layer: int
    neuron: int
    accepted: bool
    reason: str
    reserve: bool = False  # accepted beyond the sample


@dataclass(frozen=True, slots=True)
class StratumRow:
    """One layer of one arm over one corpus: how many neurons there are (None: not a finite number) and were drawn."""

    number: int
    size: str
    arm: str
    layer: int
    corpus: str
    width: int  # units in the layer that numbers are drawn from
    neurons: int | None = None
    unrecorded: int | None = None  # not in the imported records
    dead: int | None = None  # never above 0 on the harvested text
    enough: int | None = None  # with as many snippets of different texts as an item shows
    sampled: int = 0
    reserved: int = 0


@dataclass(frozen=True, slots=True)
class CatchRow:
    """A catch trial and its right answer."""

    item_id: int
    kind: str
    expected: str
    truth: dict[str, Any]
    rule: str


def keys_write(study: Study, rows: Iterable[KeyRow]) -> None:
    SealedKey.objects.bulk_create(SealedKey(study=study, **asdict(row)) for row in rows)


def draws_write(study: Study, rows: Iterable[DrawRow]) -> None:
    SealedDraw.objects.bulk_create(SealedDraw(study=study, **asdict(row)) for row in rows)


def strata_write(study: Study, rows: Iterable[StratumRow]) -> None:
    SealedStratum.objects.bulk_create(SealedStratum(study=study, **asdict(row)) for row in rows)


def catches_write(study: Study, rows: Iterable[CatchRow]) -> None:
    SealedCatch.objects.bulk_create(SealedCatch(study=study, **asdict(row)) for row in rows)


def catches_read(study: Study) -> dict[int, CatchRow]:
    """The catch trials by item. Not refused while blind: they show no neuron, and raters are watched by them."""
    rows = SealedCatch.objects.filter(study=study).values(*CatchRow.__dataclass_fields__)
    return {row["item_id"]: CatchRow(**row) for row in rows}


def salt_write(study: Study, salt: str) -> None:
    SealedSalt.objects.create(study=study, salt=salt)


def keys_read(study: Study) -> list[KeyRow]:
    """The key, after unblinding."""
    _refuse_while_blind(study)
    return _keys(study)


def draws_read(study: Study) -> list[DrawRow]:
    """Every draw, rejected ones included, after unblinding."""
    _refuse_while_blind(study)
    fields = DrawRow.__dataclass_fields__
    return [DrawRow(**row) for row in SealedDraw.objects.filter(study=study).order_by("number").values(*fields)]


def strata_read(study: Study) -> list[StratumRow]:
    """Populations and numbers drawn of every layer of every arm, after unblinding."""
    _refuse_while_blind(study)
    fields = StratumRow.__dataclass_fields__
    return [StratumRow(**row) for row in SealedStratum.objects.filter(study=study).order_by("number").values(*fields)]


def salt_read(study: Study) -> str:
    """The salt, after unblinding: with it and the design anybody can draw the study again."""
    _refuse_while_blind(study)
    return str(SealedSalt.objects.get(study=study).salt)


def keys_read_for_simulation(study: Study, by: User | None = None) -> list[KeyRow]:
    """The key for simulated raters, who need a truth to answer by; never for a study with people. Recorded."""
    if study.rater_kind != RaterKind.SIMULATED:
        raise StudyStillBlinded(
            f"“{study.title}” is rated by people, so its key opens for no simulation; "
            'freeze a study with rater_kind = "simulated".'
        )
    event_append(study, by, OPENED_FOR_SIMULATION)
    return _keys(study)


def keys_read_for_leak_audit(study: Study, by: User | None = None) -> list[KeyRow]:
    """The key for the leak audit, which lets out numbers over whole arms only. Recorded."""
    event_append(study, by, OPENED_FOR_LEAK_AUDIT)
    return _keys(study)


def disclosure(study: Study) -> dict[str, Any]:
    """Everything that was sealed, after unblinding, as plain data.

    `commitment(disclosure(study))` equals the `key_commitment` of the frozen protocol unless something was changed.
    """
    keys, draws, strata, salt = keys_read(study), draws_read(study), strata_read(study), salt_read(study)
    public = dict(Item.objects.filter(study=study).values_list("id", "public_id"))
    catches = [(public[item], row) for item, row in catches_read(study).items()]
    return disclosed(salt, [(public[row.item_id], row) for row in keys], draws, strata, catches)


def disclosed(
    salt: str,
    keys: Sequence[tuple[str, KeyRow]],
    draws: Sequence[DrawRow],
    strata: Sequence[StratumRow],
    catches: Sequence[tuple[str, CatchRow]],
) -> dict[str, Any]:
    """The sealed rows in the form that is committed to at freeze and published at unblinding."""
    return {
        "salt": salt,
        "key": [_public(item, row, "harvest_id") for item, row in sorted(keys, key=lambda pair: pair[0])],
        "draws": [asdict(draw) for draw in draws],
        "strata": [asdict(stratum) for stratum in strata],
        "catches": [_public(item, row) for item, row in sorted(catches, key=lambda pair: pair[0])],
    }


def _public(item: str, row: KeyRow | CatchRow, *left_out: str) -> dict[str, Any]:
    """The row with the item's public id for numbers that mean something in this database only."""
    told = asdict(row)
    return {"item": item} | {name: told[name] for name in told if name not in ("item_id", *left_out)}


def commitment(disclosed_data: dict[str, Any]) -> str:
    """sha256 that fixes the sealed rows without showing them; the salt makes guessing hopeless."""
    return hashlib.sha256(canonical_json(disclosed_data).encode()).hexdigest()


def _refuse_while_blind(study: Study) -> None:
    if not Unblinding.objects.filter(study_id=study.pk).exists():
        raise StudyStillBlinded(
            f"“{study.title}” is {study.state}; its key opens after it is closed and unblinded."
        )


def _keys(study: Study) -> list[KeyRow]:
    fields = KeyRow.__dataclass_fields__
    return [KeyRow(**row) for row in SealedKey.objects.filter(study=study).order_by("id").values(*fields)]
