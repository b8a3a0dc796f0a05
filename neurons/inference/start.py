"""Starting the inference service when a page needs it, as a process that outlives the web worker."""

import logging
import subprocess
import sys
import time
from pathlib import Path

from django.conf import settings

from neurons.inference.errors import InferenceDown, InferenceSlow
from neurons.inference.place import POLL_SECONDS, Place, held
from neurons.inference.talk import say_hello, say_stop
from neurons.inference.wire import VERSION, OtherVersion, remaining

log = logging.getLogger(__name__)


def start_service(place: Place, deadline: float, *, instead_of: int | None = None) -> None:
    """Start the service and wait until it answers; of many web workers that ask at once, one starts it.

    Parameters
    ----------
    instead_of : int, optional
        Version of the protocol of the service that was met, if one was.

    Raises
    ------
    InferenceDown
        If it cannot be started from here, or ended at once.
    InferenceSlow
        If it does not answer by the deadline.
    """
    if not settings.INFERENCE_AUTOSTART or not place.is_here:
        met = "does not run" if instead_of is None else f"speaks version {instead_of} of the protocol, not {VERSION},"
        raise InferenceDown(
            f"The inference service {met} at {place.address}. Start it there anew: `manage.py inference_serve`."
        )
    place.make_folder()
    with held(place.folder / "start.lock", deadline) as mine:
        if not mine:
            raise InferenceSlow("The inference service is still starting; try again in a moment.")
        if not _answers(place, deadline):
            _launch(place, deadline)
            _wait(place, deadline)


def _answers(place: Place, deadline: float) -> bool:
    """Whether a service of this version answers; one of another version is ended."""
    try:
        say_hello(place, deadline)
    except InferenceDown:
        return False
    except OtherVersion as other:
        log.warning("ending an inference service of version %d", other.version)
        say_stop(place, deadline, version=other.version)
        _wait_until_gone(place, deadline)
        return False
    return True


def _launch(place: Place, deadline: float) -> None:
    """Run the command that returns as soon as the service listens."""
    command = [sys.executable, "-m", "django", "inference_serve", "--detach", "--address", place.address]
    command += ["--idle-seconds", str(settings.INFERENCE_IDLE_SECONDS), "--pythonpath", str(settings.BASE_DIR)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=remaining(deadline)
        )
    except (subprocess.TimeoutExpired, TimeoutError):
        raise InferenceSlow("The inference service is still starting; try again in a moment.") from None
    if done.returncode:
        raise InferenceDown(f"The inference service could not be started: {_last_line(done.stderr, place.log)}")


def _last_line(said: str, written: Path) -> str:
    text = said.strip() or (written.read_text(errors="replace").strip() if written.is_file() else "")
    return text.splitlines()[-1] if text else "it gave no reason."


def _wait(place: Place, deadline: float) -> None:
    """Until it answers: another process may hold the service's place and still be loading."""
    while time.monotonic() < deadline:
        if _answers(place, deadline):
            return
        time.sleep(POLL_SECONDS)
    raise InferenceSlow(f"The inference service does not answer yet; try again in a moment, or look at {place.log}.")


def _wait_until_gone(place: Place, deadline: float) -> None:
    while time.monotonic() < deadline:
        try:
            place.connect(remaining(deadline)).close()
        except InferenceDown:
            return
        time.sleep(POLL_SECONDS)
