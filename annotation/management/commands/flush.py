"""Django's `flush`, which empties the database: the log and the answers are given free for it and protected again."""

from typing import Any

from django.core.management.commands.flush import Command as Flush

from annotation.audit.protect import protection_lifted


class Command(Flush):
    def handle(self, **options: Any) -> None:
        with protection_lifted(options["database"]):
            super().handle(**options)
