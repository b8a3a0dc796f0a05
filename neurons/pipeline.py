"""The only bridge from Django to the lab: rows in, long work in the lab, rows out.

Everything here may be called again after a crash and goes on where it stood. Web processes must not import this module:
it loads torch.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from neurons import artifacts, services
from neurons.artifacts import SHIPPED, ArtifactBusy, ArtifactError, artifact_folder
from neurons.lab.checkpoint import CheckpointError, load_network, network_facts
from neurons.lab.config import ConfigError, TrainingConfig, TransformerConfig
from neurons.lab.corpus import ImportReport, build_corpus
from neurons.lab.embedded import embedded_documents
from neurons.lab.harvest import HarvestConfig, HarvestStopped, NotFinite, harvest
from neurons.lab.readers import ReadError, ReadReport, read_texts
from neurons.lab.threads import use_threads
from neurons.lab.tokenizer import TokenizerError, load_tokenizer
from neurons.lab.train import ArmTraining, Progress, pair_configs
from neurons.models import Corpus, HarvestRun, Network, NetworkPair, RunStatus, TrainingRun
from neurons.selectors import corpus_store, harvest_was_cancelled
from neurons.store.corpus import CorpusError, CorpusStore
from neurons.store.harvest import HarvestError

Count = Callable[[int, int], None]
# What a command shows as one sentence; anything else is a fault of the program and keeps its traceback.
REFUSALS = (
    ArtifactBusy,
    ArtifactError,
    CheckpointError,
    ConfigError,
    CorpusError,
    HarvestError,
    NotFinite,
    ReadError,
    TokenizerError,
    services.NeuronsRefused,
    OSError,
)
PROGRESS_SECONDS = 1.0  # between two writes of a run's progress to the database


# -- corpora -----------------------------------------------------------------------------------------------------------
def corpus_import(
    *, name: str, paths: list[Path], text_field: str, tokenizer: Path, description: str, progress: Count | None = None
) -> Corpus:
    """Import the texts of files and folders as a corpus."""
    read, report = ReadReport(), ImportReport()

    def texts() -> Iterable[str]:
        for _, text in read_texts(paths, read, text_field=text_field):
            yield text
        report.reader = read.as_dict()

    return _build(name, texts(), report, tokenizer, description, progress)


def corpus_import_embedded(*, name: str, tokenizer: Path, description: str, progress: Count | None = None) -> Corpus:
    """Import the text that every installation has."""
    report = ImportReport()
    return _build(name, embedded_documents(report), report, tokenizer, description, progress)


def _build(
    name: str, texts: Iterable[str], report: ImportReport, tokenizer: Path, description: str, progress: Count | None
) -> Corpus:
    address = artifacts.corpus_address(name)
    with artifacts.exclusive(address) as folder:
        # A folder without a row is left by a crash between the two; it is complete, so it is taken as it is.
        store = (
            CorpusStore.open(folder)
            if (folder / "corpus.json").is_file()
            else build_corpus(folder, texts, load_tokenizer(tokenizer), name=name, report=report, progress=progress)
        )
        return services.corpus_register(name=name, url=address, facts=store.meta, description=description)


# -- networks ----------------------------------------------------------------------------------------------------------
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


def arm_configs(
    *, arms: list[str], n_layers: int, d_model: int, n_heads: int, context: int, corpus: Corpus
) -> list[TransformerConfig]:
    """Configurations of the arms of a size, for the vocabulary of a corpus."""
    shape = TransformerConfig(
        n_layers=n_layers,
        d_model=d_model,
        n_heads=n_heads,
        d_mlp=4 * d_model,
        context=context,
        vocab_size=corpus_store(corpus).vocab_size,
        activation="gelu",
    )
    return list(pair_configs(shape, tuple(arms)).values())


def training_config(*, tokens: int, seed: int) -> TrainingConfig:
    """How the arms of a pair are trained: the lab's defaults, for so many tokens."""
    return TrainingConfig(tokens=tokens, seed=seed)


def network_name(pair: NetworkPair, activation: str) -> str:
    return f"{pair.name}-{activation}".replace("_", "-")


def arm_train(
    *,
    pair: NetworkPair,
    config: TransformerConfig,
    training: TrainingConfig,
    corpus: Corpus,
    device: str = "cpu",
    report: Callable[[Progress], None] | None = None,
) -> Network:
    """Train one arm of a pair, or go on with it, and register the network."""
    use_threads(settings.TORCH_THREADS)
    address = f"{artifacts.pair_address(pair.name)}/{config.activation}"
    run = services.training_create(pair=pair, activation=config.activation, corpus=corpus, url=address)
    with artifacts.exclusive(address) as folder:
        # Refuses a folder that was begun with another configuration, also when it is finished.
        arm = ArmTraining(folder, config, training, corpus_store(corpus), device=device)
        if run.status != RunStatus.DONE:
            services.run_start(run=run)
            try:
                arm.run(_training_report(run, report))
                arm.finish()
            except BaseException as error:
                _note_end(run, error)
                raise
        network = network_import(address)
        services.run_finish(run=run, message=f"validation loss {network.validation_loss:.4f} nats per token")
        return network


def _training_report(run: TrainingRun, report: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
    noted = _throttled(lambda line: services.run_progress(run=run, share=line.step / line.steps, message=_say(line)))

    def both(line: Progress) -> None:
        noted(line)
        if report is not None:
            report(line)

    return both


def _say(line: Progress) -> str:
    return f"step {line.step} of {line.steps}, training loss {line.train_loss:.3f} nats per token"


# -- harvests ----------------------------------------------------------------------------------------------------------
def harvest_execute(
    run_id: int, progress: Count | None = None, *, device: str = "cpu", threads: int | None = None
) -> HarvestRun:
    """Harvest, or go on with a harvest; a finished or cancelled one is left alone, so calling twice is safe.

    `threads` is for whoever shares the cores among processes; without it the settings decide.

    Raises
    ------
    ArtifactBusy
        If another process is at this harvest.
    """
    use_threads(settings.TORCH_THREADS if threads is None else threads)
    run = HarvestRun.objects.select_related("network", "corpus").get(pk=run_id)
    with artifacts.exclusive(run.url) as folder:
        run.refresh_from_db()
        if run.status in (RunStatus.DONE, RunStatus.CANCELLED):
            return run
        config = HarvestConfig(**run.config | {"site": run.site})
        services.harvest_start(run=run, config=config.as_dict())
        try:
            return _harvest_into(folder, run, config, progress, device)
        except HarvestStopped as stopped:
            services.run_stopped(run=run, message=str(stopped))
            return run
        except BaseException as error:
            _note_end(run, error)
            raise


def _harvest_into(
    folder: Path, run: HarvestRun, config: HarvestConfig, progress: Count | None, device: str
) -> HarvestRun:
    noted = _throttled(
        lambda at: services.run_progress(run=run, share=at[0] / at[1], message=f"{at[0]:,} of {at[1]:,} tokens")
    )

    def both(done: int, total: int) -> None:
        noted((done, total))
        if progress is not None:
            progress(done, total)

    store = harvest(
        load_network(artifact_folder(run.network.url)).to(device),
        corpus_store(run.corpus),
        folder,
        config,
        facts={"network": run.network.name, "network_sha256": run.network.sha256},
        progress=both,
        stop=lambda: harvest_was_cancelled(run.pk),
    )
    return services.harvest_finish(run=run, tokens=int(store.meta["tokens"]), dead=sum(store.meta["dead"]))


def _note_end(run: Any, error: BaseException) -> None:
    """Record on the run why it ended: an interruption by hand is no failure."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        services.run_stopped(run=run, message="interrupted; start it again to go on")
    else:
        services.run_fail(run=run, error=f"{type(error).__name__}: {error}")


def _throttled(note: Callable[[Any], None]) -> Callable[[Any], None]:
    """Call `note` at most once in PROGRESS_SECONDS."""
    last = float("-inf")

    def call(value: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            note(value)

    return call
