"""Print the anchor of each chain of the log: published somewhere else, it fixes all lines up to now."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand

from annotation.audit import anchor, chain_of
from annotation.management.study_command import study_named
from annotation.models import LogChain


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("study", nargs="?", help="short name of a study, or “site”; without it all chains")

    def handle(self, *args: Any, study: str | None, **options: Any) -> None:
        if study is None:
            chains = list(LogChain.objects.exclude(length=0).order_by("id"))
        else:
            found = chain_of(None if study == LogChain.SITE else study_named(study))
            chains = [found] if found else []
        self.stdout.write("\n".join(anchor(chain) for chain in chains))
