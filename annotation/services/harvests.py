"""From the names in a design to the harvests that its neurons and controls come from."""

from dataclasses import dataclass
from typing import Any

from annotation.design import POST_ACT, RANDOM_SNIPPETS, ArmDesign, PairDesign, StudyDesign
from annotation.services.errors import HarvestMissing
from neurons.models import HarvestRun
from neurons.selectors import harvest_finished, harvest_store
from neurons.store.basis import NEURONS
from neurons.store.harvest import HarvestError, HarvestStore


@dataclass(frozen=True, slots=True)
class Stratum:
    """One arm at one size, with its opened harvest.

    An arm of random snippets has no harvest of its own: it borrows activations from the pair's other arms, `lenders`.
    Its store, from which units are counted and drawn, is then that of the lender with the fewest units in a layer.
    """

    pair: PairDesign
    arm: ArmDesign
    run: HarvestRun
    store: HarvestStore
    lenders: tuple["Stratum", ...] = ()

    @property
    def name(self) -> str:
        return f"{self.pair.size}:{self.arm.name}"

    def lender(self, neuron: int) -> "Stratum":
        """Where a unit's activations are from: this arm, or each lender in turn."""
        return self.lenders[neuron % len(self.lenders)] if self.lenders else self

    def provenance(self) -> dict[str, Any]:
        """What a reader of the protocol needs to know which network and which harvest was shown."""
        told = {"size": self.pair.size, "arm": self.arm.name, "kind": self.arm.kind}
        if self.lenders:
            return told | self._corpus() | {"activations_of": [lender.arm.name for lender in self.lenders]}
        return told | {
            "network": self.run.network.name,
            "network_sha256": self.run.network.sha256,
            "activation": self.run.network.activation,
            **self._corpus(),
            "site": self.run.site,
            "basis": self.run.basis if self.run.follows_neurons else self.store.basis,
            "harvest_config": self.run.config,
            "tokens_seen": self.run.tokens_seen,
        }

    def _corpus(self) -> dict[str, Any]:
        return {
            "corpus": self.run.corpus.name,
            "corpus_fingerprint": self.run.corpus.fingerprint,
            "tokenizer_fingerprint": self.run.corpus.tokenizer_fingerprint,
        }


def strata_open(design: StudyDesign) -> list[Stratum]:
    """Every arm of every size, in the order of the design, over every corpus in turn."""
    return [stratum for corpus in design.corpora for pair in design.pairs for stratum in _pair_open(corpus, pair)]


def _pair_open(corpus: str, pair: PairDesign) -> list[Stratum]:
    own = {arm.name: _stratum(corpus, pair, arm) for arm in pair.arms if arm.kind != RANDOM_SNIPPETS}
    return [own[arm.name] if arm.name in own else _borrowing(pair, arm, tuple(own.values())) for arm in pair.arms]


def _borrowing(pair: PairDesign, arm: ArmDesign, lenders: tuple[Stratum, ...]) -> Stratum:
    smallest = min(lenders, key=lambda lender: lender.store.d_mlp)
    return Stratum(pair, arm, smallest.run, smallest.store, lenders)


def _stratum(corpus: str, pair: PairDesign, arm: ArmDesign) -> Stratum:
    run = harvest_finished(arm.network, corpus, arm.site, arm.basis)
    if run is None:
        raise HarvestMissing(
            f"The network {arm.network!r} (arm {arm.name} of {pair.size}) has no finished harvest over the corpus "
            f"{corpus!r}{_where(arm)}; harvest it first, or name another network or corpus."
        )
    try:
        store = harvest_store(run)
    except HarvestError as error:
        raise HarvestMissing(f"The harvest of {arm.network!r} cannot be read: {error}") from None
    beyond = [layer for layer in pair.layers if layer >= store.n_layers]
    if beyond:
        raise HarvestMissing(
            f"The network {arm.network!r} has layers 0 to {store.n_layers - 1}; the design asks for {beyond}."
        )
    return Stratum(pair, arm, run, store)


def _where(arm: ArmDesign) -> str:
    """What is special about the harvest that the arm needs, as harvest_run is told it."""
    words = [word for word, default in ((arm.site, POST_ACT), (arm.basis, NEURONS)) if word != default]
    return f" ({' '.join(words)})" if words else ""
