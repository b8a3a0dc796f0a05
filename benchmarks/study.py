"""A study of the SoLU paper's size with 30 raters: how long its freeze takes, and how even its allocation is.

Run with `make bench-study`. The paper's 660 neurons (annotation/study_templates/solu_paper.toml) from made-up harvests
with real windows of 65 tokens, into a database of its own in a temporary folder: fully crossed, and in balanced
incomplete blocks with a calibration set, repeats, blocks, a reserve and machine raters. Each study runs in a process of
its own, whose largest memory is printed. The allocation is the one that a study would get; nothing of it is made up.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parents[1] / "annotation" / "study_templates" / "solu_paper.toml"
RATERS, PER_NEURON = 30, 5
DESIGNS: dict[str, dict[str, Any]] = {
    "crossed": {"raters": RATERS, "raters_per_neuron": RATERS},
    "incomplete": {
        "raters": RATERS,
        "raters_per_neuron": PER_NEURON,
        "sampling": {"layers": "equal", "reserve": 1},
        "assignment": {
            "calibration": 2,
            "repeats": 0.1,
            "repeat_distance": 20,
            "block": 22,
            "machine_raters": 3,
            "machine_raters_per_neuron": 2,
        },
    },
}


def prepare(folder: Path) -> None:
    """A site of its own, with its database in the folder."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "evalsite.settings",
        "BLINDSCOPE_SECRET_KEY": "only-for-this-benchmark",
        "BLINDSCOPE_DATA_DIR": str(folder),
        "BLINDSCOPE_LOG_LEVEL": "ERROR",
    }
    for name in ("DATABASE_URL", "REDIS_URL", "BLINDSCOPE_ARTIFACTS_URL", "BLINDSCOPE_DEBUG"):
        os.environ.pop(name, None)
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def measured(name: str, neurons: int) -> None:
    """Freeze one study and print what it took and how even it is."""
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        from annotation import services
        from annotation.design import design_from_dict
        from annotation.tests.factories import fake_harvests

        text = tomllib.loads(TEMPLATE.read_text(encoding="utf-8"))
        design = design_from_dict(text | {"neurons_per_arm": neurons} | DESIGNS[name])
        with fake_harvests(n_layers=64, d_mlp=1_000, kept=24, pieces=65):
            study = services.study_create(design=design)
            frozen = _timed("freeze", lambda: services.study_freeze(study=study))
        problems = _timed("check against the protocol", lambda: services.study_problems(frozen))
        _tell(name, frozen, problems)


def _timed(what: str, run: Any) -> Any:
    wall, processor = time.perf_counter(), time.process_time()
    result = run()
    print(f"  {what:<28} {time.perf_counter() - wall:6.1f} s wall {time.process_time() - processor:6.1f} s processor")
    return result


def _tell(name: str, study: Any, problems: list[str]) -> None:
    from annotation.models import Assignment, Item, StudyEvent

    places = Assignment.objects.filter(seat__study=study)
    repeats = places.filter(repeat_of__isnull=False).count()
    print(f"  {name}: {Item.objects.filter(study=study).count():,} items, {study.seats.count()} seats,")
    print(f"  {places.count():,} places on lists, {repeats:,} of them repeats;")
    print(f"  a protocol of {len(study.protocol):,} characters")
    for kind, told in StudyEvent.objects.get(study=study, action="frozen").details["balance"].items():
        print(
            f"  {kind}: {told['least_load']}–{told['most_load']} neurons each; one size and arm differs by at most "
            f"{told['stratum_difference']}, one layer of it by {told['layer_difference']};\n    two raters share "
            f"{told['least_overlap']}–{told['most_overlap']} neurons, {told['mean_overlap']} on average"
        )
    print(f"  largest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")
    print(f"  check: {'; '.join(problems) or 'all as frozen'}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neurons", type=int, default=60, help="per size and arm (default 60)")
    parser.add_argument("--only", choices=DESIGNS, help="one of the studies, in this process")
    arguments = parser.parse_args()
    if arguments.only:
        measured(arguments.only, arguments.neurons)
        return 0
    for name in DESIGNS:
        print(f"{name}, {RATERS} raters:", flush=True)
        command = [sys.executable, "-m", "benchmarks.study", "--only", name, "--neurons", str(arguments.neurons)]
        if (done := subprocess.run(command, check=False).returncode) != 0:
            return done
    return 0


if __name__ == "__main__":
    sys.exit(main())
