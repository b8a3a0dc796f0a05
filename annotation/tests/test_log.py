"""The log: who did what stands in chains that nobody changes unseen."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection

from annotation import audit, services
from annotation.audit.protect import protection_lifted
from annotation.models import Evaluator, LogActor, LogChain, StudyEvent
from annotation.services.log import event_add, person_ref
from annotation.tests.factories import make_rater, make_study, make_unblinded_study, make_user

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def make_log(lines: int = 5):
    """A study with as many lines in its log."""
    study, admin = make_study(), make_user(group="admin")
    for number in range(lines - 1):
        event_add(study, admin, "counted", "because we count", object=("seat", str(number)), old=number, new=number + 1)
    return study, admin


def forge(event: StudyEvent, **changes: object) -> None:
    """Change a line as somebody with full rights on the database would."""
    table = StudyEvent._meta.db_table
    with protection_lifted(), connection.cursor() as cursor:
        for column, value in changes.items():
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [value, event.pk])


def problems(study) -> list[str]:
    return audit.chain_problems(audit.chain_of(study))


def test_a_line_says_who_in_which_role_did_what_to_what_when_and_why():
    study, admin = make_log(2)
    line = study.events.get(number=2)
    record = json.loads(line.record)
    assert record["actor"] == LogActor.objects.get(user=admin).public_id
    assert (record["role"], record["action"], record["reason"]) == ("admin", "counted", "because we count")
    assert (record["object"], record["old"], record["new"]) == ({"kind": "seat", "id": "0"}, 0, 1)
    assert record["at"].endswith("+00:00")
    assert record["previous"] == study.events.get(number=1).sha256
    assert audit.record_sha256(line.record) == line.sha256


def test_what_a_command_on_the_server_does_is_said_to_be_a_commands():
    line = make_study().events.get(number=1)
    assert (line.actor, line.role, line.object_kind) == (None, "command", "study")


def test_each_study_has_a_chain_of_its_own_and_the_site_has_one():
    first, second = make_log(3)[0], make_log(2)[0]
    event_add(None, None, "role given", object=("account", "abc"), new=["auditor"])
    assert [audit.chain_of(study).length for study in (first, second)] == [3, 2]
    assert audit.chain_of(None).length >= 1
    assert len({chain.public_id for chain in LogChain.objects.all()}) == LogChain.objects.count() == 3
    assert [problem for chain in LogChain.objects.all() for problem in audit.chain_problems(chain)] == []


def test_a_whole_study_leaves_a_log_that_holds_and_names_nobody():
    study = make_unblinded_study()
    assert problems(study) == []
    text = audit.log_text(audit.chain_of(study))
    names = [user.username for user in get_user_model().objects.all()]
    assert len(names) >= 2
    assert [name for name in names if re.search(rf"\b{re.escape(name)}\b", text)] == []


def test_values_that_databases_write_differently_still_fit_their_hash():
    study = make_study()
    odd = {
        "large": 1e22,
        "tiny": 1e-9,
        "one": 1.0,
        "minus": -0.0,
        "text": "é “x” \u2028 \\ \n",
        "deep": [{"a": [None]}],
    }
    event_add(study, None, "counted", odd["text"], old=1e16, new=odd, **odd)
    assert problems(study) == []


def test_what_is_no_json_is_refused_before_anything_is_written():
    study = make_study()
    with pytest.raises((TypeError, ValueError)):
        event_add(study, None, "counted", moment=float("nan"))
    assert study.events.count() == audit.chain_of(study).length == 1


# -- Tampering ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("action", "opened", "Line 3 (opened): action differ"),
        ("reason", "another reason", "reason differ"),
        ("role", "owner", "role differ"),
        ("object_id", "9", "object differ"),
        ("new", "77", "new differ"),
        ("actor_id", None, "actor differ"),
        ("sha256", "0" * 64, "Line 3 (counted): its content does not fit its hash"),
        ("record", "{}", "Line 3: its format"),
        ("record", "gone", "no JSON object any more"),
    ],
)
def test_a_changed_line_is_found(column, value, said):
    study, _ = make_log()
    forge(study.events.get(number=3), **{column: value})
    assert said in "".join(problems(study))


def test_a_line_written_anew_with_its_own_hash_is_found_at_the_next_one():
    study, _ = make_log()
    line = study.events.get(number=3)
    record = line.record.replace("because we count", "because we cheat")
    forge(line, record=record, reason="because we cheat", sha256=audit.record_sha256(record))
    assert "Line 4: it does not follow the line before it" in problems(study)[0]


def test_a_removed_line_is_found():
    study, _ = make_log()
    with protection_lifted(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {StudyEvent._meta.db_table} WHERE id = %s", [study.events.get(number=2).pk])
    assert "Line 2: it says that it is number 3" in problems(study)[0]


def test_lines_removed_at_the_end_are_found_by_the_head_and_by_an_anchor():
    study, _ = make_log()
    anchor = audit.anchor(audit.chain_of(study))
    with protection_lifted(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {StudyEvent._meta.db_table} WHERE id = %s", [study.events.get(number=5).pk])
    assert "4 lines and should have 5" in problems(study)[0]
    with protection_lifted():
        LogChain.objects.filter(study=study).update(length=4, head_sha256=study.events.get(number=4).sha256)
    assert problems(study) == []
    with pytest.raises(CommandError, match="4 lines and had 5 when the anchor was made"):
        run("audit_verify", study.slug, f"--anchor={anchor}")


def test_lines_that_change_places_are_found():
    study, _ = make_log()
    second, third = study.events.get(number=2), study.events.get(number=3)
    forge(second, number=99)
    forge(third, number=2)
    forge(second, number=3)
    assert "Line 2: it says that it is number 3" in problems(study)[0]


# -- Commands ----------------------------------------------------------------------------------------------------------


def test_the_command_checks_all_chains_and_ends_with_the_first_broken_link():
    study, _ = make_log()
    event_add(None, None, "counted")
    said = run("audit_verify")
    assert f"{study.slug}: 5 lines, all as written" in said
    assert "site: " in said
    forge(study.events.get(number=4), reason="nothing")
    with pytest.raises(CommandError, match="Line 4"):
        run("audit_verify")
    run("audit_verify", "site")


def test_the_command_prints_anchors_that_hold_later():
    study, _ = make_log(3)
    anchor = run("audit_head", study.slug).strip()
    event_add(study, None, "counted")
    run("audit_verify", f"--anchor={anchor}")
    with pytest.raises(CommandError, match="another hash than the anchor"):
        run("audit_verify", "--anchor=" + anchor[:-1] + ("0" if anchor[-1] != "0" else "1"))
    with pytest.raises(CommandError, match="no chain nowhere here"):
        run("audit_verify", "--anchor=nowhere" + anchor[anchor.index(":") :])
    with pytest.raises(CommandError, match="CHAIN:NUMBER:SHA256"):
        run("audit_verify", "--anchor", "hello")


# -- Many at once ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_writers_at_once_make_one_chain():
    study, writers, each = make_study(), 6, 8
    gate = threading.Barrier(writers)

    def write(writer: int) -> None:
        try:
            gate.wait(timeout=60)
            for number in range(each):
                event_add(study, None, "counted", writer=writer, number=number)
                event_add(None, None, "counted", writer=writer, number=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))
    assert audit.chain_of(study).length == writers * each + 1
    assert problems(study) == [] == audit.chain_problems(audit.chain_of(None))


# -- Erasure -----------------------------------------------------------------------------------------------------------


def test_an_account_can_be_erased_and_the_chain_holds():
    study, admin = make_log()
    name, ref = admin.username, person_ref(admin)
    admin.delete()
    assert problems(study) == []
    line = study.events.get(number=3)
    assert line.actor.public_id == ref[1]
    assert name not in str(line.actor)
    assert "erased account" in str(line.actor)


# -- The site's own log ------------------------------------------------------------------------------------------------


def test_staff_who_sign_in_are_logged_and_raters_are_not(client):
    admin = make_user(group="admin")
    client.force_login(admin)
    line = StudyEvent.objects.get(action="signed in")
    assert (line.study, line.actor.user, line.object_id) == (None, admin, line.actor.public_id)
    client.force_login(services.evaluator_create(username="rater-x", password="a-long-enough-password").user)
    assert StudyEvent.objects.filter(action="signed in").count() == 1


def test_a_network_that_is_shown_to_strangers_is_logged():
    from annotation.tests.factories import make_harvest_run
    from neurons.services import network_publish

    network = make_harvest_run("tiny-gelu").network
    network_publish(network=network, public=True)
    network_publish(network=network, public=False)
    lines = StudyEvent.objects.filter(study=None, object_kind="network").order_by("number")
    assert [(line.action, line.object_id) for line in lines] == [
        ("network made public", "tiny-gelu"),
        ("network made private", "tiny-gelu"),
    ]


def test_nothing_writes_lines_but_the_one_writer():
    from pathlib import Path

    package = Path(audit.__file__).resolve().parents[2]
    writers = [
        path.relative_to(package).as_posix()
        for folder in ("annotation", "analysis", "evalsite", "neurons")
        for path in (package / folder).rglob("*.py")
        if "StudyEvent.objects.create" in path.read_text() and "tests" not in path.parts
    ]
    assert writers == ["annotation/audit/append.py"]


def test_a_rater_in_the_log_is_a_pseudonym():
    from annotation.tests.factories import make_frozen_study

    study = make_frozen_study()
    rater = Evaluator.objects.get(user_id=make_rater(study, practised=False))
    taken = study.events.get(action="seat taken")
    assert rater.pseudonym in taken.record
    assert rater.user.username not in taken.record
