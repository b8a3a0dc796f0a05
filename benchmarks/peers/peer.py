"""What the scripts that run a harvester in its own environment share. Only NumPy and torch are used here."""

import argparse
import contextlib
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import torch

from benchmarks.peers.exchange import Job, Result

TOP = 20  # entries of a neuron that are compared


class NetworkRefusedError(OSError):
    """A package tried to reach a network during a measurement."""


def refuse_network() -> None:
    """Let every connection fail: what is measured must not download anything, nor report to anyone."""

    def refuse(*arguments: object) -> None:
        raise NetworkRefusedError(f"a package tried to connect to {arguments[1:]}; measurements run without a network.")

    socket.socket.connect = refuse  # type: ignore[method-assign]


def hide(modules: Iterable[str]) -> None:
    """Make packages look as if they were not installed."""
    for name in modules:
        sys.modules[name] = None  # type: ignore[assignment]


def stand_in(modules: dict[str, tuple[str, ...]]) -> None:
    """Put empty modules where packages import something that the measured path never calls."""
    for name, attributes in modules.items():
        module = ModuleType(name)
        for attribute in attributes:
            setattr(module, attribute, object)
        sys.modules[name] = module


def seconds(work: Callable[[], object]) -> float:
    """Processor time of all threads."""
    started = time.process_time()
    work()
    return time.process_time() - started


def fastest(work: Callable[[], object]) -> float:
    """The faster of two runs: the first one also fills caches and pools."""
    return min(seconds(work), seconds(work))


def peak_bytes() -> int:
    """Most memory that this process held. Not getrusage where it can be helped: there Linux counts the parent's too."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def run_peer(measure: Callable[[Job, int, Path], Result]) -> None:
    """Read the job named on the command line, measure on one thread, print one line of JSON."""
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    parser.add_argument("job", type=Path, help="folder with tokens, weights and config (benchmarks.peers.exchange)")
    parser.add_argument("output", type=Path, help="empty folder for what the harvester writes")
    parser.add_argument("--neurons", type=int, required=True, help="how many neurons of the last layer")
    options = parser.parse_args()
    refuse_network()
    torch.set_num_threads(1)
    # Packages print as they like; standard output is for the result alone.
    with contextlib.redirect_stdout(sys.stderr):
        result = measure(Job.read(options.job), options.neurons, options.output)
    print(result.as_line())
