"""The only bridge from Django to the lab: rows in, long work in the lab, rows out.

Everything here may be called again after a crash and goes on where it stood. Web processes must not import this
package: it loads torch.
"""

from neurons import services
from neurons.artifacts import ArtifactBusy, ArtifactError
from neurons.lab.checkpoint import CheckpointError
from neurons.lab.config import ConfigError
from neurons.lab.readers import ReadError
from neurons.lab.tokenizer import TokenizerError
from neurons.leases import WorkersLost
from neurons.pipeline.corpora import corpus_import, corpus_import_embedded
from neurons.pipeline.harvests import config_check, harvest_execute, harvest_work
from neurons.pipeline.networks import (
    network_bring,
    network_import,
    network_name,
    network_source,
    networks_import,
    shared_config,
)
from neurons.pipeline.neuron_index import indexes_make
from neurons.pipeline.records import neurons_export, records_import
from neurons.pipeline.training import arm_configs, arm_train, network_untrained, training_config
from neurons.store.corpus import CorpusError
from neurons.store.harvest import HarvestError
from neurons.store.records.record import RecordsError

__all__ = [
    "REFUSALS",
    "arm_configs",
    "arm_train",
    "config_check",
    "corpus_import",
    "corpus_import_embedded",
    "harvest_execute",
    "harvest_work",
    "indexes_make",
    "network_bring",
    "network_import",
    "network_name",
    "network_source",
    "network_untrained",
    "networks_import",
    "neurons_export",
    "records_import",
    "shared_config",
    "training_config",
]

# What a command shows as one sentence; anything else is a fault of the program and keeps its traceback.
REFUSALS = (
    ArtifactBusy,
    ArtifactError,
    CheckpointError,
    ConfigError,
    CorpusError,
    HarvestError,
    ReadError,
    RecordsError,
    TokenizerError,
    WorkersLost,
    services.NeuronsRefused,
    OSError,
)
