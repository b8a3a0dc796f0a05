"""Frames between pages and the inference service: what goes in comes out, and nothing else is taken."""

import json
import socket
import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from neurons.inference.wire import FRONT, MARK, VERSION, HungUp, Message, OtherVersion, WireError, receive, send

LARGE = 2**20
ARRAYS = st.one_of(
    arrays(np.float32, array_shapes(min_dims=0, min_side=0, max_side=4)),
    arrays(np.int32, array_shapes(min_dims=0, min_side=0, max_side=4)),
)


@pytest.fixture(scope="module")
def ends():
    here, there = socket.socketpair()
    with here, there:
        yield here, there


def soon() -> float:
    return time.monotonic() + 5


def frame(head: object, size: int = 0, *, version: int = VERSION, mark: bytes = MARK) -> bytes:
    written = json.dumps(head).encode()
    return FRONT.pack(mark, version, len(written), size) + written + bytes(size)


def take(raw: bytes, largest: int = LARGE) -> Message:
    here, there = socket.socketpair()
    with here, there:
        here.sendall(raw)
        here.shutdown(socket.SHUT_WR)
        return receive(there, largest=largest, deadline=soon())


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3), st.text())
def test_a_message_arrives_as_it_was_sent(ends, blobs, text):
    send(ends[0], Message({"text": text}, blobs), largest=LARGE, deadline=soon())
    arrived = receive(ends[1], largest=LARGE, deadline=soon())
    assert arrived.head == {"text": text}
    assert list(arrived.arrays) == list(blobs)
    for name, blob in blobs.items():
        assert arrived.arrays[name].dtype == blob.dtype
        np.testing.assert_array_equal(arrived.arrays[name], blob)


def test_a_message_larger_than_a_socket_holds_arrives_in_parts(ends):
    blob = np.arange(3_000_000, dtype=np.float32)
    sender = threading.Thread(
        target=send, args=(ends[0], Message({}, {"a": blob})), kwargs={"largest": 2**25, "deadline": soon()}
    )
    sender.start()
    np.testing.assert_array_equal(receive(ends[1], largest=2**25, deadline=soon()).arrays["a"], blob)
    sender.join()


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        frame({"arrays": []}, mark=b"XYZ"),
        frame([1, 2]),
        frame({}),
        frame({"arrays": [["a", "<f8", [1]]]}, 8),
        frame({"arrays": [["a", "<f4", [-1]]]}, 4),
        frame({"arrays": [["a", "<f4", ["2"]]]}, 8),
        frame({"arrays": [["a", "<f4", [0, 10**30]]]}),
        frame({"arrays": [["a", "<f4", [2]]]}, 4),
        frame({"arrays": [["a", "<f4", [1]]]}, 8),
        frame({"arrays": []}, 4),
        FRONT.pack(MARK, VERSION, 4, 0) + b"\xff{}!",
    ],
)
def test_what_is_no_message_is_refused(raw):
    with pytest.raises(WireError):
        take(raw)


def test_sizes_are_checked_before_anything_is_read_or_sent(ends):
    with pytest.raises(WireError, match="at most 100"):
        take(FRONT.pack(MARK, VERSION, 1, 2**60), largest=100)
    with pytest.raises(WireError, match="at most 100"):
        send(ends[0], Message({"text": "x" * 100}), largest=100, deadline=soon())


def test_another_version_is_known_by_its_first_bytes():
    with pytest.raises(OtherVersion) as met:
        take(frame("whatever it says", version=7))
    assert met.value.version == 7


@pytest.mark.parametrize("kept", [0, 5, 16, 20])
def test_a_connection_that_ends_too_early_is_told_apart(kept):
    with pytest.raises(HungUp):
        take(frame({"arrays": [["a", "<f4", [9]]]}, 36)[:kept])


def test_waiting_ends_at_the_deadline(ends):
    with pytest.raises(TimeoutError):
        receive(ends[1], largest=LARGE, deadline=time.monotonic() + 0.05)
    with pytest.raises(TimeoutError):
        receive(ends[1], largest=LARGE, deadline=time.monotonic() - 1)
