"""Register networks as they were before training: the control that tells what training added."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from neurons.selectors import NotFound, network_by_name


class Command(BaseCommand):
    help = (
        "Register, beside networks that were trained here, what each was before its first step: the same configuration "
        "and the same initial weights, 0 tokens trained. Harvest it like any other network."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("networks", metavar="NETWORK", nargs="+", help="names of trained networks")

    def handle(self, *args: Any, **options: Any) -> None:
        from neurons import pipeline

        try:
            for name in options["networks"]:
                made = pipeline.network_untrained(network_by_name(name))
                self.stdout.write(f"{made}: {name} before its first step")
        except (NotFound, *pipeline.REFUSALS) as error:
            raise CommandError(str(error)) from None
