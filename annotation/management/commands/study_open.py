"""Open a frozen study for rating."""

import argparse
from typing import Any

from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.services import study_open


class Command(StudyCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--overrule", default="", metavar="REASON", help="open it although its arms can be told")

    def handle_study(self, study: Study, **options: Any) -> str:
        return f"{study_open(study=study, overrule=options['overrule']).slug}: open"
