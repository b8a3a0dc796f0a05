"""What only PostgreSQL has: roles without rights. `test_postgresql.py` runs these on a server of their own."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from annotation import audit, services
from annotation.audit.protect import PROTECTED
from annotation.audit.rights import RightsRefused, rights_left, rights_take
from annotation.blinding import blind_judgment_submit, blind_next, blind_undo
from annotation.services.log import event_add
from annotation.tests.factories import (
    make_answer,
    make_evaluator,
    make_open_study,
    make_rater,
    make_user,
    rate_all,
)

pytestmark = pytest.mark.django_db


def sql(statement: str, *values: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values or None)


def table(model: type) -> str:
    return str(model._meta.db_table)


@pytest.fixture
def role():
    """A role that the site could run as; everything below is done as this role."""
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS blindscope_app")
        cursor.execute("CREATE ROLE blindscope_app")
    rights_take("blindscope_app")
    sql("SET ROLE blindscope_app")
    yield "blindscope_app"
    sql("RESET ROLE")


@pytest.mark.parametrize("model", [protection.model for protection in PROTECTED], ids=lambda model: model.__name__)
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET id = id"])
def test_the_role_of_the_site_has_no_right_to_change_or_remove(role, model, statement):
    with pytest.raises(ProgrammingError, match="permission denied"):
        sql(statement.format(table(model)))


def test_the_role_of_the_site_cannot_lift_the_protection(role):
    assert rights_left() == []
    for statement in (
        "ALTER TABLE annotation_studyevent DISABLE TRIGGER ALL",
        "DROP TRIGGER protect_annotation_studyevent_update ON annotation_studyevent",
        "DROP TABLE annotation_studyevent",
    ):
        with pytest.raises(ProgrammingError, match="must be owner"):
            sql(statement)
    with pytest.raises(ProgrammingError, match="permission denied"):
        sql("SET session_replication_role = replica")
    sql("GRANT UPDATE ON annotation_studyevent TO blindscope_app")  # PostgreSQL warns and grants nothing
    with pytest.raises(ProgrammingError, match="permission denied"):
        sql("UPDATE annotation_studyevent SET id = id")


def test_with_these_rights_the_site_still_does_all_its_work(role):
    study = make_open_study(raters=1)
    rater = make_rater(study)
    rate_all(rater, study)
    blind_undo(rater, study.slug)
    blind_judgment_submit(rater, blind_next(rater, study.slug).assignment, make_answer("no"), "another-key")
    services.study_close(study=study, reason="All raters are done.")
    services.study_unblind(study=study, reason="All judgments are in.", by=make_user(group="unblinder"))
    event_add(None, None, "counted")
    make_evaluator()
    assert audit.chain_problems(audit.chain_of(study)) == []


def test_an_owner_of_the_tables_is_told_that_it_could_lift_the_protection():
    assert "owns" in rights_left()[0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        owner = cursor.fetchone()[0]
    with pytest.raises(RightsRefused, match="superuser"):
        rights_take(owner)
    with pytest.raises(RightsRefused, match="no role 'nobody-here'"):
        rights_take("nobody-here")


def test_truncating_is_refused_to_the_owner_too():
    with pytest.raises(IntegrityError):
        sql("TRUNCATE annotation_studyevent CASCADE")
