"""What a report is made of, whatever it is printed on: sections of words, facts, figures and tables."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.export.cells import Table, anchor

# Parts of report.json beside its numbers, and a file beside it: the sections that tell them.
PLAN, FLOW, RATERS, NUMBERS, LEAKS = "plan", "flow", "raters", "numbers", "leaks.json"
SECTIONS = {PLAN: "plan", FLOW: "flow", RATERS: "how", NUMBERS: "sensitivity", LEAKS: "blind"}


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a paragraph; with `ref`, the id of the number of report.json that they tell."""

    text: str
    ref: str = ""

    @property
    def anchor(self) -> str:
        """Where the number, or the part of the report, stands on the page."""
        return SECTIONS.get(self.ref) or anchor(self.ref)


@dataclass(frozen=True, slots=True)
class Paragraph:
    pieces: tuple[Piece, ...]
    small: bool = False

    kind = "paragraph"

    @classmethod
    def of(cls, text: str, *, small: bool = False) -> "Paragraph":
        return cls((Piece(text),), small)

    @property
    def text(self) -> str:
        """The words alone."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def refs(self) -> tuple[str, ...]:
        """The numbers that are told, each once, in their order."""
        return tuple(dict.fromkeys(piece.ref for piece in self.pieces if piece.ref))


@dataclass(frozen=True, slots=True)
class Listing:
    """Terms and what they are."""

    rows: tuple[tuple[str, str], ...]

    kind = "listing"


@dataclass(frozen=True, slots=True)
class Chart:
    """A figure; `wide` ones scroll on a phone instead of shrinking."""

    name: str
    svg: str
    caption: str
    title: str  # what it shows, and what it says in words, for those who do not see it
    description: str
    wide: bool = False

    kind = "chart"


@dataclass(frozen=True, slots=True)
class Folded:
    """Tables that are read only by whoever asks for them."""

    title: str
    tables: tuple[Table, ...]

    kind = "folded"


Block = Paragraph | Listing | Chart | Table | Folded


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: str
    blocks: tuple[Block, ...]

    @property
    def tables(self) -> Iterator[Table]:
        """Every table of the section, folded ones too."""
        for block in self.blocks:
            if isinstance(block, Table):
                yield block
            elif isinstance(block, Folded):
                yield from block.tables
