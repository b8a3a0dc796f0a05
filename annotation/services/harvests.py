"""From the names in a design to the harvests that its neurons come from."""

from dataclasses import dataclass
from typing import Any

from annotation.design import ArmDesign, PairDesign, StudyDesign
from annotation.services.errors import HarvestMissing
from neurons.models import HarvestRun
from neurons.selectors import harvest_finished, harvest_store
from neurons.store.harvest import HarvestError, HarvestStore


@dataclass(frozen=True, slots=True)
class Stratum:
    """One arm at one size, with its opened harvest."""

    pair: PairDesign
    arm: ArmDesign
    run: HarvestRun
    store: HarvestStore

    @property
    def name(self) -> str:
        return f"{self.pair.size}:{self.arm.name}"

    def provenance(self) -> dict[str, Any]:
        """What a reader of the protocol needs to know which network and which harvest was shown."""
        return {
            "size": self.pair.size,
            "arm": self.arm.name,
            "network": self.run.network.name,
            "network_sha256": self.run.network.sha256,
            "activation": self.run.network.activation,
            "corpus": self.run.corpus.name,
            "corpus_fingerprint": self.run.corpus.fingerprint,
            "tokenizer_fingerprint": self.run.corpus.tokenizer_fingerprint,
            "site": self.run.site,
            "harvest_config": self.run.config,
            "tokens_seen": self.run.tokens_seen,
        }


def strata_open(design: StudyDesign) -> list[Stratum]:
    """Every arm of every size, in the order of the design, over every corpus in turn."""
    return [_stratum(corpus, pair, arm) for corpus in design.corpora for pair in design.pairs for arm in pair.arms]


def _stratum(corpus: str, pair: PairDesign, arm: ArmDesign) -> Stratum:
    run = harvest_finished(arm.network, corpus)
    if run is None:
        raise HarvestMissing(
            f"The network {arm.network!r} (arm {arm.name} of {pair.size}) has no finished harvest over the corpus "
            f"{corpus!r}; harvest it first, or name another network or corpus."
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
