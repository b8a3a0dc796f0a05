"""Rules that go from one rater to another: when they can be read, and what becomes of those never written."""

from django.db import transaction
from django.utils import timezone

from annotation.blinding.refusals import AnswerRefused
from annotation.models import Assignment, Judgment
from annotation.protocols.task import YES


def rule_of(row: Assignment) -> str:
    """The rule that an item is predicted from, as its writer left it; empty for all other items."""
    if row.rule_from_id is None:
        return ""
    rules = Judgment.objects.filter(assignment_id=row.rule_from_id, verdict=YES).order_by("-version")
    return rules.values_list("rule", flat=True).first() or ""


def first_shown(row: Assignment) -> bool:
    """Note the first time an item is on a screen; False if its rule was taken back a moment ago.

    From now on the rule stands: its writer is locked meanwhile, and cannot open it again afterwards.
    """
    if row.shown_at is None and row.rule_from_id is not None:
        with transaction.atomic():
            return _is_written(row.rule_from_id) and _noted(row)
    return row.shown_at is not None or _noted(row)


def check_undo(row: Assignment) -> None:
    """Refuse to open an answer again whose rule another rater works with already."""
    Assignment.objects.select_for_update().get(pk=row.pk)
    if row.predictions.filter(shown_at__isnull=False).exists():
        raise AnswerRefused("Your last answer cannot be opened again: another rater works with your rule already.", "")


def predictions_follow(row: Assignment, judgment: Judgment) -> None:
    """Without a rule there is nothing to predict: such items are done without an answer, unless a rule comes later."""
    waiting = row.predictions.filter(shown_at__isnull=True)
    if judgment.verdict == YES:
        waiting.filter(retired_at__isnull=False).update(retired_at=None, done_at=None)
    else:
        now = timezone.now()
        waiting.filter(done_at__isnull=True).update(retired_at=now, done_at=now)


def _noted(row: Assignment) -> bool:
    row.shown_at = timezone.now()
    Assignment.objects.filter(pk=row.pk, shown_at__isnull=True).update(shown_at=row.shown_at)
    return True


def _is_written(pk: int) -> bool:
    return Assignment.objects.select_for_update().get(pk=pk).done_at is not None
