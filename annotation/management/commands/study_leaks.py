"""Repeat the leak audit of a frozen study: can the arm of an item be told from how it is shown? Stored and logged."""

from typing import Any

from annotation.leaks import Auc, Comparison, numbers_read
from annotation.management.study_command import StudyCommand
from annotation.models import Study
from annotation.services import study_leaks
from annotation.services.leaks import leaks_summed


class Command(StudyCommand):
    help = __doc__

    def handle_study(self, study: Study, **options: Any) -> str:
        audit = study_leaks(study=study)
        for found in numbers_read(audit.numbers).comparisons:
            self.stdout.write(_told(found))
        return f"{study.slug}: {leaks_summed(audit)}. Rule: {audit.rule}. It took {audit.seconds:g} s."


def _told(found: Comparison) -> str:
    if found.presentation is None:
        return f"{found.first} or {found.second}: too few neurons to say ({found.neurons[0]} and {found.neurons[1]})"
    lines = [f"{found.first} or {found.second}: AUC {_area(found.presentation)} from presentation"]
    lines += [f"  {leak.name}: {_area(leak.alone)} alone, {leak.without:.2f} without it" for leak in found.features[:5]]
    told = (("shape of the texts", found.text_shape), ("words", found.words), ("drawing time", found.drawing_time))
    return "\n".join([*lines, *(f"  for information, {what}: {_area(area)}" for what, area in told)])


def _area(area: Auc | None) -> str:
    return "–" if area is None else f"{area.auc:.2f} [{area.low:.2f}, {area.high:.2f}]"
