"""Which analysis made a report: a fingerprint of the code that computes numbers."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

SERIES = "1"


@lru_cache(maxsize=1)
def code_version() -> str:
    """Series and fingerprint of the statistics and report code: a change there shows as a new version."""
    package = Path(__file__).resolve().parent.parent
    digest = sha256()
    for path in sorted([*package.glob("stats/**/*.py"), *package.glob("reports/**/*.py"), package / "frames.py"]):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"{SERIES}+{digest.hexdigest()[:12]}"
