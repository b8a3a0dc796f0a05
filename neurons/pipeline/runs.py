"""How a run's progress and end come into the database."""

import time
from collections.abc import Callable
from typing import Any

from neurons import services

Count = Callable[[int, int], None]
PROGRESS_SECONDS = 1.0  # between two writes of a run's progress to the database


def note_end(run: Any, error: BaseException) -> None:
    """Record on the run why it ended: an interruption by hand is no failure."""
    if isinstance(error, KeyboardInterrupt | SystemExit):
        services.run_stopped(run=run, message="interrupted; start it again to go on")
    else:
        services.run_fail(run=run, error=f"{type(error).__name__}: {error}")


def throttled(note: Callable[[Any], None]) -> Callable[[Any], None]:
    """Call `note` at most once in PROGRESS_SECONDS."""
    last = float("-inf")

    def call(value: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_SECONDS:
            last = time.monotonic()
            note(value)

    return call
