#!/usr/bin/env python3
"""Check a Blindscope log: that no line was changed, removed, put in, moved, or cut off.

    python3 verify_log.py log.jsonl
    python3 verify_log.py log.jsonl --anchor=CHAIN:NUMBER:SHA256
    python3 verify_log.py log.jsonl --anchor-file log_anchor.txt

Each line of the file is a JSON object. Its "sha256" is the SHA-256 of the same object without "sha256", written with
sorted keys, without spaces, in UTF-8; its "previous" is the "sha256" of the line before, and 64 zeros in the first. So
every line fixes all lines before it. Somebody who can write to the database could still make a whole new chain, or
leave out the newest lines: an anchor that was published at the time (the number of lines then, and the last hash) shows
that too. Without an anchor this says only that the log fits together.

Needs Python 3.8 or newer and nothing else. Ends with 0 if all is well, 1 if not, 2 if the log cannot be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

FORMAT = "blindscope-log-1"
NO_HASH = "0" * 64


def problems(lines: list[dict[str, Any]], anchors: Iterable[tuple[str, int, str]] = ()) -> list[str]:
    """What is wrong with a log, the first broken link first; an empty list if nothing is.

    lines: objects as in the file; anchors: (chain, number, sha256).
    """
    previous, chain, number = NO_HASH, None, 0
    for number, line in enumerate(lines, start=1):
        chain = line.get("chain") if chain is None else chain
        problem = link_problem(line, number, chain, previous)
        if problem:
            return [problem]
        previous = line["sha256"]
    found = (anchor_problem(lines, chain, *anchor) for anchor in anchors)
    return [problem for problem in found if problem]


def link_problem(line: dict[str, Any], number: int, chain: str | None, previous: str) -> str | None:
    """What is wrong with one line, given the line before; None if nothing is."""
    content = {name: value for name, value in line.items() if name != "sha256"}
    if line.get("format") != FORMAT:
        return f"Line {number}: its format is {line.get('format')!r}, not {FORMAT!r}."
    if sha256_of(content) != line.get("sha256"):
        return f"Line {number} ({line.get('action')}): its content does not fit its hash; it was changed."
    if line.get("chain") != chain:
        return f"Line {number}: it belongs to the chain {line.get('chain')}, not {chain}."
    if line.get("number") != number:
        return f"Line {number}: it says that it is number {line.get('number')}; lines are missing, put in or moved."
    if line.get("previous") != previous:
        return f"Line {number}: it does not follow the line before it; lines were changed, put in or moved."
    return None


def anchor_problem(
    lines: list[dict[str, Any]], chain: str | None, anchor_chain: str, number: int, sha256: str
) -> str | None:
    """Whether the log still holds what was published; None if it does."""
    if not lines or anchor_chain != chain:
        return f"The anchor belongs to the chain {anchor_chain} and the log to {chain}."
    if number > len(lines):
        return f"The log has {len(lines)} lines and had {number} when the anchor was made; it was cut off."
    if lines[number - 1]["sha256"] != sha256:
        return f"Line {number} has another hash than the anchor; the log was written anew."
    return None


def sha256_of(content: dict[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def anchor_read(text: str) -> tuple[str, int, str]:
    """(chain, number, sha256) of "chain:number:sha256"."""
    parts = text.strip().split(":")
    if len(parts) != 3 or not parts[1].isdigit() or int(parts[1]) < 1:
        raise ValueError(f"An anchor is CHAIN:NUMBER:SHA256, not {text.strip()!r}.")
    return parts[0], int(parts[1]), parts[2].lower()


def log_read(path: str) -> list[dict[str, Any]]:
    """The lines of a log file."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.strip()]
    if not all(isinstance(line, dict) for line in lines):
        raise ValueError("Each line of a log is a JSON object.")
    return lines


def anchors_read(options: argparse.Namespace) -> list[tuple[str, int, str]]:
    texts = list(options.anchor)
    for path in options.anchor_file:
        with open(path, encoding="utf-8") as file:
            texts += [line for line in file if line.strip()]
    return [anchor_read(text) for text in texts]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check that nobody changed a Blindscope log.")
    parser.add_argument("log", help="log.jsonl")
    parser.add_argument("--anchor", action="append", default=[], help="CHAIN:NUMBER:SHA256, as published")
    parser.add_argument("--anchor-file", action="append", default=[], help="a file with an anchor on each line")
    options = parser.parse_args(arguments)
    try:
        lines, anchors = log_read(options.log), anchors_read(options)
    except (OSError, ValueError) as error:
        print(f"Cannot read: {error}", file=sys.stderr)
        return 2
    found = problems(lines, anchors)
    for problem in found:
        print(problem)
    if not found:
        last = f"{lines[-1]['chain']}:{len(lines)}:{lines[-1]['sha256']}" if lines else "none"
        held = f"{len(anchors)} anchor{'' if len(anchors) == 1 else 's'} held" if anchors else "no anchor given"
        print(f"{len(lines)} lines fit together; {held}. Last: {last}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
