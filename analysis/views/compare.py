"""Two unblinded studies side by side."""

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analysis.export.compared import comparison_sections
from analysis.reports.comparison import Comparison
from analysis.services import StudyStillBlinded, studies_compared
from analysis.views.reports import signed_in, still_blinded
from annotation.models import Study


@require_safe
@gzip_page
def compare(request: HttpRequest) -> HttpResponse:
    """`?first=NAME&second=NAME`, and `&format=json` for the numbers; without both, a form that asks which."""
    slugs = [request.GET.get(name, "") for name in ("first", "second")]
    context: dict[str, Any] = {"studies": _open(), "asked": slugs}
    if not all(slugs):
        return render(request, "analysis/compare.html", context)
    if slugs[0] == slugs[1]:
        return render(request, "analysis/compare.html", {**context, "same": True})
    first, second = (get_object_or_404(Study, slug=slug) for slug in slugs)
    try:
        comparison = studies_compared(first=first, second=second, by=signed_in(request))
    except StudyStillBlinded:
        blinded = first if first.state != Study.State.UNBLINDED else second
        return still_blinded(request, blinded.slug)
    if request.GET.get("format") == "json":
        return _json(comparison)
    told = {"comparison": comparison, "first": first, "second": second, "sections": comparison_sections(comparison)}
    return render(request, "analysis/compare.html", context | told)


def _open() -> QuerySet[Study]:
    return Study.objects.filter(state=Study.State.UNBLINDED).order_by("title")


def _json(comparison: Comparison) -> HttpResponse:
    content = json.dumps(comparison.to_json(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    response = HttpResponse(content, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="{"-and-".join(comparison.studies)}.json"'
    response["Cache-Control"] = "private, no-store"
    return response
