"""What a page about neurons reads: the networks that its visitor may see, one of their harvests, and its index."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext

from neurons.artifacts import ArtifactError
from neurons.models import HarvestRun, Network
from neurons.selectors import DEFAULT_SITE, harvest_store, harvests_finished_of, neuron_index
from neurons.store.corpus import CorpusError
from neurons.store.harvest import HarvestError, HarvestStore
from neurons.store.neuron_index import NeuronIndex, NeuronIndexError
from neurons.store.records.record import AS_RECORDED

UNREADABLE = (ArtifactError, CorpusError, HarvestError, NeuronIndexError, OSError)


def visible_networks(request: HttpRequest) -> QuerySet[Network]:
    """Networks that the visitor may read about. The site's gate decides it; where no gate stood there are none."""
    found = getattr(request, "visible_networks", None)
    return Network.objects.none() if found is None else cast("QuerySet[Network]", found)


@dataclass(frozen=True)
class Opened:
    """A network with one of its finished harvests.

    Attributes
    ----------
    runs : list of HarvestRun
        All finished ones; the first is shown unless another is asked for.
    store, index
        None where they cannot be read; `problem` and `index_problem` then say why.
    """

    network: Network
    runs: list[HarvestRun]
    run: HarvestRun | None
    store: HarvestStore | None
    problem: str
    index: NeuronIndex | None
    index_problem: str

    @property
    def units(self) -> int:
        """Units in a layer: neurons, or directions where the harvest follows those."""
        source = self.store or self.index
        return self.network.d_mlp if source is None else source.d_mlp

    @property
    def unit(self) -> str:
        """What one of them is: "neuron" or "direction"."""
        return "neuron" if self.run is None or self.run.follows_neurons else "direction"

    @property
    def unit_title(self) -> str:
        return gettext("Neuron") if self.unit == "neuron" else gettext("Direction")

    @property
    def units_title(self) -> str:
        return gettext("neurons") if self.unit == "neuron" else gettext("random directions")

    @cached_property
    def query(self) -> str:
        """What an address needs so that it leads to the same harvest."""
        return f"?harvest={self.run.pk}" if self.run is not None and self.run != self.runs[0] else ""

    @cached_property
    def address(self) -> str:
        """Of the network's page; the addresses below it are put together here, because a page has a hundred of them."""
        return reverse("neurons:network", args=[self.network.name])

    def layer_url(self, layer: int) -> str:
        return f"{self.address}{layer}/{self.query}"

    def neuron_url(self, layer: int, index: int) -> str:
        return f"{self.address}{layer}/{index}/{self.query}"

    def text_url(self, layer: int, index: int, document: int, position: int | None = None) -> str:
        """Of the whole text behind a snippet, at a token of it."""
        at = "" if position is None else f"{'&' if self.query else '?'}at={position}"
        return f"{self.address}{layer}/{index}/text/{document}/{self.query}{at}"

    def beside_url(self, layer: int, index: int, other: str, other_layer: int, other_index: int) -> str:
        """Of a neuron side by side with one of another network."""
        return f"{self.address}{layer}/{index}/beside/{other}/{other_layer}/{other_index}/{self.query}"

    def as_context(self) -> dict[str, Any]:
        """What every template about a network gets."""
        return {"opened": self, "network": self.network, "run": self.run, "problem": self.problem}


def number_in(text: str) -> int | None:
    """A whole number from an address; None if it is none, or longer than any that means something."""
    return int(text) if text.isdecimal() and len(text) < 12 else None


def open_network(request: HttpRequest, name: str) -> Opened:
    """The network of this name with the harvest that the address asks for, otherwise the one that is shown first.

    Raises Http404 if the visitor may not see the network, or it has no such harvest.
    """
    network = get_object_or_404(visible_networks(request).select_related("pair"), name=name)
    runs = harvests_finished_of(network)
    return open_harvest(network, runs, _asked(runs, request.GET.get("harvest")))


def open_neuron(request: HttpRequest, name: str, layer: int, index: int) -> Opened:
    """The same, for a neuron; Http404 if the network has no such neuron."""
    opened = open_network(request, name)
    return holding(opened, layer, index)


def holding(opened: Opened, layer: int, index: int) -> Opened:
    """The same; Http404 if it has no such neuron or direction."""
    if layer >= opened.network.n_layers or index >= opened.units:
        raise Http404
    return opened


def open_harvest(network: Network, runs: list[HarvestRun], run: HarvestRun | None) -> Opened:
    """A network with one of its finished harvests, or why it cannot be read."""
    if run is None:
        return Opened(network, runs, None, None, "This network has no finished harvest yet.", None, "")
    store, problem = None, ""
    try:
        store = harvest_store(run)
    except UNREADABLE as error:
        problem = f"The harvest's files cannot be read: {error}"
    return replace(open_index(run), runs=runs, store=store, problem=problem)


def open_index(run: HarvestRun, first: HarvestRun | None = None) -> Opened:
    """A finished harvest's network with the index alone, for a page that shows links to its neurons.

    `first` is the harvest of the network that is shown unless another is asked for.
    """
    index, problem = None, ""
    try:
        index = neuron_index(run)
    except UNREADABLE as error:
        problem = f"The index of its neurons cannot be read: {error}"
    if index is None and not problem:
        problem = (
            "The index of its neurons is not made yet, so tokens, weights, neighbours and the search are missing: "
            f"manage.py neurons_index {run.network.name} --corpus {run.corpus.name}{_told(run)}"
        )
    return Opened(run.network, [first or run], run, None, "", index, problem)


def _told(run: HarvestRun) -> str:
    """Site and basis as commands are told them, where they are not the usual ones."""
    site = "" if run.site in (DEFAULT_SITE, AS_RECORDED) else f" --site {run.site}"
    return site if run.follows_neurons else f"{site} --basis {run.basis}"


def _asked(runs: list[HarvestRun], wanted: str | None) -> HarvestRun | None:
    if wanted is None:
        return runs[0] if runs else None
    run = next((run for run in runs if str(run.pk) == wanted), None)
    if run is None:
        raise Http404
    return run
