"""Turns a computation that calls back with each layer into an iterator over the layers.

A model of another library runs from end to end and can only be watched. Keeping what all its layers showed would cost
memory for each layer; here it runs in a thread that waits, at every layer, until that layer has been dealt with.
"""

from collections.abc import Callable, Iterator
from threading import Semaphore, Thread

import torch
from torch import Tensor

Emit = Callable[[int, Tensor], None]


class _Left(Exception):
    """Nobody wants further layers."""


class LayerStream:
    """One run of a computation, layer by layer.

    Parameters
    ----------
    compute : callable
        Called in a thread of its own with a function that takes (layer, activations); under inference mode and the
        caller's autocast, which torch keeps for each thread.
    device : torch.device
        Of the computation.
    """

    def __init__(self, compute: Callable[[Emit], None], device: torch.device) -> None:
        self._compute, self._device = compute, device
        self._autocast = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)
        self._wanted, self._ready = Semaphore(0), Semaphore(0)
        self._layers: list[tuple[int, Tensor]] = []  # at most one
        self._left = False
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[tuple[int, Tensor]]:
        """Each layer's activations; one layer is kept at a time. What the computation raises is raised here."""
        thread = Thread(target=self._run, daemon=True)
        thread.start()
        try:
            while True:
                self._wanted.release()
                self._ready.acquire()
                if not self._layers:
                    break
                yield self._layers.pop()
            if self._error is not None:
                raise self._error
        finally:
            self._left = True
            self._wanted.release()
            thread.join()

    def _run(self) -> None:
        self._wanted.acquire()
        enabled, dtype = self._autocast
        try:
            with torch.inference_mode(), torch.autocast(self._device.type, dtype=dtype, enabled=enabled):
                self._compute(self._emit)
        except _Left:
            pass
        except BaseException as error:  # noqa: BLE001  raised again in the thread that iterates
            self._error = error
        finally:
            self._ready.release()

    def _emit(self, layer: int, activations: Tensor) -> None:
        if self._left:
            raise _Left
        self._layers.append((layer, activations))
        del activations
        self._ready.release()
        self._wanted.acquire()
        if self._left:
            raise _Left
