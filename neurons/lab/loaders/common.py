"""What the loaders share: the shape they tell, the options they take, the files they read, the errors they raise."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from neurons.lab.checkpoint import CheckpointError

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
NAMED = 5  # keys or shapes named in one message


@dataclass(frozen=True)
class SourceConfig:
    """Sizes of a network, and what its neurons compute.

    Attributes
    ----------
    context : int
        Tokens in one forward pass, the beginning-of-sequence token included.
    activation : str
        Function of the MLP as the network's own configuration calls it; with "_gated" where a gate multiplies it.
    """

    n_layers: int
    d_model: int
    d_mlp: int
    vocab_size: int
    context: int
    activation: str


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's config.json.

    Raises
    ------
    CheckpointError
        If it is missing or no JSON object.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise CheckpointError(f"{folder} holds no network: config.json is missing.")
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is no JSON: {error}.") from None
    if not isinstance(read, dict):
        raise CheckpointError(f"{path} holds {type(read).__name__}; a network's config.json is an object.")
    return read


def check_options(given: Mapping[str, Any], known: Mapping[str, type], kind: str) -> dict[str, Any]:
    """Options in the types that a loader knows; numbers may come as text.

    Raises
    ------
    CheckpointError
        If an option is unknown or not of its type.
    """
    if unknown := sorted(given.keys() - known.keys()):
        raise CheckpointError(
            f"networks of the kind {kind} have no option {', '.join(unknown)}; known are {', '.join(sorted(known))}."
        )
    try:
        return {name: known[name](value) for name, value in given.items()}
    except ValueError as error:
        raise CheckpointError(f"an option of the kind {kind} has a wrong value: {error}.") from None


def precision_of(options: Mapping[str, Any]) -> torch.dtype:
    """Type that the weights are held and multiplied in."""
    name = options.get("precision", "float32")
    if name not in PRECISIONS:
        raise CheckpointError(f"`precision` is {name!r}; choose {' or '.join(PRECISIONS)}.")
    return PRECISIONS[name]


def context_of(largest: int, options: Mapping[str, Any]) -> int:
    """Tokens in one forward pass: what the option says, at most what the network has."""
    asked = int(options.get("context", largest))
    if not 2 <= asked <= largest:
        raise CheckpointError(f"`context` is {asked}; this network reads 2 to {largest} tokens at once.")
    return asked


def check_bos(bos_id: int | None, vocab_size: int, folder: Path) -> int:
    """The beginning-of-sequence token, if it is one of the vocabulary.

    Raises
    ------
    CheckpointError
        If it is not known or not in the vocabulary.
    """
    if bos_id is None:
        raise CheckpointError(
            f"{folder} does not say which token begins a sequence (no bos_token_id in config.json, no bos_token in "
            "tokenizer_config.json); give --option bos_id=NUMBER."
        )
    if not 0 <= bos_id < vocab_size:
        raise CheckpointError(
            f"token {bos_id} is to begin every sequence, the vocabulary has tokens 0 to {vocab_size - 1}; give "
            "--option bos_id=NUMBER."
        )
    return bos_id


def refuse_tensors(
    path: Path, missing: list[str], extra: list[str], shapes: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
) -> None:
    """Name what is wrong with a file's tensors, if something is.

    Parameters
    ----------
    shapes : mapping
        Name -> (shape found, shape expected), of those that differ.

    Raises
    ------
    CheckpointError
        If any tensor is missing, left over or of another shape.
    """
    wrong = [f"{name} has shape {found}, expected is {expected}" for name, (found, expected) in shapes.items()]
    faults = [
        f"{say} {'; '.join(names[:NAMED])}{f' and {len(names) - NAMED} more' if len(names) > NAMED else ''}"
        for say, names in (("lacks", missing), ("has unknown tensors", extra), ("does not fit config.json:", wrong))
        if names
    ]
    if faults:
        raise CheckpointError(f"{path} {'; it '.join(faults)}.")
