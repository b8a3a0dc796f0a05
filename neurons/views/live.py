"""Your own text: type or edit a text and see one neuron's activations on it.

The networks run in the inference service, never here. The page is a form; with a script it answers while one types.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from neurons.inference import InferenceBusy, InferenceError, InferenceRefused, read_text, text_maxima
from neurons.models import HarvestRun, Network
from neurons.store.harvest import HarvestStore
from neurons.views.live_edits import EditLog, log_from_json
from neurons.views.live_reading import ShownReading, drop_rows, firing_layers, pieces_to_drop
from neurons.views.opened import Opened, open_neuron

MOST_CHARACTERS = 20_000
SNIPPETS_OFFERED = 5
BEYOND = 200  # characters behind the context that one dropped token can bring into it
BEFORE, AFTER = 32, 8  # tokens of a snippet that one starts from
RANGES = ("harvest", "first", "own")


@dataclass(frozen=True)
class Asked:
    """What the form says.

    Attributes
    ----------
    typed : bool
        Whether a difference to the last text was typed, not clicked.
    note : str
        What the reader has to know about it.
    """

    text: str
    log: EditLog
    typed: bool = True
    note: str = ""


@require_http_methods(["GET", "HEAD", "POST"])
def own_text(request: HttpRequest, name: str, layer: int, index: int) -> HttpResponse:
    opened = open_neuron(request, name, layer, index)
    page: dict[str, Any] = opened.as_context() | {"layer": layer, "index": index, "range": "harvest", "click": "drop"}
    page["problem"] = page["problem"] or why_no_live_text(opened)
    store = opened.store
    if page["problem"] or store is None:
        return render(request, "neurons/live_text.html", page)
    page |= _about(store, layer, index)
    if request.method != "POST":
        return render(request, "neurons/live_text.html", page | _begin(request.GET, store, layer, index))
    page |= _choices(request.POST, page)
    asked = _asked(request.POST)
    page |= {"text": asked.text, "state": asked.log.to_json(), "note": asked.note}
    status = 200
    try:
        page |= _answer(request, opened, store, layer, index, asked, page)
    except InferenceError as error:
        page["error"], status = str(error), status_of(error)
    return render(request, _template(request), page, status=status)


def why_no_live_text(opened: Opened) -> str:
    """Why no text can be read with this network; empty if one can."""
    if opened.network.format == Network.Format.RECORDS:
        return "This network came as activation records without a model, so it cannot read a text of yours."
    if opened.run is not None and not opened.run.follows_neurons:
        return (
            "This harvest follows random directions and not the network's neurons, and a text of yours is read by "
            "neurons only. Choose another harvest on the network's page."
        )
    if opened.store is not None and not (opened.store.corpus.folder / "tokenizer.json").is_file():
        return (
            f"The corpus {opened.run.corpus if opened.run else ''} came without a tokenizer, so a text of yours cannot "
            "be cut into this network's tokens."
        )
    return ""


def status_of(error: InferenceError) -> int:
    if isinstance(error, InferenceRefused):
        return 400
    return 429 if isinstance(error, InferenceBusy) else 503


def reader_of(request: HttpRequest) -> str:
    """Names the session without giving it away; one request of each is worked on at a time."""
    return hashlib.sha256(f"reader:{request.session.session_key}".encode()).hexdigest()[:32]


def plain_text(sent: str) -> str:
    """A text as a browser's form sent it: with the line ends that it was typed with."""
    return sent.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode("utf-8")


def _template(request: HttpRequest) -> str:
    return "neurons/_live_reading.html" if request.headers.get("HX-Request") else "neurons/live_text.html"


def _about(store: HarvestStore, layer: int, index: int) -> dict[str, Any]:
    values = store.top_values(layer, index)
    return {
        "harvest_maximum": float(values[0]) if len(values) else 0.0,
        "ranks": range(1, 1 + min(SNIPPETS_OFFERED, len(values))),
        "most_characters": MOST_CHARACTERS,
    }


def _begin(query: Mapping[str, str], store: HarvestStore, layer: int, index: int) -> dict[str, Any]:
    """An empty page, or one with the text of the snippet of a rank, counted from 1."""
    rank = query.get("snippet", "")
    if not _is_number(rank) or not 1 <= int(rank) <= store.top_count(layer, index):
        return {"text": "", "state": ""}
    config = store.meta["config"]
    before, after = min(BEFORE, int(config["before"])), min(AFTER, int(config["after"]))
    snippet = store.top_snippets(layer, index, int(rank), before, after)[-1]
    text = plain_text("".join(piece for piece, _ in snippet.pieces))
    return {"text": text, "state": "", "rank": int(rank), "snippet_value": snippet.pieces[snippet.peak][1]}


def _choices(form: Mapping[str, str], page: dict[str, Any]) -> dict[str, Any]:
    """Range of colours and what a click does."""
    chosen = form.get("range", "") if form.get("range") in RANGES else "harvest"
    if chosen == "harvest" and not page["harvest_maximum"]:
        chosen = "first"
    click = "replace" if form.get("click") == "replace" else "drop"
    return {
        "range": chosen,
        "own_scale": form.get("scale", ""),
        "click": click,
        "with": plain_text(form.get("with", "")),
    }


def _asked(form: Mapping[str, str]) -> Asked:
    """The text to read: the one in the box, or what a button makes of it."""
    text, log = plain_text(form.get("text", "")), log_from_json(form.get("state", ""))
    if "undo" in form:
        log = log.undone() if text == log.text else log
        return Asked(log.text, log)
    if place := form.get("at", ""):
        return _clicked(text, log, place, plain_text(form.get("with", "")) if form.get("click") == "replace" else "")
    return Asked(text, log)


def _clicked(text: str, log: EditLog, place: str, instead: str) -> Asked:
    start, _, end = place.partition("-")
    if not (_is_number(start) and _is_number(end) and int(start) < int(end) <= len(log.text)):
        return Asked(text, log, note="The token that was clicked is not in the text; click again.")
    if text != log.text:
        return Asked(text, log, note="The text had changed since it was read. It is read now; click again.")
    return Asked(text[: int(start)] + instead + text[int(end) :], log, typed=False)


def _is_number(written: str) -> bool:
    return written.isdecimal() and len(written) < 10


def _answer(
    request: HttpRequest,
    opened: Opened,
    store: HarvestStore,
    layer: int,
    index: int,
    asked: Asked,
    page: dict[str, Any],
) -> dict[str, Any]:
    if len(asked.text) > MOST_CHARACTERS:
        raise InferenceRefused(f"The text has {len(asked.text):,} characters; at most {MOST_CHARACTERS:,} are read.")
    if opened.run is None:
        raise InferenceRefused("This network has no finished harvest, so its tokenizer is not known.")
    network, corpus = opened.network, opened.run.corpus
    site, reader = opened.run.site, reader_of(request)
    reading = read_text(network, corpus, asked.text, [(layer, index)], site=site, reader=reader)
    log = asked.log.read(asked.text, ShownReading(reading, 0.0).peak, typed=asked.typed)
    scale, error = _scale(page, log)
    shown = ShownReading(reading, scale)
    found = {"shown": shown, "log": log, "state": log.to_json(), "scale_error": error}
    if request.POST.get("do") == "drops" and (rows := pieces_to_drop(shown)):
        text = asked.text[: reading.pieces[-1].end + BEYOND]
        texts = [text[: row.piece.start] + text[row.piece.end :] for row in rows]
        found["drops"] = drop_rows(shown, rows, _peaks(opened.run, texts, (layer, index), reader))
        found["drops_left_off"] = shown.peak_row.position - len(rows) if shown.peak_row else 0
    if request.POST.get("do") == "neurons" and reading.pieces:
        maxima = text_maxima(network, corpus, [asked.text], site=site, positions=True, reader=reader)
        found["layers"] = firing_layers(store, maxima, reading, opened.address)
    return found


def _peaks(run: HarvestRun, texts: list[str], neuron: tuple[int, int], reader: str) -> list[float]:
    """Strongest activation in each text; nothing fires where nothing is left."""
    peaks, left = dict.fromkeys(texts, 0.0), [text for text in texts if text]
    if left:
        maxima = text_maxima(run.network, run.corpus, left, site=run.site, neurons=[neuron], reader=reader)
        peaks |= dict(zip(left, maxima.values[:, 0].tolist(), strict=True))
    return [peaks[text] for text in texts]


def _scale(page: dict[str, Any], log: EditLog) -> tuple[float, str]:
    """End of the colour range, and what is wrong with the one that was asked for."""
    harvested, first = page["harvest_maximum"], max(0.0, log.first_peak or 0.0)
    if page["range"] == "first":
        return first, ""
    if page["range"] == "own":
        try:
            own = float(page["own_scale"].replace(",", "."))
        except ValueError:
            own = math.nan
        if 0 < own < math.inf:
            return own, ""
        return harvested or first, f"“{page['own_scale']}” is no number above 0; the harvested maximum is used."
    return harvested, ""
