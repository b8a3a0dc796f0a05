"""The web server and the worker of the demo, started together and stopped together."""

import signal
import subprocess
import sys
import time
import urllib.request
from types import FrameType
from urllib.error import URLError

from evalsite.demo.checks import DemoRefused
from neurons.inference import stop_service

START_SECONDS = 30  # longest wait for the first answer of the web server


def web_command(port: int) -> list[str]:
    arguments = ["evalsite.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"]
    return [sys.executable, "-m", "gunicorn", *arguments, "--log-level", "warning"]


def worker_command() -> list[str]:
    # -W: Celery warns whoever runs it as root, as people in containers do; on the demo that is noise.
    arguments = ["-A", "evalsite", "--quiet", "worker", "--pool", "solo", "--loglevel", "ERROR"]
    return [sys.executable, "-W", "ignore", "-m", "celery", *arguments, "--hostname", "demo@%h"]


class Stack:
    """Both processes; leaving the `with` block ends them."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/"
        # In sessions of their own, so that Ctrl-C reaches this process alone and they are stopped once, in order.
        commands = (web_command(port), worker_command())
        self.processes = [subprocess.Popen(command, start_new_session=True) for command in commands]

    def __enter__(self) -> "Stack":
        signal.signal(signal.SIGTERM, _interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        # An impatient second Ctrl-C must not leave a process behind.
        for stop in (signal.SIGINT, signal.SIGTERM):
            signal.signal(stop, signal.SIG_IGN)
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
        stop_service()  # the web server's pages may have started it

    def wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.processes[0].poll() is None:
            try:
                urllib.request.urlopen(self.address + "accounts/login/", timeout=5).close()  # noqa: S310
            except (URLError, OSError):
                time.sleep(0.2)
            else:
                return
        raise DemoRefused("The web server did not start; the lines above say why.")

    def wait_until_stopped(self) -> None:
        """Until Ctrl-C, a termination signal, or the end of one of the processes."""
        try:
            while all(process.poll() is None for process in self.processes):
                time.sleep(0.5)
        except KeyboardInterrupt:
            return
        raise DemoRefused("The web server or the worker ended by itself; the lines above say why.")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
