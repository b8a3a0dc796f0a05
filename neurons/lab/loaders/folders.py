"""What lies in a folder that is to be imported: of which kind, which files it needs, and what the network is.

The network is opened once, so that whatever is wrong with the files is said before anything is copied or recorded.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurons.lab.checkpoint import FACTS, WEIGHTS, CheckpointError, network_facts
from neurons.lab.loaders.common import SourceConfig
from neurons.lab.loaders.lens_files import weights_file
from neurons.lab.loaders.tokenizer_files import TOKENIZER, TOKENIZER_CONFIG, fingerprint_in
from neurons.lab.source import open_source

KINDS = ("blindscope", "transformer_lens", "huggingface")
INDEX = "model.safetensors.index.json"  # which tensor is in which file, where there are several


@dataclass(frozen=True)
class FoundNetwork:
    """A network in a folder, opened and whole.

    Attributes
    ----------
    files : tuple of Path
        All that it needs, the weights among it; they may be put into one folder.
    weights : tuple of Path
    facts : dict
        What a blindscope network.json says, as far as it is known; `config` has the sizes and the activation.
    """

    kind: str
    options: dict[str, Any]  # with which it is read again
    files: tuple[Path, ...]
    weights: tuple[Path, ...]
    facts: dict[str, Any]


def find_network(folder: Path, kind: str, options: dict[str, Any]) -> FoundNetwork:
    """Open the network in a folder and tell what it is.

    Parameters
    ----------
    kind : str
        One of KINDS, or "auto": as the files look.

    Raises
    ------
    CheckpointError
        If there is no network, or something is wrong with it.
    """
    kind = kind_of(folder) if kind == "auto" else kind
    source: Any = open_source(folder, kind, options)
    if kind == "blindscope":
        own = folder / WEIGHTS
        return FoundNetwork(kind, {}, (folder / FACTS, own), (own,), network_facts(folder))
    understood = dict(source.options)
    if kind == "transformer_lens":
        weights = [weights_file(folder, options)]
        understood["weights"] = weights[0].name  # also of a checkpoint in a folder of its own
    else:
        weights = _safetensors(folder)
    beside = ("config.json", INDEX, TOKENIZER, TOKENIZER_CONFIG)
    files = *(folder / name for name in beside if (folder / name).is_file()), *weights
    facts = {"config": _shape(source.config), "tokenizer_fingerprint": fingerprint_in(folder)}
    return FoundNetwork(kind, understood, files, tuple(weights), facts)


def kind_of(folder: Path) -> str:
    """The kind of network in a folder, by the names of its files."""
    if not folder.is_dir():
        raise CheckpointError(f"{folder} is no folder; give the folder that holds the network's files.")
    if (folder / FACTS).is_file():
        return "blindscope"
    if (folder / "config.json").is_file():
        if any(folder.glob("*.safetensors")):
            return "huggingface"
        if any(folder.glob("*.pth")):
            return "transformer_lens"
    names = sorted(path.name for path in folder.iterdir())
    raise CheckpointError(
        f"{folder} holds no network that can be read: needed are {FACTS}, or config.json with *.safetensors (Hugging "
        f"Face) or *.pth (TransformerLens); found are {', '.join(names[:12]) or 'no files'}."
    )


def _safetensors(folder: Path) -> list[Path]:
    """The files that transformers reads: one of this name, else those that the index names."""
    if (single := folder / "model.safetensors").is_file():
        return [single]
    files = set(json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"].values())
    return [folder / name for name in sorted(files)]


def _shape(config: SourceConfig) -> dict[str, Any]:
    names = ("n_layers", "d_model", "d_mlp", "vocab_size", "context", "activation")
    return {name: getattr(config, name) for name in names}
