"""The page of one harvest: how far it is, who works at it, and what became of it. It only reads."""

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from neurons.models import HarvestRun, HarvestShard, RunStatus
from neurons.selectors import shards_at_work, shards_of_note

ROWS_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the workers of a harvest read together.

    Attributes
    ----------
    tokens : int
        Read and to be read, of all shards; 0 until the first worker has made the plan.
    speed : float
        Tokens per second of all workers that were heard of lately.
    left : str
        Time until everything is read at this speed; empty: not known.
    """

    read: int
    tokens: int
    speed: float
    left: str


@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    harvest = get_object_or_404(HarvestRun.objects.select_related("network", "corpus"), pk=pk)
    shards = list(harvest.shards.order_by("number"))
    at_work = shards_at_work(harvest)
    noted = shards_of_note(harvest)
    page = {
        "run": harvest,
        "busy": harvest.status in (RunStatus.WAITING, RunStatus.RUNNING),
        "shards": len(shards),
        "done": sum(shard.status == HarvestShard.Status.DONE for shard in shards),
        "workers": len({shard.worker for shard in at_work}) or int(bool(harvest.merge_owner)),
        "lost": sum(shard.attempt - 1 for shard in shards),
        "pace": _pace(shards, at_work),
        "took": _took(harvest),
        "rows": noted[:ROWS_SHOWN],
        "more": max(0, len(noted) - ROWS_SHOWN),
        "config": sorted(harvest.config.items()),
    }
    return render(request, "neurons/run.html", page)


def _took(harvest: HarvestRun) -> str:
    if harvest.started_at is None or harvest.finished_at is None:
        return ""
    return in_words((harvest.finished_at - harvest.started_at).total_seconds())


def _pace(shards: list[HarvestShard], at_work: list[HarvestShard]) -> Pace:
    read, tokens = sum(shard.tokens_read for shard in shards), sum(shard.tokens for shard in shards)
    speed = sum(shard.tokens_per_second for shard in at_work)
    return Pace(read, tokens, speed, in_words((tokens - read) / speed) if speed and read < tokens else "")


def in_words(seconds: float) -> str:
    """A length of time for people.

    Examples
    --------
    >>> [in_words(seconds) for seconds in (5, 95, 7_300, 200_000)]
    ['5 seconds', '1 min 35 s', '2 h 1 min', '2 days 7 h']
    """
    whole = timedelta(seconds=round(seconds))
    hours, minutes = whole.seconds // 3600, whole.seconds // 60 % 60
    if whole.days:
        return f"{whole.days} days {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole.seconds % 60} s" if minutes else f"{whole.seconds} seconds"
