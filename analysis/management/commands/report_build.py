"""`report_build STUDY --out DIR`: the report of an unblinded study as a folder of files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.export import FolderInUse, folder_write, report_files
from analysis.services import StudyStillBlinded, report_sources
from annotation.models import Study


class Command(BaseCommand):
    help = "Write the report of an unblinded study: page, numbers, tables, figures, protocol."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name (slug) of the study")
        parser.add_argument("--out", required=True, type=Path, help="folder to write; replaced as a whole")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no study {options['study']!r}; studies here: {known}.")
        try:
            folder_write(options["out"], report_files(report_sources(study=study)))
        except (StudyStillBlinded, FolderInUse, OSError) as error:
            raise CommandError(str(error)) from error
        label = " (simulated raters)" if study.simulated else ""
        self.stdout.write(f"Report of “{study.title}”{label} written to {options['out']}.")
