"""Harvest networks on a corpus in this terminal; a harvest that was interrupted goes on where it stood."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.models import HarvestRun, RunStatus
from neurons.selectors import DEFAULT_SITE, NotFound, corpus_by_name, network_by_name
from neurons.services import SITES, NeuronsRefused, harvest_create


class Command(BaseCommand):
    help = "Harvest networks on a corpus, with a progress bar. Interrupt it with Ctrl-C; run it again to go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("networks", metavar="NETWORK", nargs="+", help="names of networks")
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--site", default=DEFAULT_SITE, choices=SITES, help="before or after an extra LayerNorm")
        parser.add_argument("--max-tokens", type=int, help="read so many tokens of the split (default: all of them)")
        parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")

    def handle(self, *args: Any, **options: Any) -> None:
        config = {} if options["max_tokens"] is None else {"max_tokens": options["max_tokens"]}
        try:
            corpus = corpus_by_name(options["corpus"])
            networks = [network_by_name(name) for name in options["networks"]]
            runs = [
                harvest_create(network=network, corpus=corpus, site=options["site"], config=config)
                for network in networks
            ]
        except (NotFound, NeuronsRefused) as error:
            raise CommandError(str(error)) from None
        for run in runs:
            self._harvest(run, options["device"])

    def _harvest(self, run: HarvestRun, device: str) -> None:
        from neurons import pipeline

        with tqdm(unit=" tokens", desc=f"harvest {run.network.name}", unit_scale=True) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                run = pipeline.harvest_execute(run.pk, show, device=device)
            except pipeline.REFUSALS as error:
                raise CommandError(str(error)) from None
            except KeyboardInterrupt:
                raise CommandError("interrupted; run the same command again to go on.", returncode=130) from None
        if run.status != RunStatus.DONE:
            raise CommandError(f"{run.network}: {run.message}")
        self.stdout.write(f"{run.network}: {run.tokens_seen:,} tokens read, {run.dead_neurons:,} dead neurons")
