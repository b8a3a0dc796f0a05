"""Numbers that define a network and a training run; each has a unit and a source."""

from dataclasses import asdict, dataclass, fields
from typing import Any

ACTIVATIONS = ("gelu", "solu_ln", "solu", "gelu_ln")


class ConfigError(ValueError):
    """A configuration cannot describe a network or a run."""


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of a GPT-2-style, pre-LayerNorm decoder with learned positions and untied embeddings."""

    n_layers: int
    d_model: int
    n_heads: int
    d_mlp: int
    context: int  # tokens in one forward pass, the beginning-of-sequence token included
    vocab_size: int
    activation: str  # one of ACTIVATIONS
    layernorm_eps: float = 1e-5  # of every LayerNorm, the MLP's extra one included (TransformerLens tables)
    init_std: float = 0.02  # standard deviation of initial weights (GPT-2)
    init_std_positions: float = 0.01  # of the position embedding (GPT-2)

    def __post_init__(self) -> None:
        if self.activation not in ACTIVATIONS:
            raise ConfigError(f"`activation` is {self.activation!r}; choose one of {', '.join(ACTIVATIONS)}.")
        for name in ("n_layers", "d_model", "n_heads", "d_mlp", "context", "vocab_size"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ConfigError(f"`{name}` is {value!r}; give a whole number of at least 1.")
        if self.d_model % self.n_heads:
            raise ConfigError(
                f"`d_model` {self.d_model} is no multiple of `n_heads` {self.n_heads}; heads share it equally."
            )

    @property
    def has_extra_layernorm(self) -> bool:
        """Whether a LayerNorm stands between the activation and W_out."""
        return self.activation.endswith("_ln")

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "TransformerConfig":
        """Build from JSON; an unknown or a missing key is named."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigError(f"unknown configuration keys: {', '.join(unknown)}; known: {', '.join(sorted(known))}.")
        try:
            return cls(**values)
        except TypeError as error:
            raise ConfigError(f"configuration is incomplete: {error}.") from None


@dataclass(frozen=True)
class TrainingConfig:
    """How the arms of a pair are trained: everything here is the same for each arm."""

    tokens: int  # predicted tokens in the whole run
    batch_rows: int = 32  # rows of `context` tokens in one step
    learning_rate: float = 2e-3  # peak, for d_model 256
    final_share: float = 0.1  # of the peak, at the end of the cosine
    warmup_steps: int = 200
    weight_decay: float = 0.05  # on matrices; none on embeddings, gains and biases
    beta1: float = 0.9
    beta2: float = 0.99
    clip_norm: float = 1.0  # of the gradient, over all parameters
    seed: int = 20261121  # of the initial weights and of the order of the data
    validation_rows: int = 128  # rows for the validation loss during training
    validate_every: int = 200  # steps
    checkpoint_every: int = 200  # steps

    def steps(self, context: int) -> int:
        """Optimiser steps needed to predict at least `tokens` tokens."""
        per_step = self.batch_rows * context
        return -(-self.tokens // per_step)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
