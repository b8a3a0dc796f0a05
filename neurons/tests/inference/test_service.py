"""The inference service as pages use it: a process of its own, started on demand, that nothing brings down."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command

from neurons import inference
from neurons.inference import read_text, text_maxima
from neurons.inference.place import held
from neurons.inference.talk import exchange, say_hello, say_stop
from neurons.inference.wire import FRONT, LARGEST_REQUEST, MARK, VERSION, Message, receive, send
from neurons.lab.live import network_bytes
from neurons.models import Corpus, Network
from neurons.pipeline.inference import Networks
from neurons.tests.factories import make_tokenizer
from neurons.tests.inference.factories import make_home

TEXT = "the licence für 日本語 🙂 returns 12 → café"
SITE = "post_act"
NEURONS = [(0, 3), (1, 7)]


@pytest.fixture
def home():
    """A fresh installation, for what begins or ends a service."""
    with make_home() as home:
        yield home


@pytest.fixture(scope="module")
def shared():
    """One whose service runs on from test to test; a test that ended it would show in the next."""
    with make_home() as home:
        yield home


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


def process_of(home) -> int:
    return say_hello(home.place, soon())["process"]


def read(home, text=TEXT, **changes):
    return read_text(home.network, home.corpus, text, NEURONS, site=SITE, **changes)


def activations(home, text=TEXT) -> list[np.ndarray]:
    """Of each layer, (tokens, d_mlp), by a forward pass in this process."""
    ids = make_tokenizer().encode(text).ids[: home.source.config.context - 1]
    tokens = torch.tensor([[home.source.bos_id, *ids]])
    with torch.no_grad():
        return [values[0, 1:].numpy() for _, values in home.source.neuron_activations(tokens, site=SITE)]


def wait_until(true, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def ends(process: int) -> bool:
    """Whether it is gone; one whose parent does not wait for it counts as gone."""
    try:
        with open(f"/proc/{process}/stat") as handle:
            return handle.read().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_a_reading_is_what_the_network_computes_to_the_last_bit(shared):
    reading = read(shared)
    layers = activations(shared)
    assert "".join(piece.text for piece in reading.pieces) == TEXT
    assert sum(piece.tokens for piece in reading.pieces) == reading.tokens == len(layers[0])
    first = 0
    for piece in reading.pieces:
        assert TEXT[piece.start : piece.end] == piece.text
        its = slice(first, first + piece.tokens)
        assert piece.values == tuple(float(layers[layer][its, index].max()) for layer, index in NEURONS)
        first += piece.tokens
    assert (reading.tokens_left_off, reading.context) == (0, 47)


def test_a_text_beyond_the_context_is_cut_and_the_reader_is_told(shared):
    long = "日本語 für the licence " * 30
    reading = read(shared, long)
    assert reading.tokens == 47
    assert reading.tokens_left_off == len(make_tokenizer().encode(long).ids) - 47
    assert long.startswith("".join(piece.text for piece in reading.pieces))


def test_a_text_without_tokens_has_no_pieces(shared):
    assert read(shared, "").pieces == ()


def test_the_name_of_a_special_token_is_read_as_text(shared):
    assert "".join(piece.text for piece in read(shared, "a <|bos|> b").pieces) == "a <|bos|> b"


def test_maxima_and_means_of_many_texts_are_those_of_each_text_alone(shared):
    texts = [TEXT, "def return", "warranty " * 25]
    maxima = text_maxima(shared.network, shared.corpus, texts, site=SITE, positions=True)
    means = text_maxima(shared.network, shared.corpus, texts, site=SITE, statistic="mean")
    assert maxima.values.shape == (3, 48)
    for row, text in enumerate(texts):
        alone = np.concatenate(activations(shared, text), axis=1)
        np.testing.assert_allclose(maxima.values[row], alone.max(axis=0), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(means.values[row], alone.mean(axis=0), rtol=1e-5, atol=1e-6)
        reached = alone[maxima.positions[row], np.arange(48)]
        np.testing.assert_allclose(reached, alone.max(axis=0), rtol=1e-5, atol=1e-6)
    assert means.positions.shape[0] == 0


def test_few_neurons_are_answered_in_the_order_asked(shared):
    asked = [(1, 7), (0, 3), (1, 0)]
    some = text_maxima(shared.network, shared.corpus, [TEXT, "def"], site=SITE, neurons=asked)
    every = text_maxima(shared.network, shared.corpus, [TEXT, "def"], site=SITE)
    np.testing.assert_array_equal(some.values, every.values[:, [24 + 7, 3, 24]])


def test_two_readers_who_come_at_once_start_one_service(home):
    with ThreadPoolExecutor(4) as pool:
        readings = list(pool.map(lambda _: read(home), range(4)))
    assert len(set(readings)) == 1
    with held(home.place.folder / "serve.lock") as mine:
        assert not mine
    assert home.place.log.read_text().count("answering at") == 1


def test_the_socket_and_its_folder_are_open_to_their_owner_only(shared):
    read(shared)
    modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (shared.place.folder, shared.place.path, shared.place.log)]
    assert modes == [0o700, 0o600, 0o600]


def test_a_service_that_was_killed_is_started_again_by_the_next_reader(home):
    before = read(home)
    process = process_of(home)
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: ends(process))
    assert read(home) == before
    assert process_of(home) != process


def test_a_service_that_dies_of_a_request_is_started_once_and_the_reader_is_told(shared, monkeypatch):
    asked, started = [], []

    def die(place, head, deadline):
        asked.append(head)
        raise inference.InferenceDown("The inference service went away before it answered.")

    monkeypatch.setattr(inference, "exchange", die)
    monkeypatch.setattr(inference, "start_service", lambda place, deadline: started.append(place))
    with pytest.raises(inference.InferenceDown, match=r"went away.*started anew"):
        read(shared)
    assert (len(asked), len(started)) == (2, 1)


def test_without_requests_the_service_ends_and_takes_its_socket_away(home, settings):
    settings.INFERENCE_IDLE_SECONDS = 1
    read(home)
    process = process_of(home)
    wait_until(lambda: ends(process))
    assert not home.place.path.exists()
    assert "idle for 1 s" in home.place.log.read_text()


def test_status_and_stop_from_the_command_line(home, capsys):
    with pytest.raises(CommandError, match="does not answer"):
        call_command("inference_serve", status=True)
    assert not inference.stop_service()
    read(home)
    process = process_of(home)
    with pytest.raises(CommandError, match="runs already"):
        call_command("inference_serve")
    call_command("inference_serve", status=True)
    call_command("inference_serve", stop=True)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"process {process}, up ")
    assert said[0].endswith("networks in memory: small-solu-ln")
    assert said[1].startswith("ended: ")
    wait_until(lambda: ends(process))


def test_where_pages_may_not_start_it_the_reader_is_told_what_to_run(home, settings):
    settings.INFERENCE_AUTOSTART = False
    with pytest.raises(inference.InferenceDown, match=r"does not run at .*manage\.py inference_serve"):
        read(home)


def test_a_request_that_cannot_be_done_gives_a_sentence_and_the_service_goes_on(shared):
    read(shared)
    process = process_of(shared)
    gone = Network(name="gone", url="networks/gone/gelu", sha256="b" * 64)
    with pytest.raises(inference.InferenceRefused, match="gone"):
        read_text(gone, shared.corpus, TEXT, NEURONS, site=SITE)
    with pytest.raises(inference.InferenceRefused, match="no neuron 24 in layer 0"):
        read_text(shared.network, shared.corpus, TEXT, [(0, 24)], site=SITE)
    with pytest.raises(inference.InferenceRefused, match="`site` is 'nowhere'"):
        read_text(shared.network, shared.corpus, TEXT, NEURONS, site="nowhere")
    with pytest.raises(inference.InferenceRefused, match="at most 10 are read"):
        text_maxima(shared.network, shared.corpus, [TEXT], site=SITE, most_tokens=10)
    with pytest.raises(inference.InferenceRefused, match="makes nothing of text 2"):
        text_maxima(shared.network, shared.corpus, [TEXT, ""], site=SITE)
    with pytest.raises(inference.InferenceFailed, match="KeyError"):
        exchange(shared.place, {"ask": "read"}, soon())
    assert process_of(shared) == process


def test_records_without_a_model_and_corpora_without_a_tokenizer_are_named(shared):
    records = Network(name="records", url="networks/records", format=Network.Format.RECORDS)
    with pytest.raises(inference.InferenceRefused, match="without a model"):
        read_text(records, shared.corpus, TEXT, NEURONS, site=SITE)
    bare = Corpus(name="bare", url="corpora/bare")
    with pytest.raises(inference.InferenceRefused, match="bare came without a tokenizer"):
        read_text(shared.network, bare, TEXT, NEURONS, site=SITE)


def test_one_reader_has_one_request_at_work(shared):
    read(shared)
    with ThreadPoolExecutor(8) as pool:
        texts = ["warranty " * 40] * 200

        def ask(_):
            try:
                return text_maxima(shared.network, shared.corpus, texts, site=SITE, reader="rita").values.shape
            except inference.InferenceBusy as busy:
                return str(busy)

        answers = list(pool.map(ask, range(8)))
    assert (200, 48) in answers
    assert any("still being worked on" in str(answer) for answer in answers)
    assert read(shared, reader="rita").pieces


def test_a_request_that_is_too_large_is_refused_on_both_sides(shared):
    read(shared)
    with pytest.raises(inference.InferenceRefused, match="too much text"):
        read(shared, "x" * (LARGEST_REQUEST + 1))
    with shared.place.connect(5) as connection:
        connection.sendall(FRONT.pack(MARK, VERSION, LARGEST_REQUEST, 1))
        answer = receive(connection, largest=10_000, deadline=soon())
    assert "at most" in answer.head["message"]
    assert read(shared).pieces


def test_noise_and_readers_who_leave_do_not_disturb_it(shared):
    before = read(shared)
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"", FRONT.pack(MARK, VERSION, 9, 0) + b"not json!"):
        with shared.place.connect(5) as connection:
            connection.sendall(noise)
    assert read(shared) == before


def test_only_this_installation_is_answered(shared):
    read(shared)
    with shared.place.connect(5) as connection:
        send(connection, Message({"ask": "stop", "key": "guessed"}), largest=1000, deadline=soon())
        answer = receive(connection, largest=10_000, deadline=soon())
    assert answer.head["error"] == "stranger"
    assert read(shared).pieces


def test_a_message_of_another_version_is_told_apart(shared):
    read(shared)
    with shared.place.connect(5) as connection:
        send(connection, Message({}), largest=1000, deadline=soon(), version=VERSION + 1)
        answer = receive(connection, largest=10_000, deadline=soon())
    assert answer.head["error"] == "refused"
    assert f"version {VERSION + 1} of the protocol" in answer.head["message"]


def test_the_client_ends_a_service_of_another_version_and_starts_its_own(home, settings):
    with OldService(home.place) as old:
        assert read(home).pieces
        assert old.process.wait(timeout=5) == 0
    say_stop(home.place, soon())
    settings.INFERENCE_AUTOSTART = False
    with OldService(home.place), pytest.raises(inference.InferenceDown, match="speaks version 99"):
        read(home)


class OldService:
    """Something of version 99 that listens where the service should; it gives way when asked to stop."""

    def __init__(self, place) -> None:
        place.make_folder()
        code = (
            "import socket, struct, sys\n"
            "s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen()\n"
            "front = struct.Struct('!3sBIQ'); print(flush=True)\n"
            "while True:\n"
            "    c, _ = s.accept(); mark, version, size, _ = front.unpack(c.recv(16)); head = c.recv(size)\n"
            "    c.sendall(front.pack(b'BSI', 99, 0, 0)); c.close()\n"
            "    if version == 99 and b'stop' in head: break\n"
        )
        place.path.unlink(missing_ok=True)
        self.process = subprocess.Popen([sys.executable, "-c", code, place.address], stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def __enter__(self) -> "OldService":
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_it_can_be_reached_over_tcp(home, settings):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings.INFERENCE_ADDRESS = f"127.0.0.1:{port}"
    assert read(home).pieces
    assert home.place.host_and_port == ("127.0.0.1", port)
    assert inference.stop_service()  # here, where the setting still names it


def test_networks_make_room_for_the_one_that_was_used_last(shared):
    facts = {"url": shared.network.url, "format": "blindscope", "options": {}}
    weights = network_bytes(shared.source)
    kept = Networks(2 * weights)
    for name in ("a", "b", "a", "c"):
        kept.network(facts | {"name": name, "sha256": name})
    assert kept.names() == ["a", "c"]
    smaller = Networks(0)
    smaller.network(facts | {"name": "a", "sha256": "a"})
    assert smaller.names() == ["a"]


def test_pages_can_ask_without_torch():
    code = "import django; django.setup(); import neurons.inference, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
