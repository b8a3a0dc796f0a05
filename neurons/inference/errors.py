"""What can go wrong between a page and the inference service. Every message is a sentence that a page can show."""


class InferenceError(Exception):
    """No answer came."""


class InferenceRefused(InferenceError, ValueError):
    """The service understood the request and cannot do it: the text or the network is not fit for it."""


class InferenceBusy(InferenceError):
    """An earlier request of the same reader is still being worked on."""


class InferenceSlow(InferenceError):
    """The answer would have taken longer than the reader waits."""


class InferenceFailed(InferenceError):
    """The service met an error of its own while it worked on the request; it goes on with others."""


class InferenceDown(InferenceError):
    """There is no service, or it went away before it answered."""


class InferenceStranger(InferenceError):
    """Whoever listens at the address is no service of this installation."""


# What an answer calls each of them.
KINDS: dict[str, type[InferenceError]] = {
    "refused": InferenceRefused,
    "busy": InferenceBusy,
    "slow": InferenceSlow,
    "failed": InferenceFailed,
    "stranger": InferenceStranger,
}


def kind_of(error: BaseException) -> str:
    """Name of an error on the wire; any error without one is a failure of the service."""
    return next((kind for kind, known in KINDS.items() if isinstance(error, known)), "failed")
