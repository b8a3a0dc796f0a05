"""A small SVG writer: one colour (the text colour of the page), shapes instead of hues, fixed number formatting.

Only presentation attributes are used, no style: the figures then work under a strict content security policy.
"""

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

FONT = "system-ui, sans-serif"
SHAPES = ("circle", "square", "triangle", "diamond", "cross", "star")


class Drawing:
    """Collects shapes and returns the document."""

    def __init__(self, name: str, width: float, height: float, title: str, description: str) -> None:
        self.width, self.height = width, height
        self._head = _head(name, width, height, title, description)
        self._parts: list[str] = []

    def heading(self, words: str, note: str) -> None:
        """The figure's own title and who the raters are: both stay with the figure when it is cut out."""
        self.text(8, 16, words, bold=True)
        self.text(8, 34, note, quiet=True)

    def line(
        self, x1: float, y1: float, x2: float, y2: float, *, width: float = 1, faint: bool = False, dash: str = ""
    ) -> None:
        dashes = {"stroke_dasharray": dash} if dash else {}
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke_width=width, **_ink(faint), **dashes)

    def grid_lines(self, xs: Sequence[float], top: float, bottom: float) -> None:
        """Faint upright lines, drawn as one."""
        if xs:
            path = "".join(f"M{_n(x)} {_n(top)}V{_n(bottom)}" for x in xs)
            self._add("path", d=path, fill="none", **_ink(faint=True))

    def box(self, x: float, y: float, width: float, height: float, *, dash: str = "") -> None:
        dashes = {"stroke_dasharray": dash} if dash else {}
        self._add("rect", x=x, y=y, width=width, height=height, fill="none", **_ink(faint=False), **dashes)

    def arrow(self, x: float, y1: float, y2: float) -> None:
        """Straight down, with a head at the lower end."""
        self.line(x, y1, x, y2 - 5)
        self._add("path", d=f"M{_n(x - 4)} {_n(y2 - 6)}L{_n(x + 4)} {_n(y2 - 6)}L{_n(x)} {_n(y2)}z")

    def text(
        self, x: float, y: float, words: str, *, anchor: str = "start", size: float = 13, bold: bool = False,
        quiet: bool = False,
    ) -> None:  # fmt: skip
        attributes: dict[str, object] = {"x": x, "y": y, "font_size": size, "text_anchor": anchor}
        if bold:
            attributes["font_weight"] = "600"
        if quiet:
            attributes["opacity"] = "0.75"
        self._parts.append(f"<text{_attributes(attributes)}>{escape(words)}</text>")

    def marker(self, shape: int, x: float, y: float, radius: float, *, filled: bool, tip: str) -> None:
        """One of `SHAPES` by number; `tip` is read out and shown under the pointer."""
        kind = SHAPES[shape % len(SHAPES)]
        fill = "currentColor" if filled else "none"
        path = f'<path d="{_path(kind, x, y, radius)}" fill="{fill}" stroke="currentColor" stroke-width="1.5">'
        self._parts.append(f"{path}<title>{escape(tip)}</title></path>")

    def _add(self, tag: str, **attributes: object) -> None:
        self._parts.append(f"<{tag}{_attributes(attributes)}/>")

    def document(self) -> str:
        return "\n".join([self._head, *self._parts, "</svg>\n"])


def _head(name: str, width: float, height: float, title: str, description: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}" '
        f'height="{_n(height)}" role="img" aria-labelledby="{name}-title {name}-desc" fill="currentColor" '
        f'font-family="{FONT}">\n'
        f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(description)}</desc>'
    )


def _ink(faint: bool) -> dict[str, object]:
    ink: dict[str, object] = {"stroke": "currentColor"}
    if faint:
        ink["stroke_opacity"] = "0.2"
    return ink


def _n(value: float) -> str:
    """Two decimals at most, no trailing zeros, no minus zero: the same bytes everywhere."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _attributes(attributes: dict[str, object]) -> str:
    return "".join(
        f" {key.replace('_', '-')}={quoteattr(_n(value) if isinstance(value, int | float) else str(value))}"
        for key, value in attributes.items()
    )


def _path(kind: str, x: float, y: float, r: float) -> str:
    if kind == "circle":
        return f"M{_n(x - r)} {_n(y)}a{_n(r)} {_n(r)} 0 1 0 {_n(2 * r)} 0a{_n(r)} {_n(r)} 0 1 0 {_n(-2 * r)} 0z"
    return "M" + "L".join(f"{_n(x + r * dx)} {_n(y + r * dy)}" for dx, dy in OUTLINES[kind]) + "z"


OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "square": ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    "triangle": ((0, -1.15), (1.1, 0.85), (-1.1, 0.85)),
    "diamond": ((0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)),
    "cross": (
        (-0.35, -1), (0.35, -1), (0.35, -0.35), (1, -0.35), (1, 0.35), (0.35, 0.35),
        (0.35, 1), (-0.35, 1), (-0.35, 0.35), (-1, 0.35), (-1, -0.35), (-0.35, -0.35),
    ),
    "star": ((0, -1.25), (0.35, -0.35), (1.25, 0), (0.35, 0.35), (0, 1.25), (-0.35, 0.35), (-1.25, 0), (-0.35, -0.35)),
}  # fmt: skip


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def points(difference: float) -> str:
    """A difference of shares in percentage points, with a true minus sign."""
    return f"{100 * difference:+.0f}".replace("-", "−").replace("+0", "0").replace("−0", "0")


def decimals(value: float) -> str:
    """Two decimals with a true minus sign."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−")


def shortened(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"


def sentence(parts: Iterable[str]) -> str:
    return "; ".join(parts) + "."
