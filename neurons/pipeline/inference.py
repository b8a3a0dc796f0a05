"""The inference service: a process that keeps networks in memory and reads texts for pages that have no torch.

One thread accepts, a thread for each connection answers one request, two requests compute at a time. Nothing that a
request does can end the service: it gets a sentence instead. Without requests for a while the service ends itself.
It reads no database: a request names the folder of its network and of its tokenizer.
"""

import hmac
import logging
import os
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from neurons.artifacts import artifact_folder
from neurons.inference.errors import (
    InferenceBusy,
    InferenceError,
    InferenceRefused,
    InferenceSlow,
    InferenceStranger,
    kind_of,
)
from neurons.inference.place import Place, own_key
from neurons.inference.wire import (
    LARGEST_ANSWER,
    LARGEST_REQUEST,
    Message,
    OtherVersion,
    WireError,
    receive,
    remaining,
    send,
)
from neurons.lab.live import network_bytes, text_activations, text_statistics
from neurons.lab.source import NeuronSource
from neurons.lab.threads import use_threads
from neurons.lab.token_ranges import EncodedText, RangeEncoder
from neurons.lab.tokenizer import open_tokenizer
from neurons.models import Network
from neurons.pipeline import REFUSALS
from neurons.pipeline.networks import network_source

log = logging.getLogger(__name__)
CONNECTIONS = 16  # answered side by side; more wait to be accepted
COMPUTING = 2  # forward passes side by side: typing goes on while a search runs
LONGEST_SECONDS = 120.0  # that a request may ask for
HEARING_SECONDS = 10.0  # until a request must have come
POLL_SECONDS = 0.25
MOST_TEXTS = 512
MOST_TOKENS = 131_072  # of all texts of a request together
MOST_NEURONS = 64  # of one reading
MOST_ENCODERS = 4  # tokenizers in memory
Kept = TypeVar("Kept")


class Networks:
    """Networks and tokenizers in memory; the least recently used ones make room.

    Parameters
    ----------
    largest : int
        Bytes of weights to keep; the network in use is kept whatever its size.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._lock = threading.Lock()  # held for moments
        self._loading = threading.Lock()  # held while a network is read from disk
        self._networks: OrderedDict[str, tuple[NeuronSource, int]] = OrderedDict()
        self._encoders: OrderedDict[str, RangeEncoder] = OrderedDict()

    def names(self) -> list[str]:
        """Networks in memory, the least recently used first."""
        with self._lock:
            return [key.split("\0")[0] for key in self._networks]

    def network(self, facts: dict[str, Any]) -> NeuronSource:
        """The network behind the facts of its row."""
        known = {name: facts[name] for name in ("name", "sha256", "url", "format", "options")}
        key = "\0".join(str(value) for value in known.values())
        if (found := self._found(self._networks, key)) is None:
            with self._loading:
                if (found := self._found(self._networks, key)) is None:
                    source = network_source(Network(**known))
                    found = source, network_bytes(source)
                    self._keep_network(key, found)
        return found[0]

    def encoder(self, facts: dict[str, Any]) -> RangeEncoder:
        """The tokenizer of a corpus."""
        key = f"{facts['url']}\0{facts['fingerprint']}"
        if (found := self._found(self._encoders, key)) is None:
            path = artifact_folder(str(facts["url"])) / "tokenizer.json"
            if not path.is_file():
                raise InferenceRefused(
                    f"The corpus {facts['name']} came without a tokenizer, so no other text can be cut into tokens for "
                    "networks that were harvested on it."
                )
            found = RangeEncoder(open_tokenizer(path))
            with self._lock:
                self._encoders[key] = found
                while len(self._encoders) > MOST_ENCODERS:
                    self._encoders.popitem(last=False)
        return found

    def _found(self, kept: OrderedDict[str, Kept], key: str) -> Kept | None:
        with self._lock:
            if key in kept:
                kept.move_to_end(key)
            return kept.get(key)

    def _keep_network(self, key: str, found: tuple[NeuronSource, int]) -> None:
        with self._lock:
            self._networks[key] = found
            while len(self._networks) > 1 and sum(size for _, size in self._networks.values()) > self.largest:
                self._networks.popitem(last=False)


@dataclass
class InferenceService:
    """The service at a place.

    Attributes
    ----------
    idle_seconds : float
        Without a request for so long, `serve` returns; 0: never.
    """

    place: Place
    networks: Networks
    idle_seconds: float = 0.0
    threads: int = 1
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._started = self._used = time.monotonic()
        self._free = threading.Semaphore(CONNECTIONS)
        self._computing = threading.Semaphore(COMPUTING)
        self._lock = threading.Lock()
        self._open = 0
        self._readers: set[str] = set()

    def serve(self, ready: Callable[[], None]) -> None:
        """Answer until asked to stop or idle for too long; `ready` is called once connections are taken."""
        with self.place.listen() as listener:
            listener.settimeout(POLL_SECONDS)
            ready()
            while not self.stopping.is_set() and not self._is_idle():
                if not self._free.acquire(timeout=POLL_SECONDS):
                    continue
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    self._free.release()
                    continue
                self._note_open(1)
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()
        self._let_finish()

    def _is_idle(self) -> bool:
        with self._lock:
            return bool(self.idle_seconds) and not self._open and time.monotonic() - self._used > self.idle_seconds

    def _note_open(self, change: int) -> None:
        with self._lock:
            self._open += change
            self._used = time.monotonic()

    def _let_finish(self) -> None:
        """Wait a moment for the requests at hand."""
        deadline = time.monotonic() + 5
        while self._open and time.monotonic() < deadline:
            time.sleep(0.02)

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                self._exchange(connection)
        except (OSError, WireError) as error:  # the reader has gone, or sent no message and took no answer
            log.info("a connection ended without an answer: %s", error)
        finally:
            self._note_open(-1)
            self._free.release()

    def _exchange(self, connection: socket.socket) -> None:
        deadline = time.monotonic() + HEARING_SECONDS
        try:
            request = receive(connection, largest=LARGEST_REQUEST, deadline=deadline)
        except OtherVersion as error:
            answer = _no(InferenceRefused(str(error)))
        except TimeoutError:
            return
        except WireError as error:
            answer = _no(InferenceRefused(f"This request cannot be taken: {error}"))
        else:
            deadline = time.monotonic() + _seconds(request)
            answer = self._work(request.head, deadline)
        # What took all its time to compute still gets a moment to be told.
        self._tell(connection, answer, max(deadline, time.monotonic() + 1))

    def _tell(self, connection: socket.socket, answer: Message, deadline: float) -> None:
        try:
            send(connection, answer, largest=LARGEST_ANSWER, deadline=deadline)
        except WireError:
            small = _no(InferenceRefused("The answer is too large: give fewer texts, or a network with fewer neurons."))
            send(connection, small, largest=LARGEST_ANSWER, deadline=deadline)

    def _work(self, head: dict[str, Any], deadline: float) -> Message:
        """The answer to a request, whatever becomes of it."""
        try:
            if not hmac.compare_digest(str(head.get("key", "")), own_key()):
                raise InferenceStranger("This inference service belongs to another installation.")
            with self._one_at_a_time(str(head.get("reader", ""))):
                return self._asked(head, deadline)
        except (InferenceError, TimeoutError) as error:
            return _no(
                error if isinstance(error, InferenceError) else InferenceSlow("The time for this was too short.")
            )
        except REFUSALS as error:
            return _no(InferenceRefused(str(error)))
        except Exception as error:  # the service goes on whatever a request met
            log.exception("a request failed")
            return _no(error)

    @contextmanager
    def _one_at_a_time(self, reader: str) -> Iterator[None]:
        with self._lock:
            if reader and reader in self._readers:
                raise InferenceBusy("Your last request is still being worked on; wait for its answer.")
            self._readers.add(reader)
        try:
            yield
        finally:
            with self._lock:
                self._readers.discard(reader)

    def _asked(self, head: dict[str, Any], deadline: float) -> Message:
        match head.get("ask"):
            case "hello":
                since = time.monotonic() - self._started
                return Message({"process": os.getpid(), "networks": self.networks.names(), "seconds": since})
            case "stop":
                self.stopping.set()
                return Message({})
            case "read":
                return self._read(head, deadline)
            case "maxima":
                return self._maxima(head, deadline)
        raise InferenceRefused(f"The service knows no request {head.get('ask')!r}.")

    def _read(self, head: dict[str, Any], deadline: float) -> Message:
        source, texts = self._texts(head)
        neurons = _neurons(head, source) or []
        if len(neurons) > MOST_NEURONS or len(texts) != 1:
            raise InferenceRefused(f"One text and at most {MOST_NEURONS} neurons can be read at a time.")
        width = source.config.context - 1
        ids = texts[0].ids[:width]
        with self._turn(deadline):
            values = text_activations(source, ids, neurons, site=head["site"])
        facts = {"left_off": len(texts[0].ids) - len(ids), "context": width}
        return Message(facts, {"values": values, "ends": texts[0].ends[:width].astype("int32")})

    def _maxima(self, head: dict[str, Any], deadline: float) -> Message:
        source, texts = self._texts(head)
        width = source.config.context - 1
        ids = [text.ids[:width] for text in texts]
        _check_texts(ids, head.get("most_tokens"))
        neurons = _neurons(head, source)
        if neurons == []:
            raise InferenceRefused("Name the neurons that are asked for, or none to ask for all.")
        with self._turn(deadline):
            values, positions = text_statistics(
                source,
                ids,
                site=head["site"],
                neurons=neurons,
                statistic="mean" if head.get("statistic") == "mean" else "maximum",
                keep=lambda: _check_time(deadline),
            )
        facts = {"tokens": [len(text) for text in ids], "cut": [n for n, t in enumerate(texts) if len(t.ids) > width]}
        return Message(facts, {"values": values, "positions": positions if head.get("positions") else positions[:0]})

    def _texts(self, head: dict[str, Any]) -> tuple[NeuronSource, list[EncodedText]]:
        texts = head["texts"]
        if not 1 <= len(texts) <= MOST_TEXTS or not all(isinstance(text, str) for text in texts):
            raise InferenceRefused(f"A request holds {len(texts)} texts; 1 to {MOST_TEXTS} can be read at a time.")
        encoded = self.networks.encoder(head["corpus"]).encode(texts)
        return self.networks.network(head["network"]), encoded

    @contextmanager
    def _turn(self, deadline: float) -> Iterator[None]:
        """Wait for a turn at computing."""
        if not self._computing.acquire(timeout=remaining(deadline)):
            raise InferenceSlow("Other readers keep the inference service busy; try again in a moment.")
        try:
            use_threads(self.threads)  # torch counts threads for each of its callers
            yield
        finally:
            self._computing.release()


def _seconds(request: Message) -> float:
    with suppress(TypeError, ValueError):
        return min(LONGEST_SECONDS, max(0.0, float(request.head.get("seconds", LONGEST_SECONDS))))
    return LONGEST_SECONDS


def _no(error: BaseException) -> Message:
    known = isinstance(error, InferenceError)
    message = str(error) if known else f"The inference service met an error: {type(error).__name__}: {error}"
    return Message({"error": kind_of(error), "message": message[:2000]})


def _neurons(head: dict[str, Any], source: NeuronSource) -> list[tuple[int, int]] | None:
    if head.get("neurons") is None:
        return None
    neurons = [(int(layer), int(index)) for layer, index in head["neurons"]]
    for layer, index in neurons:
        if not (0 <= layer < source.config.n_layers and 0 <= index < source.config.d_mlp):
            raise InferenceRefused(f"The network has no neuron {index} in layer {layer}.")
    return neurons


def _check_texts(ids: list[list[int]], most: int | None) -> None:
    empty = next((number for number, text in enumerate(ids, start=1) if not text), None)
    if empty is not None:
        raise InferenceRefused(f"The tokenizer makes nothing of text {empty}; leave it out.")
    most = min(most or MOST_TOKENS, MOST_TOKENS)
    if (total := sum(map(len, ids))) > most:
        raise InferenceRefused(f"The texts have {total:,} tokens together; at most {most:,} are read at a time.")


def _check_time(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise InferenceSlow("Reading these texts takes too long; give fewer or shorter ones.")
