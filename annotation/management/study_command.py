"""What the study commands share: the study by its short name, refusals as clear sentences, a progress bar."""

import argparse
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from annotation.design import DesignRefused
from annotation.models import Study
from annotation.selectors import study_by_slug, study_list
from annotation.services import StudyRefused, StudyStillBlinded


class StudyCommand(ABC, BaseCommand):
    """A command about one study; `handle_study` does the work and returns what to print."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("study", help="short name (slug) of the study")

    def handle(self, *args: Any, **options: Any) -> None:
        study = study_named(options.pop("study"))
        with refusals_told():
            self.stdout.write(self.handle_study(study, **options))

    @abstractmethod
    def handle_study(self, study: Study, **options: Any) -> str:
        """Do the work; returns what is printed."""


def study_named(slug: str) -> Study:
    study = study_by_slug(slug)
    if study is None:
        known = ", ".join(study_list().values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no study {slug!r}. Studies: {known}.")
    return study


@contextmanager
def refusals_told() -> Iterator[None]:
    """A refusal is an answer, not a crash: one sentence and no traceback."""
    try:
        yield
    except (DesignRefused, StudyRefused, StudyStillBlinded) as error:
        raise CommandError(str(error)) from None


@contextmanager
def freeze_bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar for `study_freeze`."""
    with tqdm(desc="Drawing neurons", unit="neuron") as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield show
