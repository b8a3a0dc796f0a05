"""Write a log and the script that checks it into a folder."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from annotation.audit import anchor, chain_of, log_text, verifier_text
from annotation.management.study_command import study_named
from annotation.models import LogChain


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("study", help="short name of a study, or “site”")
        parser.add_argument("--out", required=True, type=Path, help="folder; made if it is not there")

    def handle(self, *args: Any, study: str, out: Path, **options: Any) -> None:
        chain = chain_of(None if study == LogChain.SITE else study_named(study))
        out.mkdir(parents=True, exist_ok=True)
        (out / "log.jsonl").write_text(log_text(chain), encoding="utf-8")
        (out / "log_anchor.txt").write_text(anchor(chain) + "\n", encoding="utf-8")
        (out / "verify_log.py").write_text(verifier_text(), encoding="utf-8")
        self.stdout.write(f"{chain.length if chain else 0} lines in {out}; check: python3 verify_log.py log.jsonl")
