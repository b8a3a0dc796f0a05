"""Reports and exports through the API, refused until a study is unblinded.

They stand here and not with the rest of the staff's API because analysis lies above annotation: nothing there may know
of a report. `request.auth` is a `annotation.staff.api.StaffKey`; whoever mounts the router sees to that.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Router, Schema

from analysis.export import EVERYTHING, content_type_of, file_notes, report_files, zip_bytes
from analysis.reports import Report
from analysis.services import report_current, report_sources
from annotation.models import Study

router = Router(tags=["Results"])


class FileOut(Schema):
    name: str
    note: str


@router.get("/studies/{slug}/report", response=dict[str, Any])
def report(request: HttpRequest, slug: str) -> dict[str, Any]:
    """The numbers of the report."""
    snapshot = report_current(study=_study(request, slug), by=request.auth.by)  # type: ignore[attr-defined]
    return {
        "input_sha256": snapshot.input_sha256,
        "code_version": snapshot.code_version,
        "seed": snapshot.seed,
        "numbers": snapshot.numbers,
    }


@router.get("/studies/{slug}/files", response=list[FileOut])
def files(request: HttpRequest, slug: str) -> list[dict[str, str]]:
    """The files of the export."""
    snapshot = report_current(study=_study(request, slug), by=request.auth.by)  # type: ignore[attr-defined]
    notes = {EVERYTHING: "all of them", **file_notes(Report.from_json(snapshot.numbers))}
    return [{"name": name, "note": note} for name, note in notes.items()]


@router.get("/studies/{slug}/files/{name}", response=None)
def file(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """One file of the export."""
    study = _study(request, slug)
    found = report_files(report_sources(study=study, by=request.auth.by))  # type: ignore[attr-defined]
    if name not in {*found, EVERYTHING}:
        raise Http404
    content = zip_bytes(slug, found) if name == EVERYTHING else found[name]()
    content_type = "application/zip" if name == EVERYTHING else content_type_of(name)
    headers = {"Content-Disposition": f'attachment; filename="{slug}-{name}"', "Cache-Control": "private, no-store"}
    return HttpResponse(content, content_type=content_type, headers=headers)


def _study(request: HttpRequest, slug: str) -> Study:
    """The token's own study; any other is answered as if it were not there."""
    own = slug == request.auth.study  # type: ignore[attr-defined]
    found = Study.objects.filter(slug=slug).first() if own else None
    if found is None:
        raise Http404
    return found
