"""The harvest: one pass of a network over a corpus, without logits, that keeps what each neuron liked best.

For every neuron of every layer, in the same pass: the top documents by their strongest token, exactly, with the
activations around it as they were when it was seen; and its activations at a hash-chosen sample of all tokens.

What makes it cheap: per context only the maximum over positions is taken of everything (one read of the activations);
all else happens for the rare contexts whose maximum reaches the neuron's threshold, about k (1 + ln(N / k)) of N
documents. What makes it exact: a total order and stale thresholds that only let too many through (neurons.lab.topk).

Equal to the bit: with the same configuration a harvest gives the same bytes however often it was interrupted and taken
up again, and however often the buffer was merged. `batch_tokens` and `block_documents` are part of the configuration
because they decide the shapes of the matrix products, and floating-point sums may round differently in other shapes;
for a network whose arithmetic is exact every choice gives the same bytes, which the tests check.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Int
from torch import Tensor

from neurons.lab.harvest_files import HarvestState, finish_harvest
from neurons.lab.harvest_plan import Batch, Sampling, batches_of, choose_documents
from neurons.lab.near_duplicates import window_keys
from neurons.lab.tokenizer import BOS_ID
from neurons.lab.topk import Candidates
from neurons.store.corpus import CorpusStore
from neurons.store.harvest import META, HarvestError, HarvestStore, corpus_identity

FIRST_BLOCK_DOCUMENTS = 64
HALF_LARGEST, HALF_SMALLEST = 65504.0, 2.0**-24  # float16


class NotFinite(ValueError):
    """A network gave NaN or an infinity."""


class HarvestStopped(Exception):
    """The harvest was asked to stop; its state is on disk and the same call takes it up again."""


@runtime_checkable
class NeuronSource(Protocol):
    """What the harvest asks of a network (neurons.lab.transformer.Transformer has it)."""

    @property
    def config(self) -> Any: ...
    def neuron_activations(self, tokens: Tensor, *, site: Any = ...) -> Iterator[tuple[int, Tensor]]: ...


@dataclass(frozen=True)
class HarvestConfig:
    """What is kept; everything here can change the bytes of the result."""

    site: str = "post_act"  # where activations are read: before any extra LayerNorm, as in the SoLU paper
    split: str = "harvest"
    max_tokens: int | None = None  # tokens to read (whole documents, chosen by hash); None: the whole split
    top: int = 32  # snippets kept for each neuron
    reserve: int = 64  # candidates from which they are chosen once near-duplicates are passed over
    before: int = 64  # tokens of stored activations before the peak
    after: int = 32  # and after it
    equal_before: int = 8  # candidates with equal tokens from here …
    equal_after: int = 4  # … to here around their peaks are one
    alike_before: int = 24  # near-duplicates are compared on tokens from here …
    alike_after: int = 8  # … to here
    likeness: float = 0.5  # Jaccard index of three-token shingles from which on two snippets are near-duplicates
    sample_one_in: int = 64  # one token in so many is sampled
    batch_tokens: int = 4096  # tokens in one forward pass; small enough for the activations to stay in a CPU's cache
    block_documents: int = 256  # documents, at most, whose contexts are sorted by length together

    def __post_init__(self) -> None:
        if not 1 <= self.top <= self.reserve:
            raise HarvestError(f"`top` is {self.top} and `reserve` {self.reserve}; they need 1 ≤ top ≤ reserve.")
        for name in ("sample_one_in", "batch_tokens", "block_documents"):
            if getattr(self, name) < 1:
                raise HarvestError(f"`{name}` is {getattr(self, name)}; give at least 1.")
        if min(self.before, self.after, self.equal_before, self.equal_after, self.alike_before, self.alike_after) < 0:
            raise HarvestError("a window cannot have a negative length; give 0 or more tokens on each side.")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


Progress = Callable[[int, int], None]  # (tokens read, tokens in all)


def harvest(
    network: NeuronSource,
    corpus: CorpusStore,
    folder: Path,
    config: HarvestConfig,
    *,
    facts: dict[str, Any],
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    checkpoint_seconds: float = 20.0,
) -> HarvestStore:
    """Harvest a network on a corpus into a folder; a harvest that was interrupted there is taken up again.

    Parameters
    ----------
    network : NeuronSource
        Anything with `config` (n_layers, d_mlp, context) and `neuron_activations`.
    folder : Path
        Takes its name when everything is on disk; until then work is done in a neighbour folder.
    facts : dict
        Provenance that goes into meta.json, the network's name and sha256 among it.
    progress : callable, optional
        Called with tokens read and tokens in all after each block of documents.
    stop : callable, optional
        Asked after each block; True saves the state and raises HarvestStopped.
    checkpoint_seconds : float
        Time between saved states; has no influence on the result.

    Raises
    ------
    NotFinite
        If an activation is NaN or infinite; the message names document, position, layer and neuron.
    HarvestError
        If the folder holds a harvest of another configuration, network or corpus, or there is no token to read.
    """
    run = _Run(network, corpus, folder, config, facts)
    if (folder / META).is_file():
        return run.open_finished()
    run.open_state()
    saved = time.monotonic()
    for block in run.blocks():
        run.read(block)
        if progress is not None:
            progress(run.state.tokens_read, run.tokens)
        if stop():
            run.state.save()
            raise HarvestStopped(
                f"stopped after {run.state.tokens_read:,} of {run.tokens:,} tokens; start it again to go on."
            )
        if time.monotonic() - saved > checkpoint_seconds:
            run.state.save()
            saved = time.monotonic()
    return run.finish()


class _Run:
    """One harvest under way."""

    def __init__(
        self, network: NeuronSource, corpus: CorpusStore, folder: Path, config: HarvestConfig, facts: dict[str, Any]
    ) -> None:
        self.network, self.corpus, self.folder, self.config = network, corpus, folder, config
        shape = network.config
        self.context = int(shape.context)
        self.documents = choose_documents(corpus, config.split, config.max_tokens)
        self.tokens = sum(len(corpus.document_tokens(int(document))) for document in self.documents)
        if not self.tokens:
            raise HarvestError(f"the {config.split} split of this corpus has no tokens; import a larger corpus.")
        self.sampling = Sampling.choose(corpus, self.documents, config.sample_one_in)
        self.meta = facts | corpus_identity(corpus) | {
            "config": config.as_dict(),
            "site": config.site,
            "n_layers": int(shape.n_layers),
            "d_mlp": int(shape.d_mlp),
            "context": self.context,
            "documents": len(self.documents),
            "excluded": "BOS (position 0 of every context) and padding",
        }  # fmt: skip
        self.device = next((p.device for p in getattr(network, "parameters", list)()), torch.device("cpu"))

    def open_finished(self) -> HarvestStore:
        """The finished harvest, if it is the one asked for."""
        store = HarvestStore.open(self.folder, self.corpus)
        if changed := sorted(key for key in self.meta if store.meta.get(key) != self.meta[key]):
            raise HarvestError(
                f"{self.folder} holds a harvest with another {' and '.join(changed)}; harvest into another folder."
            )
        return store

    def open_state(self) -> None:
        config = self.config
        self.state = HarvestState.open(
            self.folder.with_name(self.folder.name + ".unfinished"),
            self.meta,
            reserve=config.reserve,
            window=config.before + 1 + config.after,
            sampled=len(self.sampling),
        )

    def blocks(self) -> Iterator[Int[np.ndarray, "documents"]]:
        """Stretches of documents that have not been read yet: short ones first, so that thresholds rise early."""
        while (first := self.state.documents_read) < len(self.documents):
            size = min(self.config.block_documents, max(FIRST_BLOCK_DOCUMENTS, first))
            yield self.documents[first : first + size]

    def read(self, documents: Int[np.ndarray, "documents"]) -> None:
        """Read whole documents and bring what they held into the state."""
        config = self.config
        for batch in batches_of(
            self.corpus, documents, context=self.context, batch_tokens=config.batch_tokens, bos=BOS_ID
        ):
            self._read_batch(batch)
            self.state.tokens_read += batch.read
        self.state.documents_read += len(documents)
        for layer in self.state.layers:
            if layer.waiting >= 2 * layer.neurons:
                layer.merge()

    def _read_batch(self, batch: Batch) -> None:
        tokens = torch.from_numpy(batch.tokens).to(self.device)
        sampled = self._sampled_places(batch)
        for layer, activations in self.network.neuron_activations(tokens, site=self.config.site):
            with torch.inference_mode():
                self._read_layer(layer, batch, activations, *sampled)

    def _read_layer(
        self,
        layer: int,
        batch: Batch,
        activations: Float[Tensor, "rows width neurons"],
        sample_rows: Int[np.ndarray, "s"],
        places: Int[np.ndarray, "s two"],
    ) -> None:
        self.state.samples[layer][sample_rows] = to_half(activations[places[:, 0], places[:, 1]].cpu().numpy())
        strongest = strongest_of_rows(activations, batch.lengths)
        if not bool((strongest < torch.inf).all()):
            raise NotFinite(describe_not_finite(layer, batch, activations))
        topk = self.state.layers[layer]
        threshold = torch.from_numpy(topk.thresholds).to(strongest.device)
        hits = ((strongest >= threshold) & (strongest > 0)).nonzero()
        if len(hits):
            topk.add(self._capture(batch, activations, hits))

    def _capture(
        self, batch: Batch, activations: Float[Tensor, "rows width neurons"], hits: Int[Tensor, "n two"]
    ) -> Candidates:
        """Candidates with the activations around their peaks, as they are now."""
        config = self.config
        tracks = activations[hits[:, 0], :, hits[:, 1]].cpu().numpy()
        rows, neurons = np.ascontiguousarray(hits.cpu().numpy().T)
        each, ends = np.arange(len(rows)), batch.lengths[rows, None]
        tracks[:, 0] = -np.inf
        tracks[np.arange(tracks.shape[1]) > ends] = -np.inf
        columns = tracks.argmax(axis=1)  # NumPy's argmax is the first of equal ones
        shown = columns[:, None] + np.arange(-config.before, config.after + 1)
        windows = tracks[each[:, None], shown.clip(0, tracks.shape[1] - 1)]
        # Before the context's first token, and from the end of its text on, nothing was read.
        windows[(shown <= 0) | (shown > ends)] = 0
        return Candidates(
            neurons=neurons,
            values=tracks[each, columns],
            documents=batch.documents[rows],
            positions=batch.firsts[rows] + columns - 1,
            keys=window_keys(
                batch.tokens,
                rows,
                columns,
                neurons,
                before=config.equal_before,
                after=config.equal_after,
            ),
            windows=windows,
        )

    def _sampled_places(self, batch: Batch) -> tuple[Int[np.ndarray, "s"], Int[np.ndarray, "s two"]]:
        """Rows of the sample that this batch fills, and (row, column) of their tokens in the batch."""
        sample_rows: list[np.ndarray] = []
        places: list[np.ndarray] = []
        for row, (document, first, length) in enumerate(zip(batch.documents, batch.firsts, batch.lengths, strict=True)):
            found = self.sampling.rows_of(int(document), int(first), int(first + length))
            columns = self.sampling.positions[found] - first + 1
            sample_rows.append(np.arange(found.start, found.stop))
            places.append(np.stack([np.full(len(columns), row), columns], axis=1))
        return np.concatenate(sample_rows), np.concatenate(places)

    def finish(self) -> HarvestStore:
        for layer in self.state.layers:
            layer.merge()
        finish_harvest(self.folder, self.state, self.meta, self.corpus, self.sampling)
        return HarvestStore.open(self.folder, self.corpus)


def strongest_of_rows(
    activations: Float[Tensor, "rows width neurons"], lengths: Int[np.ndarray, "rows"]
) -> Float[Tensor, "rows neurons"]:
    """Maximum over the tokens of each row, without the beginning of a sequence and without padding.

    The activations are left as they are: the network may still need them for its next layer.
    """
    full = int(lengths.min()) + 1  # up to here no row is padded
    strongest = activations[:, 1:full].amax(dim=1)
    if full == activations.shape[1]:
        return strongest
    beyond = torch.from_numpy(np.arange(full, activations.shape[1]) > lengths[:, None]).to(activations.device)
    return torch.maximum(strongest, activations[:, full:].masked_fill(beyond[:, :, None], -torch.inf).amax(dim=1))


def to_half(values: Float32[np.ndarray, "s neurons"]) -> Float16[np.ndarray, "s neurons"]:
    """Round to float16 so that the sign stays: nothing above 0 becomes 0, nothing finite becomes infinite.

    Examples
    --------
    >>> to_half(np.array([[1e-30, -1e-30, 1e30]], dtype=np.float32)).tolist()
    [[5.960464477539063e-08, -0.0, 65504.0]]
    """
    half = values.clip(-HALF_LARGEST, HALF_LARGEST).astype(np.float16)
    half[(half == 0) & (values > 0)] = HALF_SMALLEST
    return half


def describe_not_finite(layer: int, batch: Batch, activations: Float[Tensor, "rows width neurons"]) -> str:
    """Say where the first NaN or infinity stands, by document and position."""
    bad = ~torch.isfinite(activations)
    inside = np.arange(activations.shape[1]) <= batch.lengths[:, None]
    bad &= torch.from_numpy(inside).to(bad.device)[:, :, None]
    bad[:, 0] = False
    places = bad.nonzero().cpu().numpy()
    documents, positions = batch.documents[places[:, 0]], batch.firsts[places[:, 0]] + places[:, 1] - 1
    first = np.lexsort((places[:, 2], positions, documents))[0]
    row, column, neuron = places[first]
    return (
        f"layer {layer}, neuron {neuron} is {float(activations[row, column, neuron])} at document {documents[first]}, "
        f"token {positions[first]} ({len(places)} such values in this batch); the weights are damaged or the network "
        "overflows, and such values cannot be ranked."
    )
