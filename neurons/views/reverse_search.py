"""From two groups of texts and the activations of all neurons on them to a ranking that says what chance would give."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neurons.inference import Maxima
from neurons.store.separation import auc, chance, held_out, margins, midranks, newcombe_interval, order
from neurons.views.opened import Opened

FEWEST, MOST_TEXTS, MOST_CHARACTERS, MOST_TOKENS = 2, 200, 100_000, 20_000
RESULTS = 25
DEALS = 200
HALVINGS, FEWEST_HALVINGS = 20, 3
CELLS = 20_000_000  # activations that are ranked for all halvings together, about
SEED = 2006  # of the deals and halvings: the same texts always give the same answer
EMPTY_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")


class TextsRefused(ValueError):
    """The texts cannot be compared as they are."""


@dataclass(frozen=True)
class Groups:
    """Examples and counter-examples, each once."""

    examples: tuple[str, ...]
    counters: tuple[str, ...]
    repeated: int = 0  # texts that came more than once

    @property
    def texts(self) -> list[str]:
        return [*self.examples, *self.counters]

    @property
    def are_examples(self) -> np.ndarray:
        return np.arange(len(self.texts)) < len(self.examples)


def split_texts(written: str, how: str) -> list[str]:
    """Texts from a box: one per line, or separated by empty lines.

    Examples
    --------
    >>> split_texts("one\\n\\n two", "lines")
    ['one', ' two']
    >>> split_texts("one\\nmore\\n\\ntwo\\n", "blocks")
    ['one\\nmore', 'two']
    """
    parts = written.split("\n") if how == "lines" else EMPTY_LINES.split(written)
    return [part.strip("\n") for part in parts if part.strip()]


def group_texts(examples: Sequence[str], counters: Sequence[str]) -> Groups:
    """Both groups without repetitions.

    Raises
    ------
    TextsRefused
        If there are too few or too many texts, or one stands in both groups.
    """
    once = tuple(dict.fromkeys(examples)), tuple(dict.fromkeys(counters))
    for group, name in zip(once, ("examples", "counter-examples"), strict=True):
        if len(group) < FEWEST:
            raise TextsRefused(f"There are {len(group)} different {name}; give at least {FEWEST}, better ten.")
    total = len(once[0]) + len(once[1])
    if total > MOST_TEXTS:
        raise TextsRefused(f"These are {total} texts; at most {MOST_TEXTS} are compared.")
    if both := set(once[0]) & set(once[1]):
        raise TextsRefused(f"“{min(both)[:60]}” stands among the examples and among the counter-examples.")
    return Groups(*once, repeated=len(examples) + len(counters) - total)


@dataclass(frozen=True, slots=True)
class FoundNeuron:
    """One neuron in the ranking."""

    network: str
    layer: int
    index: int
    url: str
    text_url: str
    auc: float
    low: float
    high: float
    margin: float  # in per cent of the neuron's own harvested maximum
    examples: float  # mean over the examples of the largest activation
    counters: float
    by_chance: float  # neurons expected to reach this AUC when the texts are dealt anew


@dataclass(frozen=True)
class Found:
    """The ranking and how far it can be trusted.

    Attributes
    ----------
    best : int
        Neurons that have the best AUC.
    best_by_chance : float
        Neurons that reach it on average when the texts are dealt anew.
    some_percent, as_many_percent : float
        Deals in which some neuron reaches it, and in which at least `best` do.
    halves : (float, float) or None
        AUC of the neuron that half of the texts puts first, on these and on the other half.
    """

    rows: tuple[FoundNeuron, ...]
    neurons: int
    left_out: int
    best: int
    best_by_chance: float
    some_percent: float
    as_many_percent: float
    deals: int
    exact: bool
    halves: tuple[float, float] | None
    halvings: int

    @property
    def best_auc(self) -> float:
        return self.rows[0].auc


def rank_neurons(opened: Sequence[Opened], maxima: Sequence[Maxima], groups: Groups) -> Found:
    """Rank the neurons of one network or of several, all read on the same texts.

    Below 0 a neuron does not fire, however far below: such activations count as 0. Neurons with an activation that is
    not finite are left out.
    """
    values = np.concatenate([network.values for network in maxima], axis=1)
    own = np.concatenate([_harvested_maxima(network) for network in opened])
    places = [
        (network, layer, index)
        for network in opened
        for layer in range(network.network.n_layers)
        for index in range(network.network.d_mlp)
    ]
    usable = np.flatnonzero(np.isfinite(values).all(axis=0))
    fired, examples = np.maximum(values[:, usable], 0), groups.are_examples
    ranks = midranks(fired)
    shares = auc(ranks, examples)
    margin = 100 * margins(fired, examples) / np.maximum(own[usable], np.maximum(fired.max(axis=0), 1e-9))
    best = order(shares, margin)[:RESULTS]
    random = np.random.default_rng(SEED)
    luck = chance(ranks, examples, shares[best], most=DEALS, generator=random)
    halvings = max(FEWEST_HALVINGS, min(HALVINGS, CELLS // max(1, fired.size)))
    rows = []
    for place, neuron in enumerate(best):
        network, layer, index = places[usable[neuron]]
        low, high = newcombe_interval(float(shares[neuron]), len(groups.examples), len(groups.counters))
        rows.append(
            FoundNeuron(
                network=network.network.name,
                layer=layer,
                index=index,
                url=network.neuron_url(layer, index),
                text_url=f"{network.address}{layer}/{index}/text/{network.query}",
                auc=float(shares[neuron]),
                low=low,
                high=high,
                margin=float(margin[neuron]),
                examples=float(fired[examples, neuron].mean()),
                counters=float(fired[~examples, neuron].mean()),
                by_chance=float(luck.reached[place]),
            )
        )
    return Found(
        rows=tuple(rows),
        neurons=len(usable),
        left_out=values.shape[1] - len(usable),
        best=int((shares == shares[best[0]]).sum()),
        best_by_chance=float(luck.reached[0]),
        some_percent=100 * float(luck.some[0]),
        as_many_percent=100 * float(luck.as_many[0]),
        deals=luck.deals,
        exact=luck.exact,
        halves=held_out(fired, examples, splits=halvings, generator=random),
        halvings=halvings,
    )


def _harvested_maxima(opened: Opened) -> np.ndarray:
    store = opened.store
    if store is None:
        return np.zeros(opened.network.n_layers * opened.network.d_mlp)
    return np.concatenate([store.maxima(layer) for layer in range(store.n_layers)])
