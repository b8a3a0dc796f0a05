"""Make a study from a TOML design; see annotation/study_templates for one to start from."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.design import design_from_toml
from annotation.management.study_command import freeze_bar, refusals_told
from annotation.services import study_create, study_freeze, study_open


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--from", dest="file", required=True, type=Path, metavar="FILE.toml")
        parser.add_argument("--freeze", action="store_true", help="freeze it at once")
        parser.add_argument("--open", action="store_true", help="freeze it and open it for rating at once")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"Cannot read {options['file']}: {error}.") from None
        with refusals_told():
            study = study_create(design=design_from_toml(text))
            if options["freeze"] or options["open"]:
                with freeze_bar() as progress:
                    study = study_freeze(study=study, progress=progress)
            if options["open"]:
                study = study_open(study=study)
        self.stdout.write(f"{study.slug}: {study.state}")
