"""Register the trained networks that ship with the repository."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Register the trained networks that ship with the repository; run it again after an update."

    def handle(self, *args: Any, **options: Any) -> None:
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
