"""Django's own admin: studies, their log, raters and seats, to look at only.

No sealed table, no item and no judgment is registered, and nothing here can be added, changed or deleted: a study is
led by its services, which check and log every step. The design of a study names its arms, as its frozen protocol does
in public, but nothing here says which item belongs to which.
"""

from typing import Any

from django.contrib import admin
from django.db.models import Count, Model, QuerySet
from django.http import HttpRequest

from annotation.models import Evaluator, Seat, Study, StudyEvent


class LookOnly(admin.ModelAdmin):
    """Rows can be seen and nothing else."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Study)
class StudyAdmin(LookOnly):
    list_display = ("title", "slug", "state", "rater_kind", "created_at", "frozen_at", "opened_at", "closed_at")
    list_filter = ("state", "rater_kind")
    fields = (*list_display, "design", "protocol_sha256")


@admin.register(StudyEvent)
class StudyEventAdmin(LookOnly):
    list_display = ("at", "study", "action", "actor", "reason")
    list_filter = ("study", "action")
    fields = ("at", "study", "action", "actor", "reason", "details")


@admin.register(Evaluator)
class EvaluatorAdmin(LookOnly):
    list_display = ("pseudonym", "user", "kind", "created_at")
    list_filter = ("kind",)


@admin.register(Seat)
class SeatAdmin(LookOnly):
    list_display = ("study", "number", "evaluator", "seated_at", "instructions_read_at", "practice_done_at", "progress")
    list_filter = ("study",)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seat]:
        seats: QuerySet[Seat] = super().get_queryset(request)
        return seats.annotate(done=Count("assignments__done_at"), total=Count("assignments"))

    @admin.display(description="progress")
    def progress(self, seat: Any) -> str:
        return f"{seat.done} of {seat.total}"
