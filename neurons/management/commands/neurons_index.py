"""Work out what the neurons' pages look up: weights, correlations, tokens, and the search."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from neurons.selectors import DEFAULT_SITE, NotFound, harvest_finished, network_by_name
from neurons.services import SITES


class Command(BaseCommand):
    help = (
        "Work out what the pages of a network's neurons look up, after its harvest; the networks paired with it are "
        "brought up to date too. Interrupt it with Ctrl-C; run it again to go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", metavar="NETWORK", help="name of a harvested network")
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--site", default=DEFAULT_SITE, choices=SITES, help="before or after an extra LayerNorm")
        parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")

    def handle(self, *args: Any, **options: Any) -> None:
        name, corpus = options["network"], options["corpus"]
        try:
            network_by_name(name)
        except NotFound as error:
            raise CommandError(str(error)) from None
        run = harvest_finished(name, corpus, options["site"])
        if run is None:
            raise CommandError(
                f"{name} has no finished harvest on the corpus {corpus!r} at {options['site']}; run "
                f"harvest_run {name} --corpus {corpus} first."
            )
        self._make(run.pk, options["device"])

    def _make(self, run_id: int, device: str) -> None:
        from neurons import pipeline

        try:
            runs = pipeline.indexes_make(run_id, self._show, device=device)
        except pipeline.REFUSALS as error:
            raise CommandError(str(error)) from None
        except KeyboardInterrupt:
            raise CommandError("interrupted; run the same command again to go on.", returncode=130) from None
        for run in runs:
            self.stdout.write(f"{run.network}: index is up to date")

    def _show(self, part: str, done: int, total: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{part}: {done} of {total}   ", ending="\n" if done == total else "")
