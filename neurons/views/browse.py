"""Pages about corpora, networks and layers. They only read.

These pages are not blinded: they name networks. Who may enter, and which networks a visitor sees, is decided by the
site's gate (evalsite.access).
"""

import secrets
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from neurons.models import Corpus, HarvestRun, Network, RunStatus
from neurons.selectors import newest_harvests
from neurons.store.layer_summary import LayerSummary, Spread, summaries
from neurons.views.layer_table import ROWS, Table, layer_table
from neurons.views.opened import Opened, number_in, open_harvest, open_network, visible_networks
from neurons.views.plots import layer_spreads, sparkline, spread_histogram

RUNS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A small histogram and what its ends stand for."""

    svg: SafeString
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NetworkRow:
    """A network in the index of all, with its two small figures where its neurons are known."""

    network: Network
    live: int | None
    densities: Sparkline | None = None
    maxima: Sparkline | None = None


@dataclass(frozen=True, slots=True)
class PairRows:
    name: str
    size: str
    rows: tuple[NetworkRow, ...]


@dataclass(frozen=True, slots=True)
class LayerRow:
    layer: int
    summary: LayerSummary
    random: int  # index of a neuron picked by chance


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    networks = visible_networks(request)
    runs = HarvestRun.objects.filter(network__in=networks).select_related("network", "corpus").order_by("-id")
    page = {
        "corpora": Corpus.objects.order_by("name"),
        "pairs": _pairs(list(networks.select_related("pair").order_by("pair__size", "pair__name", "name"))),
        "runs": runs[:RUNS_SHOWN],
        "busy": runs.filter(status__in=(RunStatus.WAITING, RunStatus.RUNNING)).exists(),
    }
    return render(request, "neurons/index.html", page)


@require_safe
def corpus(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "neurons/corpus.html", {"corpus": get_object_or_404(Corpus, name=name)})


@require_safe
def network(request: HttpRequest, name: str) -> HttpResponse:
    opened = open_network(request, name)
    goto, neuron = (number_in(request.GET.get(name, "")) for name in ("layer", "index"))
    if goto is not None and neuron is not None:
        return redirect(opened.neuron_url(goto, neuron))
    summaries = _summaries(opened)
    page: dict[str, Any] = opened.as_context()
    if summaries:
        rows = [
            LayerRow(layer, summary, secrets.randbelow(summary.neurons)) for layer, summary in enumerate(summaries[1:])
        ]
        page |= {"whole": summaries[0], "layers": rows, **_layer_figures(summaries)}
    return render(request, "neurons/network.html", page)


@require_safe
def layer(request: HttpRequest, name: str, layer: int) -> HttpResponse:
    opened = open_network(request, name)
    if layer >= opened.network.n_layers:
        raise Http404
    page: dict[str, Any] = opened.as_context() | {"layer": layer, "rows_on_a_page": ROWS}
    if opened.store is not None:
        summary = _summaries(opened)[layer + 1]
        table: Table = layer_table(opened, layer, request.GET.get("sort", ""), request.GET.get("page", ""))
        page |= {"table": table, "summary": summary, **_figures(summary)}
    return render(request, "neurons/layer.html", page)


def _pairs(networks: list[Network]) -> list[PairRows]:
    newest = newest_harvests(networks)
    rows: dict[tuple[str, str], list[NetworkRow]] = {}
    for network in networks:
        run = newest.get(network.pk)
        opened = open_harvest(network, [run] if run else [], run)
        rows.setdefault((network.pair.size, network.pair.name), []).append(_network_row(opened))
    return [PairRows(name, size, tuple(found)) for (size, name), found in rows.items()]


def _network_row(opened: Opened) -> NetworkRow:
    if opened.index is None:
        return NetworkRow(opened.network, None)
    whole = opened.index.summaries[0]
    return NetworkRow(
        network=opened.network,
        live=whole.neurons - whole.dead,
        densities=_sparkline(whole.density, "Density of its neurons, in %", scale=100),
        maxima=_sparkline(whole.maximum, "Largest activation of its neurons", scale=1),
    )


def _sparkline(spread: Spread, title: str, *, scale: float) -> Sparkline:
    low, high = (scale * 10**edge for edge in (spread.edges[0], spread.edges[-1]))
    return Sparkline(sparkline(spread.counts, f"{title}: {low:.2g} to {high:.2g}"), low, high)


def _summaries(opened: Opened) -> list[LayerSummary]:
    """One over all layers, then one of each; from the harvest itself where there is no index yet."""
    if opened.index is not None:
        return opened.index.summaries
    if opened.store is None:
        return []
    layers = range(opened.store.n_layers)
    maxima = [opened.store.maxima(layer) for layer in layers]
    densities = [opened.store.densities(layer) for layer in layers]
    return summaries(maxima, densities)


def _layer_figures(summaries: list[LayerSummary]) -> dict[str, SafeString]:
    """Histograms of the one layer, or a row for each of several."""
    if len(summaries) == 2:
        return _figures(summaries[1])
    return {
        "density_figure": layer_spreads(summaries[1:], "density", "density (tokens above 0)", percent=True),
        "maximum_figure": layer_spreads(summaries[1:], "maximum", "largest activation", percent=False),
    }


def _figures(summary: LayerSummary) -> dict[str, SafeString]:
    density = spread_histogram(
        summary.density, "Density of the layer's neurons", "density (tokens above 0)", percent=True
    )
    maximum = spread_histogram(
        summary.maximum, "Largest activation of the layer's neurons", "largest activation", percent=False
    )
    return {"density_figure": density, "maximum_figure": maximum}
