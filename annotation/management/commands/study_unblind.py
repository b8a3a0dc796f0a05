"""Unblind a closed study: the key opens, once and on record."""

import argparse
from typing import Any

from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.services import study_unblind


class Command(StudyCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", required=True, help="why now; kept with the study")

    def handle_study(self, study: Study, **options: Any) -> str:
        study = study_unblind(study=study, reason=options["reason"])
        return f"{study.slug}: unblinded"
