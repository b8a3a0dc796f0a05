"""One exchange with a service that is there: a request out, an answer in."""

from typing import Any

from neurons.inference.errors import (
    KINDS,
    InferenceDown,
    InferenceFailed,
    InferenceRefused,
    InferenceSlow,
    InferenceStranger,
)
from neurons.inference.place import Place, own_key
from neurons.inference.wire import (
    LARGEST_ANSWER,
    LARGEST_REQUEST,
    VERSION,
    HungUp,
    Message,
    OtherVersion,
    WireError,
    receive,
    remaining,
    send,
)


def exchange(place: Place, head: dict[str, Any], deadline: float, *, version: int = VERSION) -> Message:
    """Send a request and wait for its answer.

    Raises
    ------
    InferenceDown
        If nobody listens, or the connection broke before the answer had come.
    OtherVersion
        If the service speaks another version.
    InferenceError
        As the service says.
    """
    try:
        with place.connect(remaining(deadline)) as connection:
            request = Message(head | {"key": own_key(), "seconds": remaining(deadline)})
            _send(connection, request, deadline, version)
            answer = receive(connection, largest=LARGEST_ANSWER, deadline=deadline)
    except TimeoutError:
        raise InferenceSlow("The answer took too long; try again, or give less text.") from None
    except OtherVersion:
        raise
    except WireError as error:
        raise InferenceStranger(f"At {place.address} something else answers: {error}") from None
    except (HungUp, OSError) as error:
        raise InferenceDown(f"The inference service went away before it answered ({error}).") from None
    if kind := answer.head.get("error"):
        raise KINDS.get(str(kind), InferenceFailed)(str(answer.head.get("message", "")))
    return answer


def _send(connection: Any, request: Message, deadline: float, version: int) -> None:
    try:
        send(connection, request, largest=LARGEST_REQUEST, deadline=deadline, version=version)
    except WireError as error:
        raise InferenceRefused(f"This is too much text for one request: {error}") from None
    except BrokenPipeError:
        return  # refused before all of it was sent; the answer says why


def say_hello(place: Place, deadline: float) -> dict[str, Any]:
    """What the service tells about itself: process id, networks in memory, seconds since its start."""
    return exchange(place, {"ask": "hello"}, deadline).head


def say_stop(place: Place, deadline: float, *, version: int = VERSION) -> None:
    """Ask a service, of whatever version, to end."""
    try:
        exchange(place, {"ask": "stop"}, deadline, version=version)
    except OtherVersion:
        return  # its good-bye is of its own version
