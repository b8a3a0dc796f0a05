"""The script in every export draws and allocates the study again, alone, and notices what was changed."""

import ast
import json
import shutil
import subprocess
import sys
from collections import Counter

import pytest
from django.core.management import call_command

from analysis.export.reproduce import reproduce_script
from annotation import services
from annotation.tests.factories import ARMS, fake_harvests, make_study

WHOLE = {
    "pairs": [
        {"size": "small", "layers": [0, 1], "arms": ARMS},
        {"size": "large", "layers": [1], "arms": ARMS},
    ],
    "neurons_per_arm": 6,
    "guess": {"items": 5},
    "raters": 4,
    "raters_per_neuron": 2,
    "sampling": {"sizes": "proportional", "layers": "equal", "reserve": 2, "more_corpora": ["other"]},
    "assignment": {
        "calibration": 1,
        "repeats": 0.2,
        "repeat_distance": 4,
        "block": 6,
        "machine_raters": 2,
        "machine_raters_per_neuron": 1,
    },
}


@pytest.fixture
def export(tmp_path):
    """The folder of an export of a study in which nobody answered."""

    def build(**design):
        with fake_harvests(n_layers=2):
            study = services.study_freeze(study=make_study(**design))
        study = services.study_close(study=services.study_open(study=study), reason="The export alone is wanted.")
        services.study_unblind(study=study, reason="The export alone is wanted.")
        call_command("study_export", study.slug, "--out", str(tmp_path / "out"))
        return tmp_path / "out"

    return build


def run(folder):
    """The script as anybody would run it: another process, no Django, no path to this code."""
    return subprocess.run(
        [sys.executable, "-I", str(folder / "reproduce.py")], cwd=folder, capture_output=True, text=True, check=False
    )


def change(folder, name, key, make):
    data = json.loads((folder / name).read_text())
    data[key] = make(data[key])
    (folder / name).write_text(json.dumps(data))


@pytest.mark.django_db
@pytest.mark.parametrize("design", [{}, WHOLE], ids=["crossed", "everything"])
def test_an_export_reproduces_its_own_allocation(export, design):
    done = run(export(**design))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("match   ") == 8
    assert "MISMATCH" not in done.stdout


def swapped(seats):
    first, second, *rest = seats[0]["items"]
    return [seats[0] | {"items": [second, first, *rest]}, *seats[1:]]


CHANGES = [
    ("protocol.json", "seats", lambda seats: [*seats[1:], seats[0]], "in which order"),
    ("protocol.json", "seats", swapped, "in which order"),
    ("opened_key.json", "salt", lambda salt: salt[::-1], "the salt"),
    ("opened_key.json", "draws", lambda draws: draws[:-1], "draw of neurons"),
    ("opened_key.json", "key", lambda key: [row | {"arm": "solu"} for row in key], "key, draws and counts"),
    ("opened_key.json", "strata", lambda strata: None, "draw of neurons"),
    ("protocol.json", "reserve", lambda reserve: [[["x"]]], "reserve"),
    ("protocol.json", "guesses", lambda guesses: [*guesses[::-1], ["x"]], "guess at the end"),
    ("protocol.json", "balance", lambda balance: {}, "balance"),
]


@pytest.mark.django_db
def test_what_was_changed_in_an_export_is_named(export, tmp_path):
    whole = export(raters=3, raters_per_neuron=2)
    for number, (name, key, make, told) in enumerate(CHANGES):
        folder = shutil.copytree(whole, tmp_path / f"changed-{number}")
        change(folder, name, key, make)
        done = run(folder)
        assert (done.returncode, done.stderr) == (1, ""), told
        assert [line for line in done.stdout.splitlines() if line.startswith("MISMATCH") and told in line], told


def test_a_folder_without_an_export_is_told_so(tmp_path):
    (tmp_path / "reproduce.py").write_text(reproduce_script())
    done = run(tmp_path)
    assert done.returncode == 2
    assert "Cannot read the export" in done.stdout


def test_the_script_is_one_module_of_its_own_in_which_no_name_hides_another():
    tree = ast.parse(reproduce_script())
    named = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    named += [ast.unparse(node.targets[0]) for node in tree.body if isinstance(node, ast.Assign)]
    assert [name for name, times in Counter(named).items() if times > 1] == []
    imported = {node.module.split(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom)}
    imported |= {node.names[0].name for node in tree.body if isinstance(node, ast.Import)}
    assert imported - set(sys.stdlib_module_names) == {"numpy"}
