"""Reverse search: from texts that show a feature, and texts that do not, to the neurons that tell them apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from neurons.inference import InferenceError, InferenceRefused, text_maxima
from neurons.selectors import harvests_finished, harvests_finished_of
from neurons.views.live import plain_text, reader_of, status_of, why_no_live_text
from neurons.views.opened import Opened, open_harvest, open_network
from neurons.views.reverse_search import (
    FEWEST,
    MOST_CHARACTERS,
    MOST_TEXTS,
    MOST_TOKENS,
    TextsRefused,
    group_texts,
    rank_neurons,
    split_texts,
)


@dataclass(frozen=True, slots=True)
class Partner:
    """Another network of the pair that can be searched with this one."""

    opened: Opened
    is_chosen: bool

    @property
    def name(self) -> str:
        return self.opened.network.name


@require_http_methods(["GET", "HEAD", "POST"])
def reverse(request: HttpRequest, name: str) -> HttpResponse:
    opened = open_network(request, name)
    partners = _partners(opened, request.POST.getlist("with"))
    page: dict[str, Any] = opened.as_context() | {"partners": partners, "how": "lines", "limits": _limits()}
    page["problem"] = page["problem"] or why_no_live_text(opened)
    if page["problem"] or request.method != "POST":
        return render(request, "neurons/live_reverse.html", page)
    form, status = _form(request.POST), 200
    page |= form
    try:
        page |= _search([opened, *(one.opened for one in partners if one.is_chosen)], form, reader_of(request))
    except TextsRefused as error:
        page["error"], status = str(error), 400
    except InferenceError as error:
        page["error"], status = str(error), status_of(error)
    return render(request, "neurons/live_reverse.html", page, status=status)


def _limits() -> dict[str, int]:
    return {"fewest": FEWEST, "texts": MOST_TEXTS, "tokens": MOST_TOKENS, "characters": MOST_CHARACTERS}


def _form(sent: Mapping[str, str]) -> dict[str, str]:
    boxes = {box: plain_text(sent.get(box, "")) for box in ("examples", "counters")}
    return boxes | {"how": "blocks" if sent.get("how") == "blocks" else "lines"}


def _partners(opened: Opened, chosen: list[str]) -> list[Partner]:
    """Networks of the pair with a finished harvest on the same corpus at the same site."""
    if opened.run is None:
        return []
    alike = harvests_finished().filter(
        network__pair=opened.network.pair,
        corpus=opened.run.corpus,
        site=opened.run.site,
        basis=opened.run.basis,
    )
    found = []
    for run in alike.exclude(network=opened.network).order_by("network__name"):
        other = open_harvest(run.network, harvests_finished_of(run.network), run)
        if other.store is not None and not why_no_live_text(other):
            found.append(Partner(other, run.network.name in chosen))
    return found


def _search(networks: list[Opened], form: dict[str, str], reader: str) -> dict[str, Any]:
    for box in ("examples", "counters"):
        if len(form[box]) > MOST_CHARACTERS:
            raise TextsRefused(f"A box has {len(form[box]):,} characters; at most {MOST_CHARACTERS:,} are read.")
    groups = group_texts(*(split_texts(form[box], form["how"]) for box in ("examples", "counters")))
    maxima = []
    for opened in networks:
        if opened.run is None:
            raise InferenceRefused(f"{opened.network} has no finished harvest, so its tokenizer is not known.")
        maxima.append(
            text_maxima(
                opened.network,
                opened.run.corpus,
                groups.texts,
                site=opened.run.site,
                most_tokens=MOST_TOKENS,
                reader=reader,
            )
        )
    cut = sorted({number for network in maxima for number in network.cut})
    return {
        "groups": groups,
        "found": rank_neurons(networks, maxima, groups),
        "tokens": sum(maxima[0].tokens),
        "cut": [groups.texts[number][:40] for number in cut],
        "several": len(networks) > 1,
    }
