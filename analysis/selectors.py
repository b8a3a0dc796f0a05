"""What the list of reports shows: nothing by arm, nothing about answers but their number."""

from django.db.models import QuerySet

from annotation.models import Study
from annotation.selectors import study_list


def report_list() -> QuerySet[Study]:
    """Every study, newest first, with `done` and `total` assignments."""
    return study_list()


def study_counted(slug: str) -> Study | None:
    """One study with its number of answers, or None."""
    return study_list().filter(slug=slug).first()
