"""What is wrong with a file of ratings, line by line: everything is looked for before anything is refused."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 50
LONGEST = 60  # characters of a received text that a message repeats


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault.

    Attributes
    ----------
    message : str
        What was received and what is allowed.
    line : int or None
        Line of a text file or row of a Parquet file, from 1 (the heading of a text file is line 1); None: the file.
    column : str
        As the file calls it; may be empty.
    place : {"line", "row"}
    """

    message: str
    line: int | None = None
    column: str = ""
    place: str = "line"

    def __str__(self) -> str:
        parts = [f"{self.place} {self.line}"] if self.line is not None else []
        parts += [f"column {self.column}"] if self.column else []
        return f"{', '.join(parts)}: {self.message}" if parts else self.message


class RatingsRefused(ValueError):
    """A file that cannot be analysed as it is.

    Attributes
    ----------
    problems : tuple of Problem
        The first of them, in the order of the file.
    total : int
        How many there are in all.
    """

    def __init__(self, file: str, problems: Sequence[Problem], total: int = 0) -> None:
        self.file = file
        self.problems = tuple(problems[:MOST_SHOWN])
        self.total = max(total, len(problems))
        super().__init__(self._text())

    def _text(self) -> str:
        count = "1 problem" if self.total == 1 else f"{self.total:,} problems"
        lines = [f"{self.file}: {count}; nothing was analysed.", *(f"  {problem}" for problem in self.problems)]
        if self.total > len(self.problems):
            lines.append(f"  … and {self.total - len(self.problems):,} more.")
        return "\n".join(lines)


def quoted(text: str) -> str:
    """What was received, as it may stand in a message.

    Examples
    --------
    >>> quoted("maybe")
    "'maybe'"
    >>> quoted("")
    'nothing'
    """
    if not text:
        return "nothing"
    return repr(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
