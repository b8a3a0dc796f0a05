"""Pages for researchers and admins. Until a study is unblinded every page and file of it is refused."""

from typing import Any

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analysis.export import EVERYTHING, content_type_of, file_notes, page_context, report_files, zip_bytes
from analysis.reports import Report
from analysis.selectors import report_list, study_counted
from analysis.services import StudyStillBlinded, report_current, report_facts, report_sources
from annotation.models import Study


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    comparable = Study.objects.filter(state=Study.State.UNBLINDED).count() > 1
    return render(request, "analysis/list.html", {"studies": report_list(), "comparable": comparable})


@require_safe
@gzip_page
def report(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    try:
        snapshot = report_current(study=study, by=signed_in(request))
        facts = report_facts(study)
    except StudyStillBlinded:
        return still_blinded(request, slug)
    found = Report.from_json(snapshot.numbers)
    return render(
        request,
        "analysis/report.html",
        {**page_context(found, facts), **_around(study, found), "snapshot": snapshot},
    )


def _around(study: Study, found: Report) -> dict[str, Any]:
    """What only the web page has: files, and where else to go."""
    names = ("paragraphs.txt", "paragraphs.md")
    downloads = [(name, reverse("analysis:download", args=[study.slug, name])) for name in names]
    others = Study.objects.filter(state=Study.State.UNBLINDED).exclude(pk=study.pk).exists()
    return {
        "study": study, "files": file_notes(found), "everything": EVERYTHING, "downloads": downloads, "others": others,
    }  # fmt: skip


@require_safe
def download(request: HttpRequest, slug: str, file: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    try:
        sources = report_sources(study=study, by=signed_in(request))
    except StudyStillBlinded:
        return still_blinded(request, slug)
    files = report_files(sources)
    if file == EVERYTHING:
        return _attachment(zip_bytes(slug, files), f"{slug}.zip", "application/zip")
    if file not in files:
        raise Http404
    return _attachment(files[file](), f"{slug}-{file}", content_type_of(file))


def signed_in(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def still_blinded(request: HttpRequest, slug: str) -> HttpResponse:
    """The refusal of every page and file of a study that is not unblinded."""
    return render(request, "analysis/still_blinded.html", {"study": study_counted(slug)}, status=403)


def _attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
