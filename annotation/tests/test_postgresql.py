"""The log, its protection and the roles on a real PostgreSQL: the same tests as on SQLite, and those for roles."""

import os
import re
import subprocess
import sys
from pathlib import Path

from annotation.tests.postgresql import postgresql_server

HERE = Path(__file__).parent
FILES = ("test_log.py", "test_protection.py", "on_postgresql.py")
ONLY_SQLITE = "not replaced_by_one and not sqlite_has_no_roles"


def test_the_log_is_kept_and_protected_on_postgresql():
    with postgresql_server() as address:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
             "-x", "--tb", "short", "-k", ONLY_SQLITE,
             *(str(HERE / name) for name in FILES)],
            cwd=HERE.parents[1], env=_surroundings(address), capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6_000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 50
    assert "skipped" not in done.stdout


def _surroundings(address: str) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BLINDSCOPE", "PYTEST", "DJANGO"))
    }
    return kept | {"DATABASE_URL": address, "BLINDSCOPE_SECRET_KEY": "only-for-tests"}
