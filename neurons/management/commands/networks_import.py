"""Register networks: those that ship with the repository, or one from a folder, whoever trained it."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.models import Network

FORMATS = ("auto", "blindscope", "transformer_lens", "huggingface")


class Command(BaseCommand):
    help = (
        "Register the trained networks that ship with the repository (run it again after an update); or, with PATH, "
        "copy a network from a folder into the artifact store and register it. What there is to know: docs/networks.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", metavar="PATH", nargs="?", type=Path, help="folder with the network's files")
        parser.add_argument("--format", choices=FORMATS, default="auto", help="layout of the files (default: auto)")
        parser.add_argument("--pair", default="", help="networks of one pair can be compared (default: folder's name)")
        parser.add_argument("--arm", default="", help="label within the pair (default: the network's activation)")
        parser.add_argument(
            "--size", default="", help="label of the pair in studies and tables (default: 2L-512 and so on)"
        )
        parser.add_argument("--name", default="", help="name of the network (default: pair and arm)")
        parser.add_argument(
            "--option",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help="what the loader is told, such as bos_id=0 or site=model.layers.{layer}.mlp.fc2; may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["path"] is not None:
            return self._report(self._bring(options))
        given = [key for key in ("pair", "arm", "size", "name", "option") if options[key]]
        if given or options["format"] != "auto":
            raise CommandError(f"--{(given or ['format'])[0]} needs a PATH; without one, what ships is registered.")
        self._import_shipped()

    def _import_shipped(self) -> None:
        from neurons import pipeline

        try:
            networks = pipeline.networks_import()
        except pipeline.REFUSALS as error:
            raise CommandError(str(error)) from None
        for network in networks:
            known = network.validation_loss is not None
            loss = f"{network.validation_loss:.4f} nats per token" if known else "not measured"
            self.stdout.write(f"{network.name}: {network.tokens_trained:,} tokens, validation loss {loss}")
        if not networks:
            raise CommandError("no network ships with this copy; train one with pair_train.")

    def _bring(self, options: dict[str, Any]) -> Network:
        from neurons import pipeline

        with tqdm(unit="B", unit_scale=True, desc="copying") as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                return pipeline.network_bring(
                    options["path"],
                    kind=options["format"],
                    pair=options["pair"],
                    arm=options["arm"],
                    size=options["size"],
                    name=options["name"],
                    options=dict(_key_and_value(option) for option in options["option"]),
                    progress=progress,
                )
            except pipeline.REFUSALS as error:
                raise CommandError(str(error)) from None

    def _report(self, network: Network) -> None:
        self.stdout.write(
            f"{network.name}: {network.get_format_display()}, {network.n_layers} layers of {network.d_mlp:,} neurons, "
            f"arm {network.activation} of the pair {network.pair}, sha256 {network.sha256[:12]}…"
        )
        if not network.tokenizer_fingerprint:
            self.stdout.write(
                "There is no tokenizer.json beside it, so nobody checks that a corpus was cut into its tokens: import "
                "the corpus with the tokenizer it was trained with (corpus_import --tokenizer)."
            )


def _key_and_value(option: str) -> tuple[str, str]:
    key, equals, value = option.partition("=")
    if not (key and equals):
        raise CommandError(f"--option is {option!r}; write KEY=VALUE.")
    return key, value
