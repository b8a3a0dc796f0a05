"""How a request and its answer travel: one frame each way over a connection of their own.

    3 bytes   "BSI"
    1 byte    version of the protocol; a service answers another version with a frame of its own and nothing else
    4 bytes   length of the head, JSON in UTF-8 (network byte order, as the next)
    8 bytes   length of the arrays
    head      what is asked or told; "arrays" lists name, type and shape of each array
    arrays    their numbers one after the other, row by row, little-endian

The first sixteen bytes and the request "stop" stay as they are in every version, so that a newer page can end an older
service.
"""

import json
import math
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

VERSION = 1
MARK = b"BSI"
FRONT = struct.Struct("!3sBIQ")
LARGEST_REQUEST = 4 * 2**20  # bytes, head and arrays together
LARGEST_ANSWER = 256 * 2**20
TYPES = ("<f4", "<i4")
CHUNK = 2**20


class WireError(ValueError):
    """What came is no frame, or too large."""


class HungUp(ConnectionError):
    """The other side closed the connection before a whole frame had come."""


class OtherVersion(WireError):
    """The other side speaks another version of the protocol."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} of the protocol was met, this is version {VERSION}.")
        self.version = version


@dataclass(frozen=True)
class Message:
    """A head and arrays by name (float32 or int32)."""

    head: dict[str, Any]
    arrays: dict[str, np.ndarray] = field(default_factory=dict)


def remaining(deadline: float) -> float:
    """Seconds until a deadline of time.monotonic.

    Raises
    ------
    TimeoutError
        If it has passed.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for this exchange is over.")
    return left


def send(connection: socket.socket, message: Message, *, largest: int, deadline: float, version: int = VERSION) -> None:
    """Send one frame.

    Raises
    ------
    WireError
        If it is larger than `largest` bytes; nothing is sent then.
    TimeoutError
        If the other side did not take it in time.
    """
    blobs = {name: np.ascontiguousarray(array, dtype=_type_of(array)) for name, array in message.arrays.items()}
    described = [[name, array.dtype.str, list(array.shape)] for name, array in blobs.items()]
    head = json.dumps(message.head | {"arrays": described}).encode()
    size = sum(array.nbytes for array in blobs.values())
    _check_size(len(head) + size, largest)
    connection.settimeout(remaining(deadline))
    connection.sendall(FRONT.pack(MARK, version, len(head), size) + head)
    for array in blobs.values():
        connection.settimeout(remaining(deadline))
        connection.sendall(array.data.cast("B") if array.size else b"")


def receive(connection: socket.socket, *, largest: int, deadline: float) -> Message:
    """Receive one frame.

    Raises
    ------
    OtherVersion
        If the frame is of another version; the rest of it is not read.
    WireError
        If it is no frame or larger than `largest` bytes.
    HungUp
        If the connection ended within it.
    TimeoutError
        If it had not come in time.
    """
    mark, version, head_size, size = FRONT.unpack(_read(connection, FRONT.size, deadline))
    if mark != MARK:
        raise WireError("what came is no message of Blindscope's inference service.")
    if version != VERSION:
        raise OtherVersion(version)
    _check_size(head_size + size, largest)
    try:
        head = json.loads(_read(connection, head_size, deadline))
        described = [(str(name), str(kind), tuple(shape)) for name, kind, shape in head.pop("arrays")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WireError(f"the head of a message cannot be read: {error}.") from None
    return Message(head, _arrays(described, _read(connection, size, deadline)))


def _arrays(described: list[tuple[str, str, tuple[int, ...]]], raw: bytes) -> dict[str, np.ndarray]:
    arrays, start = {}, 0
    for name, kind, shape in described:
        if kind not in TYPES or not all(isinstance(length, int) and length >= 0 for length in shape):
            raise WireError(f"the array {name!r} has type {kind!r} and shape {shape}; known types are {TYPES}.")
        end = start + 4 * math.prod(shape)
        if end > len(raw):
            break
        flat = np.frombuffer(raw, dtype=kind, count=(end - start) // 4, offset=start)
        try:
            arrays[name] = flat.reshape(shape)
        except (ValueError, OverflowError, TypeError) as error:
            raise WireError(f"the array {name!r} cannot have the shape {shape}: {error}.") from None
        start = end
    if start != len(raw) or len(arrays) != len(described):
        raise WireError(f"a message's arrays have {len(raw)} bytes, which is not what its head says.")
    return arrays


def _type_of(array: np.ndarray) -> str:
    return "<i4" if array.dtype.kind in "iu" else "<f4"


def _check_size(size: int, largest: int) -> None:
    if size > largest:
        raise WireError(f"a message has {size:,} bytes; at most {largest:,} are taken.")


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        connection.settimeout(remaining(deadline))
        part = connection.recv(min(CHUNK, size - len(parts)))
        if not part:
            raise HungUp("the connection ended within a message.")
        parts += part
    return bytes(parts)
