"""Let the database refuse every change of the log, of protocol versions, of unblindings and of answers."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.audit.protect import protect, tables_unprotected
from annotation.audit.rights import RightsRefused, rights_left, rights_take


class Command(BaseCommand):
    help = (
        "Makes the triggers anew (as migrate does). With --role it also takes from a role of PostgreSQL the right to "
        "change or remove what is protected; run it as the owner of the tables, and let the site run as that role."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--role", help="the role of PostgreSQL that the site runs as")
        parser.add_argument(
            "--check", action="store_true", help="change nothing; say what is protected and what is not"
        )

    def handle(self, *args: Any, role: str | None, check: bool, **options: Any) -> None:
        if check:
            self._check()
            return
        protect()
        self.stdout.write("The triggers are in place.")
        if role is None:
            return
        try:
            statements = rights_take(role)
        except RightsRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write("\n".join([*(f"{statement};" for statement in statements), f"Done for the role {role}."]))

    def _check(self) -> None:
        bare = tables_unprotected()
        if bare:
            raise CommandError(f"No triggers on {', '.join(bare)}; run audit_protect.")
        self.stdout.write("\n".join(["All triggers are in place.", *rights_left()]))
