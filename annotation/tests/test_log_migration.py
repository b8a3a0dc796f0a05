"""A site that is older than the chained log: its lines are chained, and the log says that they had no hash before."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPT = """
import django, json
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("migrate", "annotation", "0005", verbosity=0)
with connection.cursor() as cursor:
    run = cursor.execute
    run("INSERT INTO auth_user (id, password, is_superuser, username, first_name, last_name, email, is_staff, "
        "is_active, date_joined) VALUES (1, 'x', 0, 'ada', '', '', '', 0, 1, '2026-11-01')")
    for number, (slug, sha) in enumerate([("old", "a" * 64), ("draft", "")], start=1):
        run("INSERT INTO annotation_study (id, slug, title, state, rater_kind, design, rater_text, protocol, "
            "protocol_sha256, created_at, frozen_at) VALUES (%s, %s, %s, %s, 'human', '{}', '{}', %s, %s, "
            "'2026-11-01', '2026-11-02')", [number, slug, slug, "frozen" if sha else "draft", "{}" if sha else "", sha])
    events = [(1, 1, "created"), (1, None, "frozen"), (1, 1, "opened")]
    for number, (study, actor, action) in enumerate(events, start=1):
        run("INSERT INTO annotation_studyevent (id, study_id, at, actor_id, action, reason, details) "
            "VALUES (%s, %s, %s, %s, %s, '', %s)",
            [number, study, f"2026-11-0{number} 10:00:00.123456", actor, action, json.dumps({"items": 1e16})])
call_command("migrate", verbosity=0)
from annotation.models import LogChain, ProtocolVersion, StudyEvent
from annotation import audit
lines = StudyEvent.objects.filter(study_id=1).order_by("number")
print(json.dumps({
    "lines": [[line.number, line.action, line.role, str(line.actor), line.details] for line in lines],
    "problems": [problem for chain in LogChain.objects.all() for problem in audit.chain_problems(chain)],
    "lengths": {chain.study.slug: chain.length for chain in LogChain.objects.exclude(study=None)},
    "versions": [[v.study.slug, v.number, v.text, v.sha256] for v in ProtocolVersion.objects.all()],
    "named": "ada" in audit.log_text(audit.chain_of(lines[0].study)),
}))
"""  # fmt: skip


def test_lines_from_before_are_chained_and_said_to_have_had_no_hash(tmp_path):
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("BLINDSCOPE", "DJANGO", "DATABASE"))
    }
    surroundings = kept | {
        "BLINDSCOPE_DATA_DIR": str(tmp_path),
        "BLINDSCOPE_SECRET_KEY": "only-for-tests",
        "DJANGO_SETTINGS_MODULE": "evalsite.settings_test",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert [line[:4] for line in found["lines"]] == [
        [1, "created", "unknown", "ada"],
        [2, "frozen", "command", "None"],
        [3, "opened", "unknown", "ada"],
        [4, "log chained", "command", "None"],
    ]
    assert found["lines"][3][4] == {"lines_without_hash_before": 3}
    assert found["lengths"] == {"old": 4, "draft": 0}
    assert found["versions"] == [["old", 1, "{}", "a" * 64]]
    assert found["problems"] == []
    assert not found["named"]
