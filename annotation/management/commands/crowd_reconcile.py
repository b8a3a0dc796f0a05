"""Compare a study's submissions with the provider's own list; with --repair, take over what the provider says."""

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from annotation.management.study_command import StudyCommand
from annotation.models import CrowdIntake, Provider, Study
from annotation.providers.prolific_api import ProviderApi, ProviderFailed
from annotation.services.reconcile import Difference, crowd_reconcile


class Command(StudyCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--repair", action="store_true", help="free the seats of those who left at the provider")

    def handle_study(self, study: Study, **options: Any) -> str:
        intake = CrowdIntake.objects.filter(study=study, provider=Provider.PROLIFIC).exclude(external_study="").first()
        if intake is None:
            raise CommandError(f"{study.slug} takes in nobody from Prolific, or its id there is not set; set it first.")
        if not settings.PROLIFIC_TOKEN:
            raise CommandError("BLINDSCOPE_PROLIFIC_TOKEN is not set; give a token of the researcher's account.")
        try:
            # Read to the end before anything is locked: a slow provider must keep nobody waiting at the door.
            remote = list(
                ProviderApi(settings.PROLIFIC_API, settings.PROLIFIC_TOKEN).submissions(intake.external_study)
            )
        except ProviderFailed as failure:
            raise CommandError(str(failure)) from None
        found = crowd_reconcile(intake=intake, remote=remote, repair=options["repair"])
        lines = [
            f"{study.slug}: {len(remote)} submissions at the provider, {len(found)} differences",
            *map(_line, found),
        ]
        return "\n".join(lines)


def _line(difference: Difference) -> str:
    name = f"submission {difference.submission}" if difference.submission else "a submission unknown here"
    said = f"here {difference.here or 'nothing'}, there {difference.there or 'nothing'}"
    return f"  {name} ({said}): {difference.problem}{' Settled.' if difference.settled else ''}"
