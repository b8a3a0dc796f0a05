"""Reproduce a study's draw, allocation and orders from the files of its export, and say whether they match.

Shipped with every export as one file that needs Python 3.11 and NumPy and nothing of Blindscope. It reads the frozen
protocol (`protocol.json`: design, lists, commitments) and what was sealed until unblinding (`opened_key.json`: salt,
key, draws, strata, catch trials). The salt was committed to before the first judgment, so lists that follow from it
were fixed then, by chance and by nothing else.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from annotation.randomize.allocation import Unit
from annotation.randomize.guesses import guess_orders
from annotation.randomize.plan import Lists, lists_make, rules_from
from annotation.randomize.predictions import Prediction, predictions_choose, predictions_listed
from annotation.randomize.reserve import reserve_lists, rounds_of
from annotation.randomize.sampling import Layer, Part, sample_parts
from annotation.randomize.streams import permutation, public_id, stream

PROTOCOL, OPENED = "protocol.json", "opened_key.json"
NOT_SEALED = "raters_are"  # the one field of opened_key.json that is no part of the commitment
Check = Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


def main(arguments: list[str]) -> int:
    """Check the export in a folder, the script's own if none is given; the exit status is 0 if all matches."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    try:
        protocol_bytes = (folder / PROTOCOL).read_bytes()
        protocol, opened = json.loads(protocol_bytes), json.loads((folder / OPENED).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"Cannot read the export in {folder}: {error}")
        return 2
    opened.pop(NOT_SEALED, None)
    print(
        f"protocol sha256 {hashlib.sha256(protocol_bytes).hexdigest()}  (compare it with the one published at freeze)"
    )
    found = [(name, _holds(check, protocol, opened)) for name, check in CHECKS]
    for name, holds in found:
        print(f"{'match   ' if holds else 'MISMATCH'}  {name}")
    return 0 if all(holds for _, holds in found) else 1


def _holds(check: Check, protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    """Files that were tampered with may lack what a check needs: that is no match either."""
    try:
        return check(protocol, opened)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError):
        return False


def _canonical(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _salt_holds(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    return bool(hashlib.sha256(opened["salt"].encode()).hexdigest() == protocol["salt_sha256"])


def _commitment_holds(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    return bool(hashlib.sha256(_canonical(opened)).hexdigest() == protocol["key_commitment"])


def _ids_hold(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    named = [
        row["item"] in (_id(protocol, opened, row), _id(protocol, opened, row, "prediction")) for row in opened["key"]
    ]
    items = sorted(row["item"] for row in (*opened["key"], *opened["catches"]))
    return all(named) and items == [item["id"] for item in protocol["items"]]


def _id(protocol: Mapping[str, Any], opened: Mapping[str, Any], row: Mapping[str, Any], what: str = "item") -> str:
    """The id of what shows this neuron over this corpus: the item itself, or the prediction made from its rule."""
    return public_id(protocol["design"]["seed"], opened["salt"], f"{what}:{_place(row)}:{row['corpus']}")


def _place(row: Mapping[str, Any]) -> str:
    return f"{row['size']}:{row['arm']}:{row['layer']}:{row['neuron']}"


def _draws_hold(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    """Every arm's draws are the start of its random order, as long as it takes to fill sample and reserve."""
    design, told = protocol["design"], [dict(row) for row in opened["draws"]]
    expected: list[dict[str, Any]] = []
    for size, arm, part in _parts(design, opened):
        order = _drawing_order(design, opened, size, arm, part)
        accepted = 0
        while accepted < part.count + design["sampling"]["reserve"]:
            row, (layer, neuron) = told[len(expected)], next(order)
            accepted += row["accepted"]
            reserve = row["accepted"] and accepted > part.count
            made = {"size": size, "arm": arm, "layer": layer, "neuron": neuron, "reserve": reserve}
            expected.append(row | made | {"number": len(expected) + 1})
    return expected == told


def _parts(design: Mapping[str, Any], opened: Mapping[str, Any]) -> Iterator[tuple[str, str, Part]]:
    """Size, arm and part in the order of drawing."""
    layers = [
        Layer(row["size"], row["arm"], row["layer"], _living(row))
        for row in opened["strata"]
        if row["corpus"] == design["corpus"]
    ]
    parts = sample_parts(
        design["seed"],
        opened["salt"],
        layers,
        per_arm=design["neurons_per_arm"],
        across_sizes=design["sampling"]["sizes"],
        across_layers=design["sampling"]["layers"],
    )
    for pair in design["pairs"]:
        for arm in pair["arms"]:
            for part in parts[pair["size"]]:
                yield pair["size"], arm["name"], part


def _living(row: Mapping[str, Any]) -> int:
    return (row["neurons"] or 0) - (row["unrecorded"] or 0) - (row["dead"] or 0)


def _drawing_order(
    design: Mapping[str, Any], opened: Mapping[str, Any], size: str, arm: str, part: Part
) -> Iterator[tuple[int, int]]:
    """Layers and neurons in the random order of one part of one arm."""
    width = next(row["width"] for row in opened["strata"] if (row["size"], row["arm"]) == (size, arm))
    rng = stream(design["seed"], opened["salt"], f"draw:{size}:{arm}:{part.name}")
    for flat in permutation(rng, len(part.layers) * width).tolist():
        yield part.layers[flat // width], flat % width


def _units(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> list[tuple[Unit, bool]]:
    """Accepted neurons with their items, one for each corpus in the order of the design; whether each is in reserve."""
    design = protocol["design"]
    first = [row for row in opened["key"] if row["item"] == _id(protocol, opened, row)]
    items = {(_place(row), row["corpus"]): row["item"] for row in first}
    corpora = [design["corpus"], *design["sampling"]["more_corpora"]]
    return [
        (
            Unit(f"{row['size']}:{row['arm']}", row["layer"], tuple(items[_place(row), corpus] for corpus in corpora)),
            row["reserve"],
        )
        for row in opened["draws"]
        if row["accepted"]
    ]


def _lists(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> Lists:
    """The lists of first-stage items."""
    design, common = protocol["design"], [row["item"] for row in opened["catches"]]
    sample = [unit for unit, reserve in _units(protocol, opened) if not reserve]
    return lists_make(design["seed"], opened["salt"], sample, rules_from(design), common=common)


def _predictions(protocol: Mapping[str, Any], opened: Mapping[str, Any], lists: Lists) -> tuple[Prediction, ...]:
    again = {row["item"]: _id(protocol, opened, row) for row in opened["key"]}
    writing = {item: first for item, first in again.items() if item != first}
    return predictions_choose(protocol["design"]["seed"], opened["salt"], lists, writing)


def _lists_hold(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    seed, people = protocol["design"]["seed"], protocol["design"]["rater_kind"]
    lists = _lists(protocol, opened)
    predictions = _predictions(protocol, opened, lists)
    whole = predictions_listed(seed, opened["salt"], lists, predictions)
    made = [
        {"seat": number, "kind": "machine" if seat.machine else people, "items": list(seat.items)}
        for number, seat in enumerate(whole.seats, start=1)
    ]
    writers = [{"item": one.item, "seat": one.seat, "rule_of_seat": one.writer} for one in predictions]
    return bool(made == protocol["seats"] and writers == protocol["predictions"])


def _reserve_holds(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    design, rounds = protocol["design"], rounds_of(_units(protocol, opened))
    lists = reserve_lists(design["seed"], opened["salt"], rounds, rules_from(design))
    return [[list(items) for items in seats] for seats in lists] == list(protocol["reserve"])


def _guesses_hold(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    design, arms = protocol["design"], {row["item"]: row["arm"] for row in opened["key"]}
    orders = guess_orders(design["seed"], opened["salt"], _lists(protocol, opened), arms, design["guess"]["items"])
    return [list(items) for items in orders] == list(protocol["guesses"])


def _balance_holds(protocol: Mapping[str, Any], opened: Mapping[str, Any]) -> bool:
    balance = _lists(protocol, opened).balance
    return bool({kind: asdict(measured) for kind, measured in balance.items()} == protocol["balance"])


CHECKS: tuple[tuple[str, Check], ...] = (
    ("the salt is the one committed to at freeze", _salt_holds),
    ("key, draws and counts are those committed to at freeze", _commitment_holds),
    ("the random ids of all items follow from seed and salt", _ids_hold),
    ("the draw of neurons follows from seed and salt", _draws_hold),
    ("who judges what, and in which order, follows from seed and salt", _lists_hold),
    ("what each round of the reserve would add to the lists", _reserve_holds),
    ("the items whose arm raters guess at the end", _guesses_hold),
    ("the reported balance of the allocation", _balance_holds),
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
