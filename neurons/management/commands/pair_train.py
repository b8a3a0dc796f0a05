"""Train the arms of one size: same initial weights, same data in the same order, same hyperparameters."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.selectors import NotFound, corpus_by_name
from neurons.services import NeuronsRefused, pair_create

HEAD_WIDTH = 64  # of an attention head, as in the published SoLU networks


class Command(BaseCommand):
    help = "Train the arms of a pair one after the other. Interrupt it with Ctrl-C; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME", help="name of the pair, such as 1l-256")
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--arms", nargs="+", default=["gelu", "solu_ln", "gelu_ln"], help="MLP activations")
        parser.add_argument("--layers", type=int, default=1)
        parser.add_argument("--width", type=int, default=256, help="d_model; the MLP is four times as wide")
        parser.add_argument("--context", type=int, default=256, help="tokens in one forward pass")
        parser.add_argument("--tokens", type=int, default=20_000_000, help="tokens to train each arm on")
        parser.add_argument("--seed", type=int, default=20261121, help="of initial weights and data order")
        parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")

    def handle(self, *args: Any, **options: Any) -> None:
        from neurons import pipeline

        try:
            corpus = corpus_by_name(options["corpus"])
            configs = pipeline.arm_configs(
                arms=options["arms"],
                n_layers=options["layers"],
                d_model=options["width"],
                n_heads=max(1, options["width"] // HEAD_WIDTH),
                context=options["context"],
                corpus=corpus,
            )
            pair = pair_create(
                name=options["name"],
                size=f"{options['layers']}L-{options['width']}",
                config=pipeline.shared_config(configs[0]),
            )
            training = pipeline.training_config(tokens=options["tokens"], seed=options["seed"])
            for config in configs:
                with _Bar(f"{pair.name} {config.activation}") as bar:
                    network = pipeline.arm_train(
                        pair=pair,
                        config=config,
                        training=training,
                        corpus=corpus,
                        device=options["device"],
                        report=bar.show,
                    )
                self.stdout.write(f"{network}: validation loss {network.validation_loss:.4f} nats per token")
        except (NotFound, NeuronsRefused, *pipeline.REFUSALS) as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("interrupted; run the same command again to go on.", returncode=130) from None


class _Bar:
    """A progress bar with the losses behind it; tqdm adds speed and time left."""

    def __init__(self, title: str) -> None:
        self._bar = tqdm(unit=" steps", desc=title)
        self._validation = ""

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, line: Any) -> None:
        if line.validation_loss is not None:
            self._validation = f", validation {line.validation_loss:.4f}"
        if self._bar.total is None:
            self._bar.initial = line.step
        self._bar.total = line.steps
        self._bar.update(line.step - self._bar.n)
        self._bar.set_postfix_str(f"loss {line.train_loss:.4f}{self._validation}")
