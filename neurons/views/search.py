"""Finding neurons by the words of their strongest snippets, or by the token at their peaks."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from neurons.selectors import newest_harvests
from neurons.store.neuron_index import NeuronIndex
from neurons.store.snippet_search import Found
from neurons.views.opened import Opened, open_harvest, visible_networks
from neurons.views.shading import ShadedSnippet, shaded

MOST_IN_ONE, MOST_IN_EACH = 30, 8  # neurons shown of a search in one network, and of each of several
MOST_NETWORKS = 12
MOST_TOKENS = 6  # tokens that read like the one asked for
BEFORE, AFTER = 12, 6  # tokens shown around the peak: those that are searched
LONGEST_QUERY = 100


@dataclass(frozen=True, slots=True)
class FoundRow:
    layer: int
    index: int
    url: str
    at_peak: int
    snippets: int
    snippet: ShadedSnippet | None


@dataclass(frozen=True, slots=True)
class TokenNeurons:
    """A token and the neurons at whose peaks it stands most often: (address, name, snippets)."""

    text: str
    in_all: int
    neurons: tuple[tuple[str, str, int], ...]


@dataclass(frozen=True, slots=True)
class NetworkFinds:
    network: str
    problem: str
    rows: tuple[FoundRow, ...] = ()
    tokens: tuple[TokenNeurons, ...] = ()
    complete: bool = True


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    networks = visible_networks(request)
    words, by = request.GET.get("q", "")[:LONGEST_QUERY], request.GET.get("by", "text")
    chosen = request.GET.get("network", "")
    newest = newest_harvests(list(networks.filter(name=chosen) if chosen else networks))
    runs = sorted(newest.values(), key=lambda run: run.network.name)
    page: dict[str, Any] = {
        "q": words,
        "by": "token" if by == "token" else "text",
        "chosen": chosen,
        "networks": list(networks.order_by("name").values_list("name", flat=True)),
        "finds": [],
        "left_out": max(0, len(runs) - MOST_NETWORKS),
    }
    if words.strip() or (words and by == "token"):
        most = MOST_IN_ONE if len(runs) == 1 else MOST_IN_EACH
        find = _by_token if by == "token" else _by_text
        opened = [open_harvest(run.network, [run], run) for run in runs[:MOST_NETWORKS]]
        page["finds"] = [find(one, one.index, words, most) if one.index else _nothing(one) for one in opened]
    return render(request, "neurons/search.html", page)


def _nothing(opened: Opened) -> NetworkFinds:
    return NetworkFinds(opened.network.name, opened.index_problem)


def _by_text(opened: Opened, index: NeuronIndex, words: str, most: int) -> NetworkFinds:
    finding = index.search(words, most)
    rows = tuple(_found_row(opened, found) for found in finding.found)
    return NetworkFinds(opened.network.name, "", rows, complete=finding.complete)


def _found_row(opened: Opened, found: Found) -> FoundRow:
    layer, index = divmod(found.neuron, opened.units)
    return FoundRow(
        layer=layer,
        index=index,
        url=opened.neuron_url(layer, index),
        at_peak=found.at_peak,
        snippets=found.snippets,
        snippet=_snippet(opened, layer, index, found.rank),
    )


def _snippet(opened: Opened, layer: int, index: int, rank: int) -> ShadedSnippet | None:
    store = opened.store
    if store is None:
        return None
    before, after = (int(store.meta["config"][side]) for side in ("before", "after"))
    found = store.top_snippets(layer, index, rank + 1, min(BEFORE, before), min(AFTER, after))
    return shaded(found[-1], float(store.top_values(layer, index)[0]))


def _by_token(opened: Opened, index: NeuronIndex, words: str, most: int) -> NetworkFinds:
    tokens = tuple(_token_neurons(opened, index, token, most) for token in index.vocabulary.alike(words)[:MOST_TOKENS])
    return NetworkFinds(opened.network.name, "", tokens=tuple(token for token in tokens if token.in_all))


def _token_neurons(opened: Opened, index: NeuronIndex, token: int, most: int) -> TokenNeurons:
    found, in_all = index.neurons_of_token(token, most)
    neurons = tuple((opened.neuron_url(layer, number), f"{layer}.{number}", count) for layer, number, count in found)
    return TokenNeurons(index.vocabulary.token_text(token), in_all, neurons)
