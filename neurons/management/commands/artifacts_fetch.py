"""Bring what a web server's pages read from an object store to its own disk, before the first visitor waits for it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from neurons.artifacts import ArtifactError, artifact_folder, store_is_remote
from neurons.selectors import harvests_finished


class Command(BaseCommand):
    help = "Bring finished harvests with their networks, corpora and indexes to this machine."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("networks", metavar="NETWORK", nargs="*", help="names of networks (default: all)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not store_is_remote():
            raise CommandError("artifacts lie in a folder (BLINDSCOPE_ARTIFACTS_URL); there is nothing to fetch.")
        runs = harvests_finished()
        if options["networks"]:
            runs = runs.filter(network__name__in=options["networks"])
        found = [(run.corpus.url, run.network.url, run.url, run.index_url) for run in runs]
        addresses = sorted({address for group in found for address in group if address})
        if not addresses:
            raise CommandError("there is no finished harvest of these networks.")
        for address in tqdm(addresses, unit=" artifacts"):
            try:
                artifact_folder(address)
            except ArtifactError as error:
                raise CommandError(str(error)) from None
        self.stdout.write(f"{len(addresses)} artifacts are on this machine.")
