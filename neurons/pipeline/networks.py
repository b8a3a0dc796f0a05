"""Folders of weights in, rows out; and the network behind a row."""

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.text import slugify

from neurons import artifacts, services
from neurons.artifacts import SHIPPED, artifact_folder
from neurons.lab.checkpoint import network_facts
from neurons.lab.config import TransformerConfig
from neurons.lab.loaders.folders import find_network
from neurons.lab.source import NeuronSource, open_source
from neurons.models import Network, NetworkPair
from neurons.pipeline.network_files import bring_files, joint_sha256
from neurons.pipeline.runs import Count

NAME_CHARS, ARM_CHARS = 60, 20  # as the tables have room


def networks_import() -> list[Network]:
    """Register the trained networks that ship with the repository."""
    root = Path(settings.SHIPPED_NETWORKS_DIR)
    return [
        network_import(SHIPPED + found.parent.relative_to(root).as_posix())
        for found in sorted(root.rglob("network.json"))
    ]


def network_import(address: str, *, name: str = "") -> Network:
    """Register the network of ours in a folder <pair>/<activation>; the pair is named after the outer folder."""
    folder = artifact_folder(address)
    facts = network_facts(folder)
    config = TransformerConfig.from_dict(facts["config"])
    pair = services.pair_create(
        name=folder.parent.name, size=f"{config.n_layers}L-{config.d_model}", config=shared_config(config)
    )
    return services.network_register(
        name=name or network_name(pair, config.activation), pair=pair, url=address, facts=facts
    )


def network_bring(
    folder: Path,
    *,
    kind: str = "auto",
    pair: str = "",
    arm: str = "",
    size: str = "",
    name: str = "",
    options: dict[str, Any] | None = None,
    progress: Count | None = None,
) -> Network:
    """Copy a network that was trained anywhere into the store, and register it.

    Parameters
    ----------
    folder : Path
        Left as it is.
    kind : str
        blindscope, transformer_lens, huggingface, or auto.
    pair : str, optional
        Networks of one pair can be compared by a study; without it, the folder's name.
    arm : str, optional
        Label within the pair; without it, the network's activation.
    size : str, optional
        Label of a new pair in studies and tables; without it, layers and width.
    progress : callable, optional
        Called with bytes copied and bytes in all.

    Raises
    ------
    CheckpointError
        If the files hold no network, or not a whole one.
    NeuronsRefused
        If a name is taken or cannot be one, or the pair has another shape.
    """
    found = find_network(folder, kind, options or {})
    trained_as = found.facts["config"]["activation"]
    pair, arm = pair or slugify(folder.resolve().name), arm or trained_as
    _check_names(pair=pair, arm=arm, name=name or pair)
    if found.kind == Network.Format.BLINDSCOPE and arm != trained_as:
        raise services.NeuronsRefused(f"a network trained here is the arm {trained_as!r} of its pair, not {arm!r}.")
    address = f"{artifacts.pair_address(pair)}/{arm}"
    with artifacts.exclusive(address) as place:
        hashes = bring_files(found.files, place, progress)
        artifacts.publish(address)
    sha256 = joint_sha256([(path.name, hashes[path]) for path in found.weights])
    if found.kind == Network.Format.BLINDSCOPE:
        return network_import(address, name=name)
    shape = {key: value for key, value in found.facts["config"].items() if key != "activation"}
    row = services.pair_create(name=pair, size=size or f"{shape['n_layers']}L-{shape['d_model']}", config=shape)
    return services.network_register(
        name=name or network_name(row, arm),
        pair=row,
        url=address,
        facts=found.facts | {"config": shape | {"activation": arm}, "weights_sha256": sha256},
        format=found.kind,
        options=found.options,
    )


def _check_names(**names: str) -> None:
    longest = {"arm": ARM_CHARS}
    for what, value in names.items():
        if not re.fullmatch(r"[-\w]+", value, re.ASCII) or len(value) > longest.get(what, NAME_CHARS):
            raise services.NeuronsRefused(
                f"{value!r} cannot be the name of the {what}: use letters, digits, hyphens and underscores, at most "
                f"{longest.get(what, NAME_CHARS)} of them."
            )


def shared_config(config: TransformerConfig) -> dict[str, Any]:
    """What the arms of a pair have in common."""
    return {key: value for key, value in config.as_dict().items() if key != "activation"}


def network_name(pair: NetworkPair, activation: str) -> str:
    return f"{pair.name}-{activation}".replace("_", "-")


def network_source(network: Network, *, device: str = "cpu") -> NeuronSource:
    """The network behind a row, ready to read tokens."""
    source: NeuronSource = open_source(artifact_folder(network.url), network.format, network.options).to(device)
    return source
