"""Export a network's neurons in the formats of other tools."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.selectors import DEFAULT_SITE, NotFound, corpus_by_name, harvest_finished, network_by_name
from neurons.services import SITES
from neurons.store.records.build import NEURONPEDIA, OPENAI


def numbers(text: str) -> list[int]:
    """
    Examples
    --------
    >>> numbers("0,3-5")
    [0, 3, 4, 5]
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


class Command(BaseCommand):
    help = (
        "Export a harvested network's neurons as Neuronpedia's JSON lines or OpenAI's NeuronRecords. Interrupt it with "
        "Ctrl-C; run it again to go on. See docs/formats.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", metavar="NETWORK", help="name of the network")
        parser.add_argument("--corpus", required=True, help="name of the corpus that it was harvested on")
        parser.add_argument("--site", default=DEFAULT_SITE, choices=SITES, help="before or after an extra LayerNorm")
        parser.add_argument("--format", required=True, choices=(NEURONPEDIA, OPENAI))
        parser.add_argument("--to", metavar="FOLDER", required=True, type=Path, help="new or empty folder")
        parser.add_argument("--layers", type=numbers, help="such as 0,2-4 (default: all)")
        parser.add_argument("--neurons", type=numbers, help="indices in each layer, such as 0-99 (default: all)")
        parser.add_argument(
            "--samples",
            type=int,
            default=5,
            help="excerpts from each rank range and at random; of these the activation of one token is known, the "
            "others are null (default: 5; 0 leaves them out)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        from neurons import pipeline

        try:
            network, corpus = network_by_name(options["network"]), corpus_by_name(options["corpus"])
        except NotFound as error:
            raise CommandError(str(error)) from None
        run = harvest_finished(network.name, corpus.name, options["site"])
        if run is None:
            raise CommandError(f"{network} was not harvested on {corpus} at {options['site']}; run harvest_run first.")
        asked = {name: options[name] for name in ("format", "layers", "neurons", "samples")}
        with tqdm(unit=" neurons", desc=f"export {network}") as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                written = pipeline.neurons_export(run, options["to"], **asked, progress=show)
            except pipeline.REFUSALS as error:
                raise CommandError(str(error)) from None
            except KeyboardInterrupt:
                raise CommandError("interrupted; run the same command again to go on.", returncode=130) from None
        self.stdout.write(f"{written:,} neurons of {network} are in {options['to']}")
