"""Let strangers read the pages of a network's neurons, or end that."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from neurons.selectors import NotFound, network_by_name
from neurons.services import network_publish


class Command(BaseCommand):
    help = (
        "Let visitors who are not signed in read the pages of a network's neurons. While a study that uses a network "
        "of its pair is frozen or open, they are closed all the same."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("network", metavar="NETWORK", help="name of the network")
        parser.add_argument("--private", action="store_true", help="for admins and statisticians only again")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            network = network_publish(network=network_by_name(options["network"]), public=not options["private"])
        except NotFound as error:
            raise CommandError(str(error)) from None
        everybody = "everybody, but for raters and while no study uses it"
        who = everybody if network.is_public else "admins and statisticians"
        self.stdout.write(f"{network.name}: its neurons' pages are for {who}")
