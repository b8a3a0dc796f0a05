"""Works out a neuron index from a harvest, the network's weights and the harvests of paired networks.

The format is in neurons.store.neuron_index. Parts are made one after the other, each in a folder that gets its name
when it is complete; an index that was interrupted goes on with the first part that is missing. A part of an older index
that was made from the same things is taken over.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurons.lab.checkpoint import write_atomically
from neurons.lab.correlation import FEWEST_TOKENS, SampledNeurons, has_sample, nearest, shared_places
from neurons.lab.logit_effect import centred, cosines, logit_effects
from neurons.lab.snippet_texts import ranked_texts
from neurons.lab.source import WeightSource
from neurons.lab.token_tables import by_token, commonest, kept_places, mean_by_token, peak_counts, tokens_at
from neurons.lab.vocabulary import vocabulary_of
from neurons.store.harvest import META as HARVEST_META
from neurons.store.harvest import HarvestStore, layer_folder
from neurons.store.layer_summary import summaries
from neurons.store.neuron_index import FORMAT, META, PART, NeuronIndex
from neurons.store.snippet_search import SnippetSearchWriter
from neurons.store.vocabulary import write_vocabulary

Progress = Callable[[str, int, int], None]  # part, blocks done, blocks in all
Weights = Callable[[], WeightSource | None]


@dataclass(frozen=True)
class IndexConfig:
    """What is worked out; a change makes the parts anew."""

    listed: int = 10  # tokens and neighbours of each neuron
    correlation_tokens: int = 16_384  # sampled tokens behind each r: its standard error is below 0.008
    fewest_occurrences: int = 5  # in the sample, of a token whose mean activation is listed
    searched_snippets: int = 8  # of each neuron, the strongest
    searched_before: int = 12  # tokens of text before the peak that can be searched
    searched_after: int = 6


@dataclass(frozen=True)
class Part:
    """One part of an index: what it is made from, and how it is made in a folder."""

    name: str
    inputs: dict[str, Any]
    write: Callable[[Path, Callable[[int, int], None]], None]


class NeuronIndexWriter:
    """Everything that the parts are made from.

    Parameters
    ----------
    store : HarvestStore
    weights : callable or None
        Opens the network; called only if its weights are needed. None: a network without weights.
    weights_sha256 : str
    twins : mapping of str to (HarvestStore, dict)
        Harvests of paired networks on the same corpus by a short key, and what is noted about each network.
    device : str
        Where products are taken.
    """

    def __init__(
        self,
        store: HarvestStore,
        weights: Weights | None,
        weights_sha256: str,
        twins: Mapping[str, tuple[HarvestStore, dict[str, Any]]],
        config: IndexConfig | None = None,
        *,
        device: str = "cpu",
    ) -> None:
        self.store, self.weights, self.weights_sha256, self.twins = store, weights, weights_sha256, twins
        self.config, self.device = config or IndexConfig(), device
        self.neurons = store.n_layers * store.d_mlp
        self.missing: dict[str, str] = {}
        self.made_from = {"format": FORMAT, "harvest": _harvest_sha256(store), "config": asdict(self.config)}
        self.parts = [*self._harvest_parts(), *self._sample_parts(), *self._weight_parts()]

    @property
    def digest(self) -> str:
        """Twelve letters that change with anything the index is made from."""
        inputs = [[part.name, part.inputs] for part in self.parts]
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]

    # -- what there is to do ------------------------------------------------------------------------------------------
    def _harvest_parts(self) -> list[Part]:
        return [
            Part("layers", self.made_from, self._write_layers),
            Part("vocabulary", self.made_from | {"weights": self.weights_sha256}, self._write_vocabulary),
            Part("tokens", self.made_from, self._write_tokens),
            Part("snippets", self.made_from, self._write_snippets),
        ]

    def _sample_parts(self) -> list[Part]:
        if not has_sample(self.store):
            self.missing["neighbours"] = "the harvest holds no sample of tokens"
            return []
        parts = [Part("neighbours", self.made_from, self._write_neighbours)]
        for key, (store, facts) in self.twins.items():
            if not has_sample(store):
                self.missing[f"twin-{key}"] = f"the harvest of {facts['network']} holds no sample of tokens"
                continue
            inputs = self.made_from | facts | {"twin": _harvest_sha256(store), "d_mlp": store.d_mlp}
            parts.append(Part(f"twin-{key}", inputs, self._twin_writer(store)))
        return parts

    def _weight_parts(self) -> list[Part]:
        if self.weights is None:
            of_directions = "directions are no neurons and have no weights of their own"
            of_records = "there are no weights, only records of activations"
            self.missing["weights"] = of_directions if self.store.basis else of_records
            return []
        inputs = {"format": FORMAT, "weights": self.weights_sha256, "listed": self.config.listed}
        return [Part("weights", inputs, self._write_weights)]

    # -- the parts ----------------------------------------------------------------------------------------------------
    def _write_layers(self, folder: Path, step: Callable[[int, int], None]) -> None:
        layers = range(self.store.n_layers)
        maxima = [np.asarray(self.store.maxima(layer), dtype=np.float32) for layer in layers]
        densities = [np.asarray(self.store.densities(layer), dtype=np.float64) for layer in layers]
        np.save(folder / "maxima.npy", np.stack(maxima))
        np.save(folder / "densities.npy", np.stack(densities))
        found = [summary.as_dict() for summary in summaries(maxima, densities)]
        (folder / "summaries.json").write_text(json.dumps(found))

    def _write_vocabulary(self, folder: Path, step: Callable[[int, int], None]) -> None:
        places = [np.stack(kept_places(self.store, layer)[1:], axis=1) for layer in range(self.store.n_layers)]
        if has_sample(self.store):
            places.append(np.stack(self._sample_tokens(), axis=1))
        size = max(self.store.corpus.vocab_size, self._unembedding_size())
        write_vocabulary(folder, vocabulary_of(self.store.corpus, size, np.concatenate(places)))

    def _unembedding_size(self) -> int:
        source = self.weights() if self.weights is not None else None
        return 0 if source is None else source.unembedding().shape[1]

    def _sample_tokens(self) -> tuple[np.ndarray, np.ndarray]:
        """Documents and positions of the sampled tokens, int64."""
        documents, positions = (
            np.load(self.store.folder / f"sample_{name}.npy").astype(np.int64) for name in ("documents", "positions")
        )
        return documents, positions

    def _write_tokens(self, folder: Path, step: Callable[[int, int], None]) -> None:
        self._write_peaks(folder)
        self._write_means(folder)

    def _write_peaks(self, folder: Path) -> None:
        peaks = peak_counts(self.store)
        tokens, counts = commonest(peaks, self.neurons, self.config.listed)
        _save(folder, peak_tokens=tokens, peak_counts=counts)
        starts, neurons, by = by_token(peaks, self.store.corpus.vocab_size)
        _save(folder, starts=starts, neurons=neurons, counts=by)

    def _write_means(self, folder: Path) -> None:
        vocabulary, k = self.store.corpus.vocab_size, self.config.listed
        if not has_sample(self.store):
            tokens, values = np.full((self.neurons, k), -1, dtype=np.int32), np.zeros((self.neurons, k), np.float32)
            _save(folder, mean_tokens=tokens, mean_values=values, occurrences=np.zeros(vocabulary, dtype=np.int64))
            return
        (places,) = shared_places([self.store], most=np.iinfo(np.int64).max)
        ids = tokens_at(self.store.corpus, *(column[places] for column in self._sample_tokens()))
        tokens, values = mean_by_token(
            SampledNeurons(self.store, places), ids, k=k, fewest=self.config.fewest_occurrences
        )
        _save(folder, mean_tokens=tokens, mean_values=values, occurrences=np.bincount(ids, minlength=vocabulary))

    def _write_snippets(self, folder: Path, step: Callable[[int, int], None]) -> None:
        kept = np.load(self.store.folder / layer_folder(0) / "documents.npy", mmap_mode="r").shape[1]
        ranks = min(self.config.searched_snippets, kept)
        # No further than activations are kept: what is found can be shown.
        kept_around = self.store.meta["config"]
        window = {
            "before": min(self.config.searched_before, int(kept_around["before"])),
            "after": min(self.config.searched_after, int(kept_around["after"])),
        }
        writer = SnippetSearchWriter(folder / "search.sqlite", self.neurons)
        for rank in range(ranks):
            writer.add(rank, ranked_texts(self.store, rank, **window))
            step(rank + 1, ranks)
        writer.finish()

    def _write_neighbours(self, folder: Path, step: Callable[[int, int], None]) -> None:
        (places,) = shared_places([self.store], self.config.correlation_tokens)
        own = SampledNeurons(self.store, places)
        found = nearest(own, own, self.config.listed, device=self.device, step=step)
        _save(folder, neurons=found.neurons, r=found.r)

    def _twin_writer(self, twin: HarvestStore) -> Callable[[Path, Callable[[int, int], None]], None]:
        def write(folder: Path, step: Callable[[int, int], None]) -> None:
            places, other = shared_places([self.store, twin], self.config.correlation_tokens)
            if len(places) < FEWEST_TOKENS:
                raise PartMissing(f"the two harvests share {len(places)} sampled tokens; {FEWEST_TOKENS} are needed")
            first, second = SampledNeurons(self.store, places), SampledNeurons(twin, other)
            found = nearest(first, second, self.config.listed, device=self.device, step=step)
            _save(folder, neurons=found.neurons, r=found.r, same=found.same)

        return write

    def _write_weights(self, folder: Path, step: Callable[[int, int], None]) -> None:
        source = self.weights() if self.weights is not None else None
        if source is None:
            raise PartMissing("this network's loader gives no weights")
        unembedding = centred(source.unembedding().to(self.device))
        found = []
        for layer in range(self.store.n_layers):
            weights = source.neuron_weights(layer)
            found.append((cosines(weights), *logit_effects(weights, unembedding, self.config.listed)))
            step(layer + 1, self.store.n_layers)
        cosine, tokens, values = (np.concatenate(column) for column in zip(*found, strict=True))
        _save(folder, cosines=cosine, effect_tokens=tokens, effect_values=values)


class PartMissing(Exception):
    """A part cannot be made from what there is; the message says why."""


def write_index(
    writer: NeuronIndexWriter,
    folder: Path,
    *,
    facts: dict[str, Any],
    older: Path | None = None,
    progress: Progress | None = None,
) -> NeuronIndex:
    """Make an index, or go on with it, in `<folder>.unfinished`, and give it its name.

    Parameters
    ----------
    facts : dict
        JSON-serialisable provenance for meta.json.
    older : Path, optional
        An index of the same harvest whose parts may be taken over.
    """
    if (folder / META).is_file():
        return NeuronIndex.open(folder)
    work = folder.with_name(folder.name + ".unfinished")
    work.mkdir(parents=True, exist_ok=True)
    missing = dict(writer.missing)
    for part in writer.parts:
        try:
            _make_part(part, work, older, progress)
        except PartMissing as reason:
            missing[part.name] = str(reason)
    done = {part.name: part.inputs for part in writer.parts if part.name not in missing}
    meta = {
        **facts, "format": FORMAT, "n_layers": writer.store.n_layers, "d_mlp": writer.store.d_mlp, "parts": done,
        "missing": missing,
    }  # fmt: skip
    text = json.dumps(meta, indent=1, sort_keys=True) + "\n"
    write_atomically(work / META, lambda path: path.write_text(text))
    work.rename(folder)
    return NeuronIndex.open(folder)


def _make_part(part: Part, work: Path, older: Path | None, progress: Progress | None) -> None:
    target = work / part.name
    if _made_from(target) == part.inputs:
        return
    shutil.rmtree(target, ignore_errors=True)
    if older is not None and _made_from(older / part.name) == part.inputs:
        shutil.copytree(older / part.name, target, copy_function=_link)
        return
    making = work / f"{part.name}.making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    part.write(making, lambda done, total: progress(part.name, done, total) if progress else None)
    for path in making.iterdir():
        _sync(path)
    text = json.dumps(part.inputs, sort_keys=True) + "\n"
    write_atomically(making / PART, lambda path: path.write_text(text))
    making.rename(target)


def _made_from(folder: Path) -> dict[str, Any] | None:
    path = folder / PART
    return dict(json.loads(path.read_text())) if path.is_file() else None


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def _sync(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _save(folder: Path, **arrays: np.ndarray) -> None:
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def _harvest_sha256(store: HarvestStore) -> str:
    return hashlib.sha256((store.folder / HARVEST_META).read_bytes()).hexdigest()
