"""Check the chains of the log: that no line was changed, removed, put in, moved or cut off."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.audit import chain_of, chain_problems, verify_log
from annotation.management.study_command import study_named
from annotation.models import LogChain


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("study", nargs="?", help="short name of a study, or “site”; without it all chains")
        parser.add_argument("--anchor", action="append", default=[], help="CHAIN:NUMBER:SHA256, as published")

    def handle(self, *args: Any, study: str | None, anchor: list[str], **options: Any) -> None:
        chains, anchors = _chains(study), _anchors(anchor)
        strange = anchors.keys() - {chain.public_id for chain in chains}
        problems = [f"There is no chain {name} here, but an anchor of it." for name in sorted(strange)]
        for chain in chains:
            problems += chain_problems(chain, tuple(anchors.get(chain.public_id, ())))
        if problems:
            raise CommandError("\n".join(problems))
        for chain in chains:
            self.stdout.write(
                f"{chain.study.slug if chain.study else chain.name}: {chain.length} lines, all as written"
            )
        self.stdout.write(f"{len(chains)} chains hold; publish audit_head to show it later.")


def _chains(study: str | None) -> list[LogChain]:
    if study is None:
        return list(LogChain.objects.select_related("study").order_by("id"))
    chain = chain_of(None if study == LogChain.SITE else study_named(study))
    if chain is None:
        raise CommandError("This log has no line yet.")
    return [chain]


def _anchors(texts: list[str]) -> dict[str, list[tuple[str, int, str]]]:
    anchors: dict[str, list[tuple[str, int, str]]] = {}
    for text in texts:
        try:
            anchor = verify_log.anchor_read(text)
        except ValueError as error:
            raise CommandError(str(error)) from None
        anchors.setdefault(anchor[0], []).append(anchor)
    return anchors
