"""What can be known to go wrong before anything is started, said in one sentence each."""

import shutil
import socket
from pathlib import Path

DISK_NEEDED = 600_000_000  # bytes: corpus 120 MB, harvests, database, and room to breathe


class DemoRefused(Exception):
    """The demo cannot start here; the message says why and what to do."""


def check_port(port: int) -> None:
    if not 1 <= port <= 65_535:
        raise DemoRefused(f"Port {port} does not exist; choose one from 1024 to 65535: make demo PORT=8001")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            raise DemoRefused(f"Port {port} needs special rights; choose another: make demo PORT=8001") from None
        except OSError:
            raise DemoRefused(
                f"Port {port} is taken by another program (or another demo). Stop it, or choose another port: "
                f"make demo PORT={port + 1}"
            ) from None


def check_disk(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoRefused(
            f"The folder {folder} cannot be made ({error.strerror}); choose another BLINDSCOPE_DATA_DIR."
        ) from None
    free = shutil.disk_usage(folder).free
    if free < DISK_NEEDED:
        raise DemoRefused(
            f"The disk of {folder} has {free // 10**6} MB free and the demo needs {DISK_NEEDED // 10**6} MB. Make room "
            "or name a folder on another disk with BLINDSCOPE_DATA_DIR."
        )
