"""Pages for admins and researchers: corpora, networks, harvests, and single neurons. They only read.

These pages are not blinded: they name networks. Raters cannot enter them (evalsite.access.DOORS).
"""

import math
import secrets
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from neurons.artifacts import ArtifactError
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, RunStatus
from neurons.selectors import harvest_store
from neurons.store.corpus import CorpusError
from neurons.store.harvest import HarvestError, HarvestStore
from neurons.store.pieces import Snippet

SHADES = 5  # bands of shading: shares of the neuron's own strongest activation
SNIPPETS_SHOWN = 20
TOKENS_BEFORE, TOKENS_AFTER = 32, 16  # at most; a harvest that stored less shows less
RUNS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class ShadedPiece:
    text: str
    band: int  # 0 not firing … SHADES at the neuron's strongest


@dataclass(frozen=True, slots=True)
class ShadedSnippet:
    pieces: tuple[ShadedPiece, ...]


@dataclass(frozen=True, slots=True)
class LayerRow:
    layer: int
    neurons: int
    dead: int
    random: int  # index of a neuron picked by chance


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    runs = HarvestRun.objects.select_related("network", "corpus").order_by("-id")[:RUNS_SHOWN]
    page = {
        "corpora": Corpus.objects.order_by("name"),
        "pairs": NetworkPair.objects.prefetch_related("networks").order_by("size", "name"),
        "runs": runs,
        "busy": any(run.status in (RunStatus.WAITING, RunStatus.RUNNING) for run in runs),
    }
    return render(request, "neurons/index.html", page)


@require_safe
def corpus(request: HttpRequest, name: str) -> HttpResponse:
    return render(request, "neurons/corpus.html", {"corpus": get_object_or_404(Corpus, name=name)})


@require_safe
def network(request: HttpRequest, name: str) -> HttpResponse:
    network = get_object_or_404(Network.objects.select_related("pair"), name=name)
    run = _harvest(network, request)
    store, problem = _store(run)
    goto = request.GET
    if store is not None and goto.get("layer", "").isdecimal() and goto.get("index", "").isdecimal():
        return redirect(_address(network, int(goto["layer"]), int(goto["index"]), run))
    page = {
        "network": network,
        "run": run,
        "problem": problem,
        "runs": _harvests(network),
        "layers": _layers(store) if store else [],
    }
    return render(request, "neurons/network.html", page)


@require_safe
def neuron(request: HttpRequest, name: str, layer: int, index: int) -> HttpResponse:
    network = get_object_or_404(Network.objects.select_related("pair"), name=name)
    if layer >= network.n_layers or index >= network.d_mlp:
        raise Http404
    run = _harvest(network, request)
    store, problem = _store(run)
    page = {
        "network": network,
        "run": run,
        "problem": problem,
        "layer": layer,
        "index": index,
        "links": _neighbours(network, layer, index, run),
        **(_neuron_facts(store, layer, index) if store else {}),
    }
    return render(request, "neurons/neuron.html", page)


def _harvests(network: Network) -> list[HarvestRun]:
    done = HarvestRun.objects.filter(network=network, status=RunStatus.DONE)
    return list(done.select_related("corpus", "network").order_by("-id"))


def _harvest(network: Network, request: HttpRequest) -> HarvestRun | None:
    """The finished harvest that the address asks for, otherwise the newest one."""
    runs = _harvests(network)
    wanted = request.GET.get("harvest")
    if wanted is None:
        return runs[0] if runs else None
    run = next((run for run in runs if str(run.pk) == wanted), None)
    if run is None:
        raise Http404
    return run


def _store(run: HarvestRun | None) -> tuple[HarvestStore | None, str]:
    """The opened harvest, or why it cannot be read."""
    if run is None:
        return None, "This network has no finished harvest yet."
    try:
        return harvest_store(run), ""
    except (ArtifactError, CorpusError, HarvestError, OSError) as error:
        return None, f"The harvest's files cannot be read: {error}"


def _layers(store: HarvestStore) -> list[LayerRow]:
    return [
        LayerRow(
            layer=layer,
            neurons=store.d_mlp,
            dead=int((store.maxima(layer) <= 0).sum()),
            random=secrets.randbelow(store.d_mlp),
        )
        for layer in range(store.n_layers)
    ]


def _neuron_facts(store: HarvestStore, layer: int, index: int) -> dict[str, object]:
    config = store.meta["config"]
    before, after = min(TOKENS_BEFORE, int(config["before"])), min(TOKENS_AFTER, int(config["after"]))
    values = store.top_values(layer, index)
    strongest = float(values[0]) if len(values) else 0.0
    snippets = store.top_snippets(layer, index, SNIPPETS_SHOWN, before, after)
    return {
        "dead": store.is_dead(layer, index),
        "density_percent": 100 * store.density(layer, index),
        "strongest": strongest,
        "kept": store.top_count(layer, index),
        "snippets": [_shaded(snippet, strongest) for snippet in snippets],
    }


def _shaded(snippet: Snippet, strongest: float) -> ShadedSnippet:
    return ShadedSnippet(tuple(ShadedPiece(text, _band(value, strongest)) for text, value in snippet.pieces))


def _band(value: float, strongest: float) -> int:
    share = max(0.0, value) / strongest if strongest > 0 else 0.0
    return min(SHADES, math.ceil(share * SHADES))


def _neighbours(network: Network, layer: int, index: int, run: HarvestRun | None) -> dict[str, str]:
    last = network.d_mlp - 1
    return {
        "previous": _address(network, layer, index - 1, run) if index > 0 else "",
        "next": _address(network, layer, index + 1, run) if index < last else "",
        "random": _address(network, layer, secrets.randbelow(network.d_mlp), run),
    }


def _address(network: Network, layer: int, index: int, run: HarvestRun | None) -> str:
    path = reverse("neurons:neuron", args=[network.name, layer, index])
    return f"{path}?harvest={run.pk}" if run else path
