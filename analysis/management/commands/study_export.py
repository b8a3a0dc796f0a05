"""`study_export STUDY --out DIR`: everything of an unblinded study as a folder or a zip of files."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.export import FolderInUse, export_write, report_files
from analysis.services import StudyStillBlinded, report_sources
from annotation.models import Study


class Command(BaseCommand):
    help = "Write everything of an unblinded study: report, tables, plan, key, log, scripts that check them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="short name (slug) of the study")
        parser.add_argument(
            "--out", required=True, type=Path, help="folder to write, replaced as a whole; or a file that ends in .zip"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(slug=options["study"]).first()
        if study is None:
            known = ", ".join(Study.objects.values_list("slug", flat=True)) or "none"
            raise CommandError(f"There is no study {options['study']!r}; studies here: {known}.")
        try:
            export_write(options["out"], study.slug, report_files(report_sources(study=study)))
        except (StudyStillBlinded, FolderInUse, OSError) as error:
            raise CommandError(str(error)) from error
        label = " (simulated raters)" if study.simulated else ""
        self.stdout.write(f"Export of “{study.title}”{label} written to {options['out']}.")
