"""Work out what the neurons' pages look up: weights, correlations, tokens, and the search."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from neurons.management.indexing import make_indexes
from neurons.selectors import DEFAULT_SITE, NotFound, harvest_finished, harvests_of_twins, network_by_name
from neurons.services import SITES
from neurons.store.basis import NEURONS


class Command(BaseCommand):
    help = (
        "Work out what the pages of a network's neurons look up, after its harvest; the networks paired with it are "
        "brought up to date too. Interrupt it with Ctrl-C; run it again to go on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", metavar="NETWORK", help="name of a harvested network")
        parser.add_argument("--corpus", required=True, help="name of the corpus")
        parser.add_argument("--site", default=DEFAULT_SITE, choices=SITES, help="before or after an extra LayerNorm")
        parser.add_argument("--basis", default=NEURONS, help="neurons, or the directions that were harvested")
        parser.add_argument("--device", help="cpu or cuda (default: BLINDSCOPE_DEVICE)")

    def handle(self, *args: Any, **options: Any) -> None:
        name, corpus = options["network"], options["corpus"]
        try:
            network_by_name(name)
        except NotFound as error:
            raise CommandError(str(error)) from None
        run = harvest_finished(name, corpus, options["site"], options["basis"])
        if run is None:
            raise CommandError(
                f"{name} has no finished harvest on the corpus {corpus!r} at {options['site']}; run "
                f"harvest_run {name} --corpus {corpus} first."
            )
        make_indexes([run], options["device"])
        for one in (run, *harvests_of_twins(run)):
            self.stdout.write(f"{one.network}: the index of its neurons is up to date")
