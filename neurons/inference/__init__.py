"""What pages ask of the inference service, which reads texts with a network in a process of its own.

No torch here: a web process that asks stays as small as it was. The service is started on demand (`start`), a request
and its answer travel as frames (`wire`), and every failure is an InferenceError whose text can be shown.

    reading = read_text(network, corpus, text, [(layer, neuron)], site=run.site)
    strongest = text_maxima(network, corpus, texts, site=run.site)
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from neurons.inference.errors import (
    InferenceBusy,
    InferenceDown,
    InferenceError,
    InferenceFailed,
    InferenceRefused,
    InferenceSlow,
    InferenceStranger,
)
from neurons.inference.place import place
from neurons.inference.start import start_service
from neurons.inference.talk import exchange, say_hello, say_stop
from neurons.inference.wire import Message, OtherVersion
from neurons.models import Corpus, Network
from neurons.store.pieces import character_groups

__all__ = [
    "InferenceBusy",
    "InferenceDown",
    "InferenceError",
    "InferenceFailed",
    "InferenceRefused",
    "InferenceSlow",
    "InferenceStranger",
    "Maxima",
    "Piece",
    "Reading",
    "read_text",
    "say_hello",
    "say_stop",
    "stop_service",
    "text_maxima",
]

STOP_SECONDS = 5.0
WAIT_SECONDS = 25.0  # below the 30 after which a web server gives up its worker


@dataclass(frozen=True, slots=True)
class Piece:
    """A whole character or more of a text: the tokens that share one.

    Attributes
    ----------
    text : str
    start, end : int
        Characters of the text that was read.
    tokens : int
        How many tokens it holds.
    values : tuple of float
        Activation of each neuron that was asked for: the largest of its tokens'. NaN where one was not finite.
    """

    text: str
    start: int
    end: int
    tokens: int
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as a network read it.

    Attributes
    ----------
    pieces : tuple of Piece
        Joined together they are the text up to the end of the context.
    tokens : int
        Tokens read.
    tokens_left_off : int
        Tokens beyond the network's context, which were not read.
    context : int
        Tokens of text that the network reads at once.
    """

    pieces: tuple[Piece, ...]
    tokens: int
    tokens_left_off: int
    context: int


@dataclass(frozen=True, slots=True)
class Maxima:
    """The strongest activation (or the mean) of neurons in each of several texts.

    Attributes
    ----------
    values : ndarray, float32, (texts, neurons)
        Of the neurons asked for, or of all of them, layer by layer. NaN where one was not finite.
    positions : ndarray, int32, (texts, neurons)
        Token of the maximum, counted from 0; empty if it was not asked for.
    tokens : tuple of int
        Tokens read of each text.
    cut : tuple of int
        Texts of which the end was beyond the network's context, counted from 0.
    """

    values: np.ndarray
    positions: np.ndarray
    tokens: tuple[int, ...]
    cut: tuple[int, ...]


def read_text(
    network: Network, corpus: Corpus, text: str, neurons: Sequence[tuple[int, int]], *, site: str, reader: str = ""
) -> Reading:
    """Tokens of a text with the activations of one neuron or a few, given as (layer, index).

    Parameters
    ----------
    corpus : Corpus
        Whose tokenizer cuts the text: the corpus on which the network was harvested.
    reader : str
        Who asks; of one reader, one request is worked on at a time. Empty: nobody in particular.

    Raises
    ------
    InferenceError
    """
    head = _about(network, corpus, site, reader) | {"ask": "read", "texts": [text], "neurons": list(neurons)}
    answer = _ask(head)
    raw, ends = text.encode("utf-8"), answer.arrays["ends"].astype(np.int64)
    return Reading(
        pieces=tuple(_pieces(raw, ends, answer.arrays["values"])),
        tokens=len(ends),
        tokens_left_off=int(answer.head["left_off"]),
        context=int(answer.head["context"]),
    )


def text_maxima(
    network: Network,
    corpus: Corpus,
    texts: Sequence[str],
    *,
    site: str,
    neurons: Sequence[tuple[int, int]] | None = None,
    statistic: str = "maximum",
    positions: bool = False,
    most_tokens: int | None = None,
    reader: str = "",
) -> Maxima:
    """The largest activation in each text, of every neuron or of those given as (layer, index).

    Parameters
    ----------
    statistic : {"maximum", "mean"}
        Over the tokens of a text.
    positions : bool
        Whether to tell also where the maximum is.
    most_tokens : int, optional
        Refuse if the texts have more tokens together.

    Raises
    ------
    InferenceError
    """
    wanted = {"texts": list(texts), "statistic": statistic, "positions": positions, "most_tokens": most_tokens}
    wanted["neurons"] = None if neurons is None else list(neurons)
    answer = _ask(_about(network, corpus, site, reader) | {"ask": "maxima"} | wanted)
    return Maxima(
        values=answer.arrays["values"],
        positions=answer.arrays["positions"],
        tokens=tuple(answer.head["tokens"]),
        cut=tuple(answer.head["cut"]),
    )


def stop_service() -> bool:
    """End the service of this installation; False if there was none. The next reader starts a new one."""
    try:
        say_stop(place(), time.monotonic() + STOP_SECONDS)
    except (InferenceError, OtherVersion):
        return False
    return True


def _about(network: Network, corpus: Corpus, site: str, reader: str) -> dict[str, Any]:
    """What the service has to know; it reads no database."""
    if network.format == Network.Format.RECORDS:
        raise InferenceRefused(f"{network} came as activation records without a model; it can read no other text.")
    facts = {name: getattr(network, name) for name in ("name", "url", "format", "options", "sha256")}
    tokenizer = {"name": corpus.name, "url": corpus.url, "fingerprint": corpus.tokenizer_fingerprint}
    return {"network": facts, "corpus": tokenizer, "site": site, "reader": reader}


def _ask(head: dict[str, Any], seconds: float = WAIT_SECONDS) -> Message:
    """Ask, and start the service if it is not there. Once only: a request that ends it must not go round and round."""
    deadline, where = time.monotonic() + seconds, place()
    try:
        return exchange(where, head, deadline)
    except OtherVersion as other:
        start_service(where, deadline, instead_of=other.version)
    except InferenceDown:
        start_service(where, deadline)
    try:
        return exchange(where, head, deadline)
    except OtherVersion as other:
        raise InferenceDown(f"An inference service of version {other.version} stays at {where.address}.") from None
    except InferenceDown as down:
        raise InferenceDown(f"{down} It was started anew; {where.log} may tell more.") from None


def _pieces(raw: bytes, ends: np.ndarray, values: np.ndarray) -> list[Piece]:
    """Join the tokens that share a character."""
    if not len(ends):
        return []
    ranges = np.stack([np.concatenate([[0], ends[:-1]]), ends], axis=1)
    groups = character_groups(raw, ranges)
    # The context may end within a character; that one is shown whole.
    while ranges[-1, 1] < len(raw) and raw[ranges[-1, 1]] & 0xC0 == 0x80:
        ranges[-1, 1] += 1
    pieces, characters = [], 0
    for group in range(int(groups[-1]) + 1):
        first, last = np.searchsorted(groups, [group, group + 1])
        text = raw[ranges[first, 0] : ranges[last - 1, 1]].decode("utf-8")
        strongest = tuple(float(value) for value in values[first:last].max(axis=0))
        pieces.append(Piece(text, characters, characters + len(text), int(last - first), strongest))
        characters += len(text)
    return pieces
