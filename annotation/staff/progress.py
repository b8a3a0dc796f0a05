"""How a running study gets on: answers by rater and day, and the raters' checks. All arms together, for everybody."""

from dataclasses import dataclass
from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.design import design_from_dict
from annotation.models import Study
from annotation.selectors import answers_by_day, study_progress
from annotation.services.quality import study_quality


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    counts: tuple[int, ...]  # in the order of the raters
    total: int


@require_safe
def progress(request: HttpRequest, slug: str) -> HttpResponse:
    """By rater and by day, never by arm."""
    study = get_object_or_404(Study.objects.exclude(protocol_sha256=""), slug=slug)
    seats = [seat for seat in study_progress(study) if seat.pseudonym]
    days = _days(study, [seat.number for seat in seats])
    page = {
        "study": study,
        "seats": seats,
        "days": days,
        "most": max((day.total for day in days), default=0),
        "quality": study_quality(study) if seats else [],
        "limits": design_from_dict(study.design).quality,
    }
    return render(request, "annotation/staff/progress.html", page)


def _days(study: Study, seats: list[int]) -> list[Day]:
    counted: dict[date, dict[int, int]] = {}
    for day, seat, answers in answers_by_day(study):
        counted.setdefault(day, {})[seat] = answers
    return [_day(day, counts, seats) for day, counts in sorted(counted.items())]


def _day(day: date, counts: dict[int, int], seats: list[int]) -> Day:
    row = tuple(counts.get(seat, 0) for seat in seats)
    return Day(day, row, sum(row))
