"""Folders of weights in, rows out; and the network behind a row."""

from pathlib import Path
from typing import Any

from django.conf import settings

from neurons import services
from neurons.artifacts import SHIPPED, artifact_folder
from neurons.lab.checkpoint import network_facts
from neurons.lab.config import TransformerConfig
from neurons.lab.source import NeuronSource, open_source
from neurons.models import Network, NetworkPair


def networks_import() -> list[Network]:
    """Register the trained networks that ship with the repository."""
    root = Path(settings.SHIPPED_NETWORKS_DIR)
    return [
        network_import(SHIPPED + found.parent.relative_to(root).as_posix())
        for found in sorted(root.rglob("network.json"))
    ]


def network_import(address: str) -> Network:
    """Register the network in a folder <pair>/<activation>; the pair is named after the outer folder."""
    folder = artifact_folder(address)
    facts = network_facts(folder)
    config = TransformerConfig.from_dict(facts["config"])
    pair = services.pair_create(
        name=folder.parent.name, size=f"{config.n_layers}L-{config.d_model}", config=shared_config(config)
    )
    name = network_name(pair, config.activation)
    return services.network_register(name=name, pair=pair, url=address, facts=facts)


def shared_config(config: TransformerConfig) -> dict[str, Any]:
    """What the arms of a pair have in common."""
    return {key: value for key, value in config.as_dict().items() if key != "activation"}


def network_name(pair: NetworkPair, activation: str) -> str:
    return f"{pair.name}-{activation}".replace("_", "-")


def network_source(network: Network, *, device: str = "cpu") -> NeuronSource:
    """The network behind a row, ready to read tokens."""
    source: NeuronSource = open_source(artifact_folder(network.url), network.format, network.options).to(device)
    return source
