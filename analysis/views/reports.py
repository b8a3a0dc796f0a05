"""Pages for researchers and admins. Until a study is unblinded every page and file of it is refused."""

from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from analysis.export import FILE_NOTES, page_context, report_files, zip_bytes
from analysis.reports import Report
from analysis.selectors import report_list, study_counted
from analysis.services import StudyStillBlinded, report_current, report_facts, report_sources
from annotation.models import Study

CONTENT_TYPES = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
EVERYTHING = "all.zip"


@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    return render(request, "analysis/list.html", {"studies": report_list()})


@require_safe
def report(request: HttpRequest, slug: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    try:
        snapshot = report_current(study=study, by=_signed_in(request))
        facts = report_facts(study)
    except StudyStillBlinded:
        return _still_blinded(request, slug)
    context = page_context(Report.from_json(snapshot.numbers), facts)
    return render(
        request,
        "analysis/report.html",
        {**context, "study": study, "snapshot": snapshot, "files": FILE_NOTES, "everything": EVERYTHING},
    )


@require_safe
def download(request: HttpRequest, slug: str, file: str) -> HttpResponse:
    study = get_object_or_404(Study, slug=slug)
    try:
        sources = report_sources(study=study, by=_signed_in(request))
    except StudyStillBlinded:
        return _still_blinded(request, slug)
    files = report_files(sources)
    if file == EVERYTHING:
        return _attachment(zip_bytes(slug, files), f"{slug}.zip", "application/zip")
    if file not in files:
        raise Http404
    content_type = CONTENT_TYPES.get(file.rpartition(".")[2], "text/plain; charset=utf-8")
    return _attachment(files[file](), f"{slug}-{file}", content_type)


def _signed_in(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _still_blinded(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "analysis/still_blinded.html", {"study": study_counted(slug)}, status=403)


def _attachment(content: bytes, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    return response
