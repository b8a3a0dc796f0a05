"""The commands as a user runs them: processes of their own, the shipped networks, a database in a folder."""

import os
import subprocess
import sys
from pathlib import Path

from django.conf import settings

SENTENCES = (
    "The river rose in the night.",
    "She read the letter twice.",
    "Numbers 4 and 8 are even.",
    "def f(x):\n    return x",
)


def make_text(number: int) -> str:
    return f"Page {number}.\n\n" + " ".join(SENTENCES[(number + i) % 4] + f" It was {number * i}." for i in range(12))


def manage(folder: Path, *arguments: str, succeeds: bool = True) -> str:
    surroundings = {
        name: value for name, value in os.environ.items() if not name.startswith(("BLINDSCOPE", "DJANGO", "DATABASE"))
    }
    surroundings |= {"BLINDSCOPE_DEBUG": "True", "BLINDSCOPE_DATA_DIR": str(folder), "BLINDSCOPE_TORCH_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=settings.BASE_DIR,
        env=surroundings,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert (done.returncode == 0) == succeeds, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout if succeeds else done.stderr


def test_texts_become_a_corpus_and_two_shipped_networks_are_harvested_side_by_side(tmp_path):
    (tmp_path / "texts").mkdir()
    for number in range(60):
        (tmp_path / "texts" / f"{number}.txt").write_text(make_text(number))
    data = tmp_path / "data"
    manage(data, "migrate", "--verbosity", "0")
    assert "60 documents" in manage(data, "corpus_import", "mine", str(tmp_path / "texts"))
    assert manage(data, "networks_import").count("validation loss") == 5
    harvest = ("harvest_run", "1l-256-gelu", "1l-256-solu-ln", "--corpus", "mine")
    said = manage(data, *harvest, "--processes", "2")
    assert said.count("tokens read, ") == 2
    assert manage(data, *harvest) == said  # done once, it is not done again
    refused = manage(data, *harvest, "--max-tokens", "50", succeeds=False)
    assert "another configuration" in refused
