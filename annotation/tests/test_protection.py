"""The database itself refuses to change or remove what is written once, on SQLite and on PostgreSQL."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from annotation import services
from annotation.audit.protect import PROTECTED, protection_lifted, tables_unprotected
from annotation.audit.rights import rights_left
from annotation.blinding import blind_judgment_submit, blind_next, blind_undo
from annotation.models import ERASED, Judgment, LogChain, ProtocolVersion, StudyEvent, Unblinding
from annotation.tests.factories import (
    make_answer,
    make_closed_study,
    make_open_study,
    make_rater,
    make_unblinded_study,
    make_user,
)

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


def table(model: type) -> str:
    return str(model._meta.db_table)


@pytest.fixture
def study():
    return make_unblinded_study(raters=1)


@pytest.mark.parametrize("model", [StudyEvent, LogChain, Unblinding, Judgment, ProtocolVersion])
def test_no_row_can_be_removed(study, model):
    assert model.objects.exists()
    with pytest.raises(IntegrityError):
        sql(f"DELETE FROM {table(model)}")


@pytest.mark.parametrize(
    ("model", "change"),
    [
        (StudyEvent, "reason = 'another'"),
        (StudyEvent, "actor_id = NULL, number = number + 100"),
        (ProtocolVersion, "text = '{}'"),
        (Unblinding, "reason = 'another'"),
        (Judgment, "rule = 'another'"),
        (Judgment, "verdict = 'no', active_ms = 1"),
        (LogChain, "head_sha256 = 'x'"),
        (LogChain, "length = length - 1, head_sha256 = 'x'"),
        (LogChain, "public_id = 'another'"),
    ],
)
def test_no_row_can_be_changed(study, model, change):
    with pytest.raises(IntegrityError):
        sql(f"UPDATE {table(model)} SET {change}")


def test_a_row_cannot_be_replaced_by_one_of_the_same_key(study):
    assert connection.vendor == "sqlite"  # PostgreSQL has no such statement
    names = ", ".join(f.column for f in StudyEvent._meta.local_concrete_fields)
    other = names.replace("reason", "'another'").replace("id,", "id + 1000,", 1)
    with pytest.raises(IntegrityError, match="there already"):
        sql(f"REPLACE INTO {table(StudyEvent)} ({names}) SELECT {names} FROM {table(StudyEvent)}")
    with pytest.raises(IntegrityError, match="there already"):
        sql(f"REPLACE INTO {table(StudyEvent)} ({names}) SELECT {other} FROM {table(StudyEvent)}")


def test_an_answer_is_superseded_once_and_kept():
    study = make_open_study(raters=1)
    rater = make_rater(study)
    page = blind_next(rater, study.slug)
    blind_judgment_submit(rater, page.assignment, make_answer("yes"), "the-first-key")
    blind_undo(rater, study.slug)
    blind_judgment_submit(rater, page.assignment, make_answer("no"), "the-second-key")
    assert list(Judgment.objects.values_list("version", "verdict", "is_current")) == [
        (1, "yes", False),
        (2, "no", True),
    ]
    with pytest.raises(IntegrityError):
        sql(f"UPDATE {table(Judgment)} SET is_current = {'TRUE' if connection.vendor == 'postgresql' else 1}")


def test_the_words_of_an_erased_person_can_be_blanked_and_nothing_else():
    study = make_closed_study(raters=1)
    with pytest.raises(IntegrityError):
        sql(f"UPDATE {table(Judgment)} SET rule = ''")
    sql(f"UPDATE {table(Judgment)} SET rule = %s", ERASED)
    assert set(Judgment.objects.filter(assignment__seat__study=study).values_list("rule", flat=True)) == {ERASED}
    with pytest.raises(IntegrityError):
        sql(f"UPDATE {table(Judgment)} SET rule = 'a better rule'")


def test_an_account_behind_an_unblinding_can_go_and_no_other_take_its_place():
    admin, study = make_user(group="unblinder"), make_closed_study(raters=1)
    services.study_unblind(study=study, reason="All judgments are in.", by=admin)
    with pytest.raises(IntegrityError):
        sql(f"UPDATE {table(Unblinding)} SET by_id = %s", make_user().pk)
    sql(f"UPDATE {table(Unblinding)} SET by_id = NULL")
    with pytest.raises(IntegrityError):
        sql(f"UPDATE {table(Unblinding)} SET by_id = %s", admin.pk)


def test_every_protected_table_has_its_triggers_and_the_command_tells_when_not():
    assert tables_unprotected() == []
    out = StringIO()
    call_command("audit_protect", "--check", stdout=out)
    assert "All triggers are in place." in out.getvalue()
    sql(f"DROP TRIGGER {PROTECTED[0].trigger}_delete" + (
        f" ON {PROTECTED[0].table}" if connection.vendor == "postgresql" else ""
    ))  # fmt: skip
    with pytest.raises(CommandError, match="annotation_studyevent"):
        call_command("audit_protect", "--check")
    call_command("audit_protect", stdout=out)
    assert tables_unprotected() == []


def test_protection_comes_back_when_what_lifted_it_fails():
    with pytest.raises(RuntimeError), protection_lifted():
        raise RuntimeError
    assert tables_unprotected() == []


@pytest.mark.django_db(transaction=True)
def test_emptying_the_database_on_purpose_works_and_leaves_it_protected():
    make_unblinded_study(raters=1)
    call_command("flush", interactive=False, verbosity=0)
    assert not StudyEvent.objects.exists()
    assert tables_unprotected() == []


def test_sqlite_has_no_roles_and_says_so():
    assert connection.vendor == "sqlite"
    assert "Publish anchors" in rights_left()[0]
    with pytest.raises(CommandError, match="Only PostgreSQL has roles"):
        call_command("audit_protect", "--role", "somebody", stdout=StringIO())
