"""Check a frozen study against its own protocol: items, orders, and after unblinding the key and the judgments."""

from typing import Any

from django.core.management.base import CommandError

from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.services import study_problems


class Command(StudyCommand):
    help = __doc__

    def handle_study(self, study: Study, **options: Any) -> str:
        problems = study_problems(study)
        if problems:
            raise CommandError("\n".join(problems))
        return f"{study.slug}: all as frozen; protocol sha256 {study.protocol_sha256}"
