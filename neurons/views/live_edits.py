"""The edits of a text that somebody tries on a neuron, each with what it did to the neuron's strongest activation.

The log travels with the page: nothing is kept on the server, and what comes back from a browser is checked.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

MOST_EDITS = 50
MOST_CHARACTERS = 100_000  # of a log as text; older edits are forgotten beyond


@dataclass(frozen=True, slots=True)
class Edit:
    """`removed` stood at character `start` of the text before, `inserted` stands there now."""

    start: int
    removed: str
    inserted: str
    before: float
    after: float
    typed: bool  # by hand, not by clicking a token


@dataclass(frozen=True, slots=True)
class EditLog:
    """The text that was last read, and how it came to be.

    Attributes
    ----------
    peak : float or None
        Strongest activation in `text`; None before the first reading.
    first_peak : float or None
        That of the first reading.
    """

    text: str = ""
    peak: float | None = None
    first_peak: float | None = None
    edits: tuple[Edit, ...] = ()

    def read(self, text: str, peak: float, *, typed: bool) -> "EditLog":
        """The log after this text was read; what was typed in one go is one edit."""
        if self.peak is None:
            return EditLog(text, peak, peak)
        if text == self.text:
            return replace(self, peak=peak)
        base = self.undone() if typed and self.edits and self.edits[-1].typed else self
        edits = base.edits
        if text != base.text:
            edit = Edit(*difference(base.text, text), _number(base.peak), peak, typed)
            edits = (*edits, edit)[-MOST_EDITS:]
        return EditLog(text, peak, self.first_peak, edits)

    def undone(self) -> "EditLog":
        """The log before the last edit."""
        if not self.edits:
            return self
        *earlier, last = self.edits
        text = self.text[: last.start] + last.removed + self.text[last.start + len(last.inserted) :]
        return EditLog(text, last.before, self.first_peak, tuple(earlier))

    def to_json(self) -> str:
        """For a hidden field of the page."""
        log = self
        while len(written := json.dumps(asdict(log))) > MOST_CHARACTERS and log.edits:
            log = replace(log, edits=log.edits[1:])
        return written


def log_from_json(written: str) -> EditLog:
    """What a browser sent back; an empty log where that is no log."""
    try:
        log = json.loads(written)
        edits = tuple(_edit(edit) for edit in log["edits"][-MOST_EDITS:])
        return EditLog(_text(log["text"]), _known(log["peak"]), _known(log["first_peak"]), edits)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return EditLog()


def difference(old: str, new: str) -> tuple[int, str, str]:
    """Where two texts begin to differ, what the old one has there and what the new one has.

    Examples
    --------
    >>> difference("the old cat", "the new cat")
    (4, 'old', 'new')
    >>> difference("aaa", "aa")
    (2, 'a', '')
    """
    shorter = min(len(old), len(new))
    start = next((at for at in range(shorter) if old[at] != new[at]), shorter)
    rest = shorter - start
    end = next((at for at in range(rest) if old[-1 - at] != new[-1 - at]), rest)
    return start, old[start : len(old) - end], new[start : len(new) - end]


def _edit(edit: Mapping[str, Any]) -> Edit:
    start = int(edit["start"])
    if start < 0:
        raise ValueError("an edit before the text")
    numbers = _number(edit["before"]), _number(edit["after"])
    return Edit(start, _text(edit["removed"]), _text(edit["inserted"]), *numbers, bool(edit["typed"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    value.encode("utf-8")  # half a character cannot be read by a network
    return value


def _known(value: Any) -> float | None:
    return None if value is None else _number(value)


def _number(value: Any) -> float:
    found = 0.0 if value is None else float(value)
    if not math.isfinite(found):
        raise ValueError("no activation")
    return found
