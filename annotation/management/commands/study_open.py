"""Open a frozen study for rating."""

from typing import Any

from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.services import study_open


class Command(StudyCommand):
    help = __doc__

    def handle_study(self, study: Study, **options: Any) -> str:
        return f"{study_open(study=study).slug}: open"
