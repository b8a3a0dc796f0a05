"""Folders that hold a network: weights.safetensors (float16) and network.json (configuration and provenance).

Nothing here unpickles: weights are safetensors, everything else is JSON.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from neurons.lab.config import TransformerConfig
from neurons.lab.transformer import Transformer

WEIGHTS, FACTS = "weights.safetensors", "network.json"


class CheckpointError(ValueError):
    """A network folder or a training state cannot be used."""


def write_atomically(path: Path, write: Any) -> None:
    """Call `write(temporary path)`, sync, then rename: a crash leaves the old file or the new one, never half."""
    temporary = path.with_name(path.name + ".writing")
    write(temporary)
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    temporary.replace(path)


def sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def save_network(folder: Path, network: Transformer, facts: dict[str, Any]) -> None:
    """Write a network folder.

    Parameters
    ----------
    facts : dict
        JSON-serialisable provenance: seeds, corpus fingerprint, tokens, validation loss.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.to(torch.float16).contiguous() for name, tensor in network.state_dict().items()}
    write_atomically(folder / WEIGHTS, lambda path: save_file(weights, path))
    facts = facts | {"config": network.config.as_dict(), "weights_sha256": sha256_of(folder / WEIGHTS)}
    text = json.dumps(facts, indent=1, sort_keys=True) + "\n"
    write_atomically(folder / FACTS, lambda path: path.write_text(text))


def network_facts(folder: Path) -> dict[str, Any]:
    """Provenance of a network folder, the configuration under "config"."""
    path = folder / FACTS
    if not path.is_file():
        raise CheckpointError(f"{folder} holds no network: {FACTS} is missing.")
    return dict(json.loads(path.read_text()))


def load_network(folder: Path) -> Transformer:
    """Read a network folder into a float32 network in evaluation mode.

    Raises
    ------
    CheckpointError
        If a file is missing or damaged, or a tensor is missing, left over or of the wrong shape; the tensor is named.
    """
    facts = network_facts(folder)
    network = Transformer(TransformerConfig.from_dict(facts["config"]))
    path = folder / WEIGHTS
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read as safetensors: {error}.") from None
    _check_weights(path, weights, network.state_dict())
    network.load_state_dict({name: tensor.float() for name, tensor in weights.items()})
    return network.eval()


def _check_weights(path: Path, found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    if missing := sorted(expected.keys() - found.keys()):
        raise CheckpointError(f"{path} lacks the tensors {', '.join(missing)}.")
    if extra := sorted(found.keys() - expected.keys()):
        raise CheckpointError(f"{path} has tensors that this configuration does not know: {', '.join(extra)}.")
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            raise CheckpointError(
                f"{path}: tensor {name} has shape {tuple(found[name].shape)}, "
                f"the configuration asks for {tuple(tensor.shape)}."
            )
