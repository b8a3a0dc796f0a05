"""The table of a layer's neurons: sorted by any column, a page at a time."""

from dataclasses import dataclass

import numpy as np
from django.utils.safestring import SafeString

from neurons.store.neuron_index import NeuronIndex
from neurons.views.opened import Opened, number_in
from neurons.views.shading import tokens_html

ROWS = 50  # neurons on a page
TOKENS = 4  # of the commonest ones at the peaks
COLUMNS = {
    "index": "Neuron",
    "strongest": "Strongest activation",
    "density": "Density",
    "cosine": "cos(w_in, w_out)",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading: where a click leads, and how the table is sorted by it now ("ascending", "descending" or "")."""

    name: str
    title: str
    url: str
    sorted: str


@dataclass(frozen=True, slots=True)
class Row:
    index: int
    url: str
    strongest: float
    density_percent: float | None
    cosine: float | None
    tokens: SafeString | str

    @property
    def dead(self) -> bool:
        return self.strongest <= 0


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    page: int
    pages: int
    neurons: int
    previous: str  # address; empty on the first page
    next: str
    sort: str


def layer_table(opened: Opened, layer: int, sort: str, page: str) -> Table:
    """One page of the table; an unknown order or page falls back to the first.

    Parameters
    ----------
    sort : str
        A key of COLUMNS, with "-" in front for descending.
    page : str
        Number from 1.
    """
    values = _values(opened, layer)
    sort = sort if sort.removeprefix("-") in values else "index"
    order = _order(values[sort.removeprefix("-")], descending=sort.startswith("-"))
    pages = max(1, -(-len(order) // ROWS))
    number = min(max(1, number_in(page) or 1), pages)
    shown = order[(number - 1) * ROWS : number * ROWS]
    return Table(
        columns=tuple(_column(opened, layer, name, sort) for name in values),
        rows=tuple(_row(opened, layer, int(index), values) for index in shown),
        page=number,
        pages=pages,
        neurons=len(order),
        previous=_url(opened, layer, sort, number - 1) if number > 1 else "",
        next=_url(opened, layer, sort, number + 1) if number < pages else "",
        sort=sort,
    )


def _values(opened: Opened, layer: int) -> dict[str, np.ndarray]:
    source = opened.index or opened.store
    if source is None:
        return {}
    values = {
        "index": np.arange(source.d_mlp),
        "strongest": source.maxima(layer),
        "density": source.densities(layer),
    }
    if isinstance(source, NeuronIndex) and (cosines := source.cosines(layer)) is not None:
        values["cosine"] = cosines
    return values


def _order(values: np.ndarray, *, descending: bool) -> np.ndarray:
    """Neurons by a column; equal ones by number, unknown ones last."""
    return np.argsort(-values if descending else values, kind="stable")


def _column(opened: Opened, layer: int, name: str, sort: str) -> Column:
    # The first click on a number shows the largest first, on the neuron's own number the smallest.
    turned = name if sort == f"-{name}" or (name == "index" and sort != "index") else f"-{name}"
    state = {name: "ascending", f"-{name}": "descending"}.get(sort, "")
    return Column(name, COLUMNS[name], _url(opened, layer, turned, 1), state)


def _url(opened: Opened, layer: int, sort: str, page: int) -> str:
    address = opened.layer_url(layer)
    return f"{address}{'&' if '?' in address else '?'}sort={sort}&page={page}"


def _row(opened: Opened, layer: int, index: int, values: dict[str, np.ndarray]) -> Row:
    density = float(values["density"][index])
    return Row(
        index=index,
        url=opened.neuron_url(layer, index),
        strongest=float(values["strongest"][index]),
        density_percent=100 * density if density == density else None,
        cosine=float(values["cosine"][index]) if "cosine" in values else None,
        tokens=_tokens(opened.index, layer, index),
    )


def _tokens(index: NeuronIndex | None, layer: int, neuron: int) -> SafeString | str:
    return "" if index is None else tokens_html(index.vocabulary, index.peak_tokens(layer, neuron, TOKENS))
