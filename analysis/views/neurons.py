"""The table of every neuron of an unblinded study."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from analysis.neuron_pages import ASKED, SORTS, VERDICTS, NeuronPage, NeuronQuery, neuron_page
from analysis.services import StudyStillBlinded
from analysis.views.reports import still_blinded
from annotation.models import Study

COLUMNS = {"neuron_id": "Neuron", "share": "Yes", "layer": "Layer"}
VERDICT_WORDS = {
    "yes": "more yes than no",
    "no": "more no than yes",
    "tie": "as many yes as no",
    "split": "raters disagree",
    "none": "nobody judged",
}


@require_safe
@gzip_page
def neurons(request: HttpRequest, slug: str) -> HttpResponse:
    """Filters, order and page stand in the address, so that a view of the table is a link."""
    study = get_object_or_404(Study, slug=slug)
    query = _query(request)
    try:
        table = neuron_page(study, query)
    except StudyStillBlinded:
        return still_blinded(request, slug)
    asked = {name: request.GET[name] for name in ASKED if request.GET.get(name)}
    context = {"study": study, "table": table, "query": query, "columns": _columns(query, asked)}
    return render(request, "analysis/neurons.html", context | _choices() | _pager(table, asked))


def _query(request: HttpRequest) -> NeuronQuery:
    told = {name: request.GET.get(name, "") for name in ASKED}
    page = request.GET.get("page", "1")
    return NeuronQuery(
        size=told["size"],
        arm=told["arm"],
        verdict=told["verdict"] if told["verdict"] in VERDICTS else "",
        text=told["q"].strip(),
        sort=told["sort"] if told["sort"].removeprefix("-") in SORTS else "neuron_id",
        page=int(page) if page.isdecimal() and len(page) < 9 else 1,
    )


def _columns(query: NeuronQuery, asked: dict[str, str]) -> list[dict[str, str]]:
    """Headings: where a click leads, and how the table is sorted by them now."""
    made = []
    for name, title in COLUMNS.items():
        here = {name: "ascending", f"-{name}": "descending"}.get(query.sort, "")
        turned = f"-{name}" if here == "ascending" or (not here and name == "share") else name
        made.append({"title": title, "sorted": here, "url": "?" + urlencode({**asked, "sort": turned}), "name": name})
    return made


def _choices() -> dict[str, Any]:
    return {"verdicts": [(name, VERDICT_WORDS[name]) for name in VERDICT_WORDS]}


def _pager(table: NeuronPage, asked: dict[str, str]) -> dict[str, str]:
    return {
        "previous": "?" + urlencode({**asked, "page": table.page - 1}) if table.page > 1 else "",
        "next": "?" + urlencode({**asked, "page": table.page + 1}) if table.page < table.pages else "",
    }
