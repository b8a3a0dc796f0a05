"""The page of one neuron, the whole text behind one of its snippets, and two neurons side by side."""

import secrets
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from neurons.models import HarvestRun
from neurons.selectors import harvests_finished, harvests_finished_of, newest_harvests
from neurons.store.harvest import HarvestStore
from neurons.store.known_activations import known_activations, known_text
from neurons.store.neuron_index import NeuronIndex, Related, TokenNumber
from neurons.views.opened import Opened, holding, number_in, open_harvest, open_index, open_neuron, visible_networks
from neurons.views.plots import activation_histogram
from neurons.views.ranges import RankedSample, rank_ranges
from neurons.views.shading import ShadedSnippet, shaded, tokens_html

# Tokens before and after the peak, and snippets, at most; a harvest that stored less shows less.
CONTEXTS = {"short": (8, 4, 20), "medium": (20, 10, 20), "long": (64, 32, 10)}
BESIDE_SNIPPETS, BESIDE_CONTEXT = 8, (12, 6)
LONGEST_TEXT = 6000  # tokens of a whole text on one page
LABEL_TOKENS = 3  # tokens that give an idea of a neighbour


@dataclass(frozen=True, slots=True)
class TokenRow:
    html: SafeString
    number: str
    occurrences: int


@dataclass(frozen=True, slots=True)
class RelatedRow:
    layer: int
    index: int
    r: float
    url: str
    beside: str  # address of both neurons side by side
    tokens: SafeString | str


@dataclass(frozen=True, slots=True)
class TwinRows:
    """A paired network: its neuron of the same number, and those that go most with this one."""

    network: str
    same: RelatedRow | None
    nearest: tuple[RelatedRow, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """One of two neurons side by side."""

    opened: Opened
    layer: int
    index: int
    facts: dict[str, Any]
    snippets: tuple[ShadedSnippet, ...]
    tokens: SafeString | str

    @property
    def url(self) -> str:
        return self.opened.neuron_url(self.layer, self.index)


@require_safe
def neuron(request: HttpRequest, name: str, layer: int, index: int) -> HttpResponse:
    opened = open_neuron(request, name, layer, index)
    page: dict[str, Any] = opened.as_context() | {"layer": layer, "index": index}
    page["links"] = _walk(opened, layer, index)
    if opened.store is not None:
        page |= _facts(opened.store, layer, index)
        page |= _snippets(opened, layer, index, request.GET.get("context", "medium"))
        page |= _sampled(opened, layer, index, request.GET.get("draw", "0"))
    if opened.index is not None:
        page |= _looked_up(opened, opened.index, layer, index, visible_networks(request))
    return render(request, "neurons/neuron.html", page)


@require_safe
def document(request: HttpRequest, name: str, layer: int, index: int, document: int) -> HttpResponse:
    """A whole text, shaded where this neuron's activations are known; only texts of which some are known."""
    opened = open_neuron(request, name, layer, index)
    store = opened.store
    if store is None or document >= store.corpus.documents:
        raise Http404
    values = known_activations(store, layer, index, document)
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        raise Http404
    peak = _asked_peak(request.GET.get("at", ""), values)
    first = max(0, min(peak - LONGEST_TEXT // 2, len(values) - LONGEST_TEXT))
    end = min(len(values), first + LONGEST_TEXT)
    snippet = known_text(store, document, values, first, end, peak)
    page = opened.as_context() | _facts(store, layer, index)
    page |= {"layer": layer, "index": index, "document": document, "tokens": len(values), "known": len(known)}
    page |= {"first": first, "end": end, "peak": peak, "value": float(values[peak])}
    page["text"] = shaded(snippet, page["strongest"], anchor="peak")
    return render(request, "neurons/document.html", page)


@require_safe
def twin(
    request: HttpRequest, name: str, layer: int, index: int, other: str, other_layer: int, other_index: int
) -> HttpResponse:
    """Two neurons side by side, of one network or of two; the visitor has to be allowed both."""
    one = open_neuron(request, name, layer, index)
    pair = one, open_neuron_beside(request, other, other_layer, other_index, one.run)
    if pair[1].store is None or pair[0].store is None:
        raise Http404
    page = pair[0].as_context() | {"layer": layer, "index": index}
    page["sides"] = [_beside(pair[0], layer, index), _beside(pair[1], other_layer, other_index)]
    page["r"] = _r_between(pair[0], layer, index, pair[1], other_layer, other_index)
    return render(request, "neurons/twin.html", page)


def open_neuron_beside(request: HttpRequest, name: str, layer: int, index: int, beside: HarvestRun | None) -> Opened:
    """The second neuron: in the harvest made like that of the first, to which ?harvest= belongs."""
    network = get_object_or_404(visible_networks(request).select_related("pair"), name=name)
    runs = harvests_finished_of(network)
    return holding(open_harvest(network, runs, _alike(runs, beside)), layer, index)


def _alike(runs: list[HarvestRun], beside: HarvestRun | None) -> HarvestRun | None:
    """The harvest that was made like another network's, otherwise the one that is shown first."""
    if beside is not None:
        asked = (beside.corpus_id, beside.site, beside.basis)
        runs = [run for run in runs if (run.corpus_id, run.site, run.basis) == asked] or runs
    return runs[0] if runs else None


# -- what the harvest knows ------------------------------------------------------------------------------------------
def _facts(store: HarvestStore, layer: int, index: int) -> dict[str, Any]:
    values = store.top_values(layer, index)
    density = store.density(layer, index)
    return {
        "dead": store.is_dead(layer, index),
        "known": store.is_known(layer, index),
        "strongest": float(values[0]) if len(values) else 0.0,
        "kept": store.top_count(layer, index),
        "density_percent": 100 * density if density == density else None,
        "not_finite": store.meta.get("not_finite", 0),
    }


def _snippets(opened: Opened, layer: int, index: int, context: str) -> dict[str, Any]:
    context = context if context in CONTEXTS else "medium"
    before, after, count = CONTEXTS[context]
    found = _shaded_top(opened, layer, index, count, (before, after))
    return {"snippets": found, "context": context, "contexts": list(CONTEXTS)}


def _shaded_top(
    opened: Opened, layer: int, index: int, count: int, context: tuple[int, int]
) -> tuple[ShadedSnippet, ...]:
    store = opened.store
    if store is None:
        return ()
    stored = store.meta["config"]
    before, after = min(context[0], int(stored["before"])), min(context[1], int(stored["after"]))
    snippets = store.top_snippets(layer, index, count, before, after)
    strongest = max((snippet.pieces[snippet.peak][1] for snippet in snippets), default=0.0)
    return tuple(shaded(snippet, strongest, opened.text_url(layer, index, snippet.doc)) for snippet in snippets)


def _sampled(opened: Opened, layer: int, index: int, draw: str) -> dict[str, Any]:
    """Histogram, density with its error, and snippets of each rank range; nothing where no tokens were sampled."""
    store = opened.store
    if store is None or not store.meta.get("sampled"):
        return {"sampled": 0}
    sample = store.sample(layer, index)
    if not len(sample.values):
        return {"sampled": 0}
    density, error = sample.density()
    ranked = RankedSample(sample)
    number = number_in(draw) or 0
    top = store.top_values(layer, index)
    return {
        "sampled": len(sample.values),
        "density_percent": 100 * density,
        "density_error": 100 * error,
        "histogram": activation_histogram(sample.values, ranked.marks()),
        "ranges": rank_ranges(
            store,
            ranked,
            [layer, index, number],
            float(top[0]) if len(top) else 0.0,
            partial(opened.text_url, layer, index),
        ),
        "draw": number,
    }


# -- what the index knows --------------------------------------------------------------------------------------------
def _looked_up(opened: Opened, found: NeuronIndex, layer: int, index: int, networks: Any) -> dict[str, Any]:
    page: dict[str, Any] = {
        "missing": found.missing,
        "peak_tokens": _token_rows(found, found.peak_tokens(layer, index)),
        "mean_tokens": _token_rows(found, found.mean_tokens(layer, index)),
        "twins": _twins(opened, found, layer, index, networks),
    }
    if found.has("weights"):
        raised, lowered = found.effect(layer, index)
        page |= {"raised": _token_rows(found, raised), "lowered": _token_rows(found, lowered)}
        page["cosine"] = found.cosine(layer, index)
    if found.has("neighbours"):
        related = found.neighbours(layer, index)
        page["neighbours"] = [_related_row(opened, layer, index, opened, one) for one in related]
    return page


def _token_rows(found: NeuronIndex, tokens: list[TokenNumber]) -> list[TokenRow]:
    return [TokenRow(tokens_html(found.vocabulary, [one]), f"{one.number:.3g}", one.occurrences) for one in tokens]


def _twins(opened: Opened, found: NeuronIndex, layer: int, index: int, networks: Any) -> list[TwinRows]:
    """The paired networks that the visitor may see."""
    parts = {int(facts["harvest_run"]): part for part, facts in found.twins.items()}
    runs = sorted(harvests_finished().filter(pk__in=parts, network__in=networks), key=_network_name)
    first = newest_harvests([run.network for run in runs])
    others = [(run, open_index(run, first[run.network_id])) for run in runs]
    return [_twin_rows(opened, found, parts[run.pk], other, layer, index) for run, other in others]


def _network_name(run: HarvestRun) -> str:
    return run.network.name


def _twin_rows(opened: Opened, found: NeuronIndex, part: str, other: Opened, layer: int, index: int) -> TwinRows:
    r = found.same_index(part, layer, index)
    nearest = [_related_row(opened, layer, index, other, one) for one in found.nearest_twins(part, layer, index)]
    same = None if r is None else _related_row(opened, layer, index, other, Related(layer, index, r))
    return TwinRows(other.network.name, same, tuple(nearest))


def _related_row(opened: Opened, layer: int, index: int, other: Opened, related: Related) -> RelatedRow:
    return RelatedRow(
        layer=related.layer,
        index=related.index,
        r=related.r,
        url=other.neuron_url(related.layer, related.index),
        beside=opened.beside_url(layer, index, other.network.name, related.layer, related.index),
        tokens=_label(other.index, related.layer, related.index),
    )


def _label(found: NeuronIndex | None, layer: int, index: int, most: int = LABEL_TOKENS) -> SafeString | str:
    return "" if found is None else tokens_html(found.vocabulary, found.peak_tokens(layer, index, most))


# -- side by side, and walking ---------------------------------------------------------------------------------------
def _beside(opened: Opened, layer: int, index: int) -> Beside:
    if opened.store is None:
        raise Http404
    tokens = _label(opened.index, layer, index, most=5)
    snippets = _shaded_top(opened, layer, index, BESIDE_SNIPPETS, BESIDE_CONTEXT)
    return Beside(opened, layer, index, _facts(opened.store, layer, index), snippets, tokens)


def _r_between(
    first: Opened, layer: int, index: int, second: Opened, other_layer: int, other_index: int
) -> float | None:
    """Their correlation, where the index lists it."""
    found = first.index
    if found is None or second.run is None:
        return None
    listed = found.neighbours(layer, index) if second.run == first.run and found.has("neighbours") else []
    part = next((part for part, facts in found.twins.items() if facts["harvest_run"] == second.run.pk), None)
    if part is not None:
        if (layer, index) == (other_layer, other_index):
            return found.same_index(part, layer, index)
        listed = found.nearest_twins(part, layer, index)
    return next((one.r for one in listed if (one.layer, one.index) == (other_layer, other_index)), None)


def _asked_peak(at: str, values: np.ndarray) -> int:
    """The token to go to: the one asked for, or the strongest of those that are known."""
    asked = number_in(at)
    if asked is not None and asked < len(values) and not np.isnan(values[asked]):
        return asked
    return int(np.nanargmax(values))


def _walk(opened: Opened, layer: int, index: int) -> dict[str, str]:
    last = opened.units - 1
    chance = secrets.randbelow(opened.network.n_layers), secrets.randbelow(opened.units)
    return {
        "previous": opened.neuron_url(layer, index - 1) if index > 0 else "",
        "next": opened.neuron_url(layer, index + 1) if index < last else "",
        "random": opened.neuron_url(*chance),
    }
