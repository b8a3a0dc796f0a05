"""Training the arms of a pair."""

from collections.abc import Callable

from django.conf import settings

from neurons import artifacts, services
from neurons.lab.checkpoint import CheckpointError, network_facts, save_network
from neurons.lab.config import TrainingConfig, TransformerConfig
from neurons.lab.threads import use_threads
from neurons.lab.tokenizer import load_tokenizer
from neurons.lab.train import STATE, ArmTraining, Progress, pair_configs
from neurons.lab.transformer import Transformer
from neurons.models import Corpus, Network, NetworkPair, RunStatus, TrainingRun
from neurons.pipeline.networks import network_import, network_name
from neurons.pipeline.runs import note_end, throttled
from neurons.selectors import corpus_store

UNTRAINED = "_untrained"  # behind the label of the network that it became


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
    load_tokenizer(corpus_store(corpus).folder / "tokenizer.json")  # refuses tokens that our networks cannot learn from
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
                artifacts.publish(address, leave_out=(STATE,))
            except BaseException as error:
                note_end(run, error)
                raise
        network = network_import(address)
        services.run_finish(run=run, message=f"validation loss {network.validation_loss:.4f} nats per token")
        return network


def network_untrained(network: Network) -> Network:
    """Register, in the pair of a network that was trained here, the network that it was before its first step.

    Raises
    ------
    CheckpointError
        If the seed of its initial weights is not known.
    """
    ours = network.format == Network.Format.BLINDSCOPE
    trained = network_facts(artifacts.artifact_folder(network.url)) if ours else {}
    if "seed" not in trained:
        raise CheckpointError(
            f"the initial weights of {network} are not known: only networks that were trained here tell their seed."
        )
    config, label = TransformerConfig.from_dict(trained["config"]), f"{network.activation}{UNTRAINED}"
    address = f"{artifacts.pair_address(network.pair.name)}/{label}"
    kept = {key: trained[key] for key in ("seed", "tokenizer_fingerprint") if key in trained}
    told = kept | {"untrained": network.name, "tokens_trained": 0, "validation_loss": None}
    with artifacts.exclusive(address) as folder:
        save_network(folder, Transformer(config, seed=trained["seed"]), told)
        artifacts.publish(address)
        facts = network_facts(folder)
    return services.network_register(
        name=network_name(network.pair, label),
        pair=network.pair,
        url=address,
        facts=facts | {"config": facts["config"] | {"activation": label}},
    )


def _training_report(run: TrainingRun, report: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
    noted = throttled(lambda line: services.run_progress(run=run, share=line.step / line.steps, message=_say(line)))

    def both(line: Progress) -> None:
        noted(line)
        if report is not None:
            report(line)

    return both


def _say(line: Progress) -> str:
    return f"step {line.step} of {line.steps}, training loss {line.train_loss:.3f} nats per token"
