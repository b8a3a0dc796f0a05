"""Training the arms of a pair: same initial weights, same rows in the same order, same hyperparameters.

A run that is killed and started again ends with the same bits as one that was never killed (on a CPU, with the same
number of threads): the order of the rows follows from the seed and the step alone, and a checkpoint holds weights,
optimiser and step.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from neurons.lab.checkpoint import CheckpointError, load_network, network_facts, save_network, write_atomically
from neurons.lab.config import TrainingConfig, TransformerConfig
from neurons.lab.tokenizer import BOS_ID
from neurons.lab.transformer import Transformer
from neurons.store.corpus import CorpusError, CorpusStore

STATE = "training_state.pt"
# Rows whose logits are held at once: a block of (rows · context · vocabulary) numbers that stays in the cache.
LOSS_CHUNK_ROWS = 4


@dataclass(frozen=True)
class Progress:
    """One line of a running training."""

    step: int
    steps: int
    train_loss: float  # nats per token, mean since the last line
    validation_loss: float | None  # nats per token, None between validations
    tokens_per_second: float
    seconds_left: float


Report = Callable[[Progress], None]


def pack_rows(corpus: CorpusStore, split: str, context: int) -> Int[np.ndarray, "rows context"]:
    """Join the documents of a split, each behind a beginning-of-sequence token, and cut rows of `context` tokens.

    Returns
    -------
    ndarray, int, (rows, context)
        The targets of each row; its inputs are the beginning of a sequence and all targets but the last. What is left
        over at the end, less than a row, is dropped.

    Raises
    ------
    CorpusError
        If the split is shorter than one row.
    """
    documents = corpus.splits[split]
    pieces = [piece for document in documents for piece in ([BOS_ID], corpus.document_tokens(int(document)))]
    stream = np.concatenate(pieces) if pieces else np.zeros(0, dtype=np.int64)
    rows = len(stream) // context
    if not rows:
        raise CorpusError(
            f"the {split} split of the corpus has {len(stream)} tokens, less than one row of {context}; "
            "import a larger corpus."
        )
    return stream[: rows * context].reshape(rows, context).astype(np.int32)


def inputs_of(targets: Int[Tensor, "rows context"]) -> Int[Tensor, "rows context"]:
    """What the network reads to predict these targets: shifted by one, the beginning of a sequence in front."""
    return F.pad(targets[:, :-1], (1, 0), value=BOS_ID)


class RowOrder:
    """Which rows make up a batch: a new permutation for every pass over the rows, from the seed and the pass alone."""

    def __init__(self, rows: int, batch_rows: int, seed: int) -> None:
        self.rows, self.batch_rows, self.seed = rows, batch_rows, seed
        self._pass = -1
        self._permutation = np.zeros(0, dtype=np.int64)

    def _row(self, place: int) -> int:
        number, within = divmod(place, self.rows)
        if number != self._pass:
            self._pass, self._permutation = number, np.random.default_rng([self.seed, number]).permutation(self.rows)
        return int(self._permutation[within])

    def batch(self, step: int) -> list[int]:
        """Rows of a step, counted from 0."""
        first = step * self.batch_rows
        return [self._row(place) for place in range(first, first + self.batch_rows)]


def learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    """Linear warm-up, then a cosine down to `final_share` of the peak.

    Examples
    --------
    >>> config = TrainingConfig(tokens=1, warmup_steps=10)
    >>> learning_rate(4, 100, config) == config.learning_rate / 2
    True
    """
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    share = (step - config.warmup_steps) / max(1, steps - config.warmup_steps)
    cosine = (1 + math.cos(math.pi * min(1.0, share))) / 2
    return config.learning_rate * (config.final_share + (1 - config.final_share) * cosine)


def make_optimiser(network: Transformer, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW with weight decay on the matrices of attention, MLP and unembedding only."""
    decayed: list[Tensor] = []
    plain: list[Tensor] = []
    for name, parameter in network.named_parameters():
        is_matrix = parameter.dim() == 2 and not name.startswith(("embed.", "positions."))
        (decayed if is_matrix else plain).append(parameter)
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(config.beta1, config.beta2), fused=True)


def row_losses(
    network: Transformer, targets: Int[Tensor, "rows context"], *, autocast: bool
) -> Iterator[Float[Tensor, ""]]:
    """Summed cross-entropy in nats, a few rows at a time so that the logits fit the cache."""
    device = targets.device.type
    with torch.autocast(device, dtype=torch.bfloat16, enabled=autocast):
        hidden = network.hidden(inputs_of(targets))
        for rows, answers in zip(hidden.split(LOSS_CHUNK_ROWS), targets.split(LOSS_CHUNK_ROWS), strict=True):
            logits = network.unembed(rows)
            yield F.cross_entropy(logits.float().flatten(0, 1), answers.flatten(), reduction="sum")


@torch.no_grad()
def validation_loss(network: Transformer, rows: Int[np.ndarray, "rows context"], *, autocast: bool) -> float:
    """Mean cross-entropy over all positions, nats per token."""
    device = network.embed.weight.device
    total = 0.0
    for start in range(0, len(rows), 32):
        targets = torch.from_numpy(rows[start : start + 32]).long().to(device)
        total += sum(float(loss) for loss in row_losses(network, targets, autocast=autocast))
    return total / rows.size


class ArmTraining:
    """One arm's training: holds the state, does steps, saves and resumes.

    Parameters
    ----------
    folder : Path
        Where the training state and, at the end, the network go. A state found there is taken up; a state of another
        configuration is refused.
    device : str
        "cpu" or "cuda".
    """

    def __init__(
        self,
        folder: Path,
        config: TransformerConfig,
        training: TrainingConfig,
        corpus: CorpusStore,
        *,
        device: str = "cpu",
    ) -> None:
        self.folder, self.config, self.training, self.corpus = folder, config, training, corpus
        self.device = torch.device(device)
        self.rows = pack_rows(corpus, "train", config.context)
        self.validation_rows = pack_rows(corpus, "validation", config.context)
        self.order = RowOrder(len(self.rows), training.batch_rows, training.seed)
        self.steps = training.steps(config.context)
        self.step = 0
        self.curve: list[dict[str, float]] = []  # step, train loss, validation loss
        self.network = Transformer(config, seed=training.seed).to(self.device)
        self.optimiser = make_optimiser(self.network, training)
        self._resume()

    # -- state ---------------------------------------------------------------------------------------------------------
    def _identity(self) -> dict[str, Any]:
        """What a state must have been made with, to be taken up."""
        return {
            "config": self.config.as_dict(),
            "training": self.training.as_dict(),
            "corpus": self.corpus.fingerprint,
            "tokenizer": self.corpus.meta["tokenizer_fingerprint"],
        }

    def _resume(self) -> None:
        path = self.folder / STATE
        if not path.is_file():
            return
        state = torch.load(path, weights_only=True, map_location=self.device)
        if state["identity"] != self._identity():
            changed = [key for key, value in self._identity().items() if state["identity"].get(key) != value]
            raise CheckpointError(
                f"{path} was made with another {' and '.join(changed)}; train in another folder or delete it."
            )
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.curve = state["step"], state["curve"]

    def save_state(self) -> None:
        """Write weights, optimiser and step; the old state stays until the new one is on disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "identity": self._identity(),
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "curve": self.curve,
        }
        write_atomically(self.folder / STATE, lambda path: torch.save(state, path))

    # -- training ------------------------------------------------------------------------------------------------------
    def train_step(self) -> float:
        """One optimiser step; returns the mean loss of its rows, nats per token."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.step, self.steps, self.training)
        targets = torch.from_numpy(self.rows[self.order.batch(self.step)]).long().to(self.device)
        loss = torch.stack(list(row_losses(self.network, targets, autocast=True))).sum() / targets.numel()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.training.clip_norm)
        self.optimiser.step()
        self.step += 1
        return float(loss.detach())

    def run(self, report: Report | None = None, *, until: int | None = None) -> None:
        """Train to the end, or to step `until`; validates, saves and reports on the way."""
        last = self.steps if until is None else min(until, self.steps)
        losses: list[float] = []
        started, first = time.monotonic(), self.step
        while self.step < last:
            losses.append(self.train_step())
            at_end = self.step == self.steps
            validated = None
            if self.step % self.training.validate_every == 0 or at_end:
                validated = self._validate()
                self.curve.append({"step": self.step, "train": float(np.mean(losses)), "validation": validated})
            if report is not None and (validated is not None or self.step % 10 == 0):
                report(self._progress(losses, validated, first, time.monotonic() - started))
            if validated is not None:
                losses = []
            if self.step % self.training.checkpoint_every == 0 or self.step == last:
                self.save_state()

    def _validate(self) -> float:
        # Spread over the split: neighbouring rows come from one kind of text and would flatter or blame the network.
        every = max(1, len(self.validation_rows) // self.training.validation_rows)
        return validation_loss(self.network, self.validation_rows[::every], autocast=True)

    def _progress(self, losses: list[float], validated: float | None, first: int, seconds: float) -> Progress:
        done = self.step - first
        per_step = seconds / max(1, done)
        return Progress(
            step=self.step,
            steps=self.steps,
            train_loss=float(np.mean(losses[-20:])),
            validation_loss=validated,
            tokens_per_second=self.training.batch_rows * self.config.context / max(per_step, 1e-9),
            seconds_left=per_step * (self.steps - self.step),
        )

    def finish(self) -> dict[str, Any]:
        """Write the network folder: float16 weights and what they were made from, with the full validation loss.

        The loss is that of the float16 weights as read back, in float32, over the whole validation split.
        """
        if self.step < self.steps:
            raise CheckpointError(f"training stands at step {self.step} of {self.steps}; run it to the end first.")
        facts = {
            "seed": self.training.seed,
            "training": self.training.as_dict(),
            "corpus_fingerprint": self.corpus.fingerprint,
            "tokenizer_fingerprint": self.corpus.meta["tokenizer_fingerprint"],
            "tokens_trained": self.steps * self.training.batch_rows * self.config.context,
            "loss_curve": self.curve,
            "validation_loss": None,
        }
        save_network(self.folder, self.network, facts)
        shipped = load_network(self.folder)
        loss = validation_loss(shipped, self.validation_rows, autocast=False)
        save_network(self.folder, self.network, facts | {"validation_loss": loss})
        return network_facts(self.folder)


def pair_configs(shape: TransformerConfig, activations: tuple[str, ...]) -> dict[str, TransformerConfig]:
    """Configurations of the arms of one size: alike but for the activation."""
    return {name: replace(shape, activation=name) for name in activations}
