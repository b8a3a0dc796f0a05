"""The logs: a study's and the site's, with the check of their chains, and as files that others can check."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from annotation.audit import anchor, chain_of, chain_problems, log_text, verifier_text
from annotation.models import LogChain, Study, StudyEvent

LINES = 100  # of one page, newest first


@require_safe
def study_log(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    return _page(request, study)


@require_safe
def study_log_file(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    return _file(log_text(chain_of(study)), f"{study.slug}-log.jsonl", "application/jsonl")


@require_safe
def site_log(request: HttpRequest) -> HttpResponse:
    return _page(request, None)


@require_safe
def site_log_file(request: HttpRequest) -> HttpResponse:
    return _file(log_text(chain_of(None)), "site-log.jsonl", "application/jsonl")


@require_safe
def verifier(request: HttpRequest) -> HttpResponse:
    """The script that checks a log's file."""
    return _file(verifier_text(), "verify_log.py", "text/x-python")


def _page(request: HttpRequest, study: Study | None) -> HttpResponse:
    chain = chain_of(study)
    page = {
        "study": study,
        "problems": chain_problems(chain) if chain else [],
        "length": chain.length if chain else 0,
        "anchor": anchor(chain),
        "lines": Paginator(_lines(chain), LINES).get_page(request.GET.get("page")),
    }
    return render(request, "annotation/staff/log.html", page)


def _lines(chain: LogChain | None) -> QuerySet[StudyEvent]:
    return StudyEvent.objects.filter(chain=chain).select_related("actor__user").order_by("-number")


def _file(text: str, name: str, kind: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text.encode(), content_type=f"{kind}; charset=utf-8", headers=headers)
