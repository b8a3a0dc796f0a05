"""The inference service: reads texts with networks for the pages "your own text" and "reverse search".

The web process starts it by itself when a page needs it, unless BLINDSCOPE_INFERENCE_AUTOSTART is False.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from neurons.inference.errors import InferenceError
from neurons.inference.place import Place, held, place
from neurons.inference.talk import say_hello, say_stop
from neurons.inference.wire import OtherVersion

LARGEST_LOG = 2**20  # bytes; a longer log is begun anew
MEGABYTE = 2**20
STATUS_SECONDS = 5.0


class Command(BaseCommand):
    help = "Serve readings of texts to the web process, until stopped or idle."
    requires_system_checks = []  # pages wait for this command

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="", help="path of a Unix socket or host:port (default: the setting)")
        parser.add_argument("--idle-seconds", type=int, help="end after so long without a request; 0: never")
        parser.add_argument("--detach", action="store_true", help="go on in the background once it answers")
        parser.add_argument("--status", action="store_true", help="say whether it runs, and end")
        parser.add_argument("--stop", action="store_true", help="end the one that runs, as after an update")

    def handle(self, *args: Any, **options: Any) -> None:
        where = Place(options["address"], place().folder) if options["address"] else place()
        if options["status"] or options["stop"]:
            return self._tell_status(where, stop=options["stop"])
        where.make_folder()
        idle = settings.INFERENCE_IDLE_SECONDS if options["idle_seconds"] is None else options["idle_seconds"]
        report = _detach(where) if options["detach"] else None
        with held(where.folder / "serve.lock") as mine:
            if mine:
                self._serve(where, idle, report)
            elif report is None:
                raise CommandError(f"the inference service of {where.folder} runs already.")
            else:
                _tell(report)
        return None

    def _serve(self, where: Place, idle: int, report: int | None) -> None:
        started = time.monotonic()
        from neurons.pipeline.inference import InferenceService, Networks

        networks = Networks(settings.INFERENCE_MEMORY_MB * MEGABYTE)
        service = InferenceService(where, networks, idle_seconds=idle, threads=settings.INFERENCE_THREADS)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: service.stopping.set())

        def ready() -> None:
            self.stdout.write(f"answering at {where.address} after {time.monotonic() - started:.1f} s")
            self.stdout.flush()
            if report is not None:
                _tell(report)

        try:
            service.serve(ready)
        except (InferenceError, OSError) as error:
            raise CommandError(f"cannot serve at {where.address}: {error}") from None
        self.stdout.write("ended: asked to stop" if service.stopping.is_set() else f"ended: idle for {idle} s")

    def _tell_status(self, where: Place, *, stop: bool) -> None:
        deadline = time.monotonic() + STATUS_SECONDS
        try:
            facts = say_hello(where, deadline)
            if stop:
                say_stop(where, deadline)
        except (InferenceError, OtherVersion) as error:
            raise CommandError(str(error)) from None
        networks = ", ".join(facts["networks"]) or "none yet"
        ended = "ended: " if stop else ""
        seconds = f"{facts['seconds']:.0f} s"
        self.stdout.write(f"{ended}process {facts['process']}, up {seconds}, networks in memory: {networks}")


def _detach(where: Place) -> int:
    """Go on in a process of its own session, its output in the log; returns where to report that it answers.

    The process that was started waits for that report, so that whoever started it knows when to go on, and leaves no
    child behind that nobody waits for.
    """
    hear, report = os.pipe()
    if child := os.fork():
        os.close(report)
        answered = os.read(hear, 1)
        if not answered:
            os.waitpid(child, 0)
        sys.stdout.flush()
        os._exit(0 if answered else 1)
    os.close(hear)
    os.setsid()
    _redirect(where.log)
    return report


def _tell(report: int) -> None:
    with suppress(OSError):
        os.write(report, b"1")
        os.close(report)


def _redirect(log: Path) -> None:
    fresh = log.is_file() and log.stat().st_size > LARGEST_LOG
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if fresh else os.O_APPEND)
    written, nothing = os.open(log, flags, 0o600), os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (written, 1), (written, 2)):
        os.dup2(descriptor, target)
