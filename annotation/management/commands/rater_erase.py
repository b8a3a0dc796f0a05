"""Erase the person behind a rater's pseudonym: account, address, links, declarations."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.management.study_command import refusals_told
from annotation.models import Evaluator
from annotation.services.leaving import rater_erase


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("pseudonym", help="as it stands in tables; not the user name")

    def handle(self, *args: Any, pseudonym: str, **options: Any) -> None:
        evaluator = Evaluator.objects.filter(pseudonym=pseudonym).first()
        if evaluator is None:
            raise CommandError(f"There is no rater {pseudonym!r}; give a pseudonym as it stands in tables.")
        with refusals_told():
            rater_erase(evaluator=evaluator)
        for erasure in evaluator.erasures.select_related("study").order_by("id"):
            self.stdout.write(
                f"{erasure.study}: {erasure.set_aside} answers set aside, words erased in {erasure.texts_erased}"
            )
        self.stdout.write(f"{pseudonym}: the person is erased")
