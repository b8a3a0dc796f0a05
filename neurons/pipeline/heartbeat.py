"""How a worker keeps its lease while it works, and notices that it has to stop."""

import logging
import time
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from neurons.leases import LeaseLost

log = logging.getLogger(__name__)


def beat_seconds() -> float:
    """Time between two renewals of a lease, two looks at a run's state, or two looks for work."""
    return min(1.0, settings.HARVEST_LEASE_SECONDS / 4)


class Heartbeat:
    """Renews a lease when called, at most once in beat_seconds().

    Parameters
    ----------
    renew : callable
        Writes to the database; raises LeaseLost if the lease is somebody else's. A database that does not answer for a
        moment is waited for, until the lease has certainly run out.
    goes_on : callable
        Whether the work is still wanted.

    Attributes
    ----------
    stopped : bool
        Whether the work was not wanted any more when that was last looked up.
    """

    def __init__(self, renew: Callable[[], None], goes_on: Callable[[], bool]) -> None:
        self._renew, self._goes_on = renew, goes_on
        self._renewed, self._beaten = time.monotonic(), float("-inf")
        self.stopped = False

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self._beaten < beat_seconds():
            return
        self._beaten = now
        try:
            self._renew()
            self.stopped = not self._goes_on()
            self._renewed = now
        except (OperationalError, InterfaceError) as error:
            if now - self._renewed > settings.HARVEST_LEASE_SECONDS:
                raise LeaseLost("the database has not answered for longer than the lease.") from error
            log.warning("the database does not answer (%s); trying again", error)
            connection.close()


class Speed:
    """Tokens per second since the first call."""

    def __init__(self) -> None:
        self._first: tuple[float, int] | None = None

    def __call__(self, tokens: int) -> float:
        now = time.monotonic()
        if self._first is None:
            self._first = now, tokens
        started, before = self._first
        return (tokens - before) / (now - started) if now > started else 0.0
