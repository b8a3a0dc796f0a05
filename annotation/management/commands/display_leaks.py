"""Measure how well each display hides the arms of a design, and how much it still shows; makes no study.

Every page is drawn as a rater would get it, and classifiers guess the arm. What the columns mean: docs/blinding.md.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation.design import design_from_toml
from annotation.leaks import Auc, Comparison
from annotation.management.study_command import refusals_told
from annotation.services.display_trial import DISPLAYS, DisplayTrial, display_trial

COLUMNS = ("size", "arms", "display", "presentation", "text's shape", "words", "detail kept", "tells most")


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--from", dest="file", required=True, type=Path, metavar="FILE.toml")
        parser.add_argument("--neurons", type=int, default=400, help="of each size and arm (default 400)")
        parser.add_argument("--display", action="append", metavar="LABEL", help="one of the displays; may be repeated")

    def handle(self, *args: Any, **options: Any) -> None:
        labels = [display.label for display in DISPLAYS]
        unknown = set(options["display"] or ()) - set(labels)
        if unknown:
            raise CommandError(f"Received {', '.join(sorted(unknown))}; known are: {'; '.join(labels)}.")
        self.stdout.write(_row(COLUMNS) + "\n" + _row(["---"] * len(COLUMNS)))
        with refusals_told():
            design = design_from_toml(options["file"].read_text(encoding="utf-8"))
            for pair in design.pairs:
                for display in DISPLAYS:
                    if not options["display"] or display.label in options["display"]:
                        trial = display_trial(replace(design, pairs=(pair,)), display, neurons=options["neurons"])
                        self.stdout.write("\n".join(_rows(pair.size, trial)))


def _rows(size: str, trial: DisplayTrial) -> Iterable[str]:
    for found in trial.numbers.pairs:
        arms = f"{found.first}, {found.second}"
        detail = ", ".join(f"{trial.detail[arm]:.2f}" for arm in (found.first, found.second))
        areas = [_area(area) for area in (found.presentation, found.text_shape, found.words)]
        yield _row([size, arms, trial.display.label, *areas, detail, _features(found)])


def _features(found: Comparison) -> str:
    return "; ".join(f"{leak.name} {leak.alone.auc:.2f}" for leak in found.features[:3])


def _area(area: Auc | None) -> str:
    return "too few" if area is None else f"{area.auc:.2f} [{area.low:.2f}, {area.high:.2f}]"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
