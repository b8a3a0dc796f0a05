"""Freeze a draft: draw its neurons, store the items and the sealed key, fix every order, write the protocol."""

from typing import Any

from annotation.management.study_command import StudyCommand, freeze_bar
from annotation.models import Study
from annotation.services import study_freeze


class Command(StudyCommand):
    help = __doc__

    def handle_study(self, study: Study, **options: Any) -> str:
        with freeze_bar() as progress:
            study = study_freeze(study=study, progress=progress)
        return f"{study.slug}: frozen; protocol sha256 {study.protocol_sha256}"
