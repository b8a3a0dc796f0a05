"""What the database itself refuses: to change or remove a line of the log, a protocol version, an unblinding or an
answer.

Triggers do it on SQLite and on PostgreSQL, whatever program writes. They are made anew after every `migrate`, because
SQLite drops them with a table that a migration rebuilds. Whoever owns the tables can drop triggers; so on PostgreSQL
the site should run as a role that owns nothing, and `rights_take` takes from that role the very right to try.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import NotSupportedError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from annotation.models import ERASED, Judgment, LogChain, PersonErasure, ProtocolVersion, StudyEvent, Unblinding

POSTGRESQL, SQLITE = "postgresql", "sqlite"


@dataclass(frozen=True, slots=True)
class Protection:
    """What may still happen to the rows of a table.

    Attributes
    ----------
    changeable : tuple of str
        Columns that may change, and for each the condition (on OLD and NEW) under which they may not.
    keys : tuple of str
        What identifies a row, as conditions on `old` (a row that is there) and NEW: SQLite's INSERT OR REPLACE would
        otherwise remove a row without a word.
    """

    model: type[Model]
    changeable: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ("old.id = NEW.id",)

    @property
    def table(self) -> str:
        return str(self.model._meta.db_table)

    @property
    def fixed(self) -> list[str]:
        may_change = {name for name, _ in self.changeable}
        return [f.column for f in self.model._meta.local_concrete_fields if f.column and f.column not in may_change]

    @property
    def trigger(self) -> str:
        return f"protect_{self.table}"


def _erased(column: str) -> tuple[str, str]:
    """A column that names an account may be emptied when the account goes, and not be given to another."""
    return column, f"NEW.{column} IS NOT NULL AND (OLD.{column} IS NULL OR NEW.{column} <> OLD.{column})"


PROTECTED = (
    Protection(StudyEvent, keys=("old.id = NEW.id", "old.chain_id = NEW.chain_id AND old.number = NEW.number")),
    Protection(
        LogChain,
        changeable=(("length", "NEW.length <> OLD.length + 1"), ("head_sha256", "NEW.head_sha256 = OLD.head_sha256")),
        keys=("old.id = NEW.id", "old.name = NEW.name", "old.public_id = NEW.public_id", "old.study_id = NEW.study_id"),
    ),
    Protection(
        ProtocolVersion,
        keys=("old.id = NEW.id", "old.sha256 = NEW.sha256", "old.study_id = NEW.study_id AND old.number = NEW.number"),
    ),
    Protection(
        Unblinding,
        changeable=(_erased("by_id"), _erased("confirmed_by_id")),
        keys=("old.id = NEW.id", "old.study_id = NEW.study_id"),
    ),
    Protection(PersonErasure),
    # A superseded answer stays as it was; an answer is superseded once, for good. The words of a person who was erased
    # can be blanked, and become nothing else.
    Protection(
        Judgment,
        changeable=(
            ("is_current", "NEW.is_current AND NOT OLD.is_current"),
            ("rule", f"NEW.rule <> OLD.rule AND NEW.rule <> '{ERASED}'"),
        ),
        keys=(
            "old.id = NEW.id",
            "old.assignment_id = NEW.assignment_id AND old.version = NEW.version",
            "old.assignment_id = NEW.assignment_id AND old.idempotency_key = NEW.idempotency_key",
            "old.assignment_id = NEW.assignment_id AND old.is_current AND NEW.is_current",
        ),
    ),
)


def protect(using: str = "default") -> None:
    """Make the triggers anew on every protected table that is there."""
    unprotect(using)
    connection = connections[using]
    with connection.cursor() as cursor:
        for protection in _present(connection):
            for statement in _statements(connection, protection):
                cursor.execute(statement)


def unprotect(using: str = "default") -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        for protection in _present(connection):
            for kind in ("update", "delete", "insert", "truncate"):
                on = f" ON {protection.table}" if connection.vendor == POSTGRESQL else ""
                cursor.execute(f"DROP TRIGGER IF EXISTS {protection.trigger}_{kind}{on}")


@contextmanager
def protection_lifted(using: str = "default") -> Iterator[None]:
    """For what must remove or change protected rows on purpose: emptying a database, and tests that forge a log."""
    unprotect(using)
    try:
        yield
    finally:
        protect(using)


def tables_unprotected(using: str = "default") -> list[str]:
    """Protected tables that have no trigger."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if connection.vendor == POSTGRESQL:
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        there = {row[0] for row in cursor.fetchall()}
    kinds = ("update", "delete", "truncate" if connection.vendor == POSTGRESQL else "insert")
    return [p.table for p in PROTECTED if not {f"{p.trigger}_{kind}" for kind in kinds} <= there]


def _present(connection: BaseDatabaseWrapper) -> list[Protection]:
    """While old migrations run, some tables or columns are not there yet."""
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        present = []
        for protection in PROTECTED:
            if protection.table in tables:
                found = connection.introspection.get_table_description(cursor, protection.table)
                columns = {column.name for column in found}
                if columns >= {*protection.fixed, *(name for name, _ in protection.changeable)}:
                    present.append(protection)
    return present


def _statements(connection: BaseDatabaseWrapper, protection: Protection) -> list[str]:
    if connection.vendor == POSTGRESQL:
        return _postgresql(protection)
    if connection.vendor == SQLITE:
        return _sqlite(protection)
    raise NotSupportedError(f"No triggers are known for {connection.vendor}; use PostgreSQL or SQLite.")


def _sqlite(protection: Protection) -> list[str]:
    table, name = protection.table, protection.trigger
    changed = " OR ".join([f'OLD."{column}" IS NOT NEW."{column}"' for column in protection.fixed])
    refused = " OR ".join([f"({changed})", *(f"({condition})" for _, condition in protection.changeable)])
    taken = " OR ".join(f"({key})" for key in protection.keys)
    replaced = f"EXISTS (SELECT 1 FROM {table} AS old WHERE {taken})"
    return [
        _sqlite_trigger(f"{name}_update", f"UPDATE ON {table}", refused, f"{table}: rows are never changed"),
        _sqlite_trigger(f"{name}_delete", f"DELETE ON {table}", "1", f"{table}: rows are never removed"),
        _sqlite_trigger(f"{name}_insert", f"INSERT ON {table}", replaced, f"{table}: this row is there already"),
    ]


def _sqlite_trigger(name: str, event: str, condition: str, message: str) -> str:
    return f"CREATE TRIGGER {name} BEFORE {event} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"


def _postgresql(protection: Protection) -> list[str]:
    table, name = protection.table, protection.trigger
    changed = " OR ".join(f'OLD."{column}" IS DISTINCT FROM NEW."{column}"' for column in protection.fixed)
    refused = " OR ".join([f"({changed})", *(f"({condition})" for _, condition in protection.changeable)])
    refuse = (
        "CREATE OR REPLACE FUNCTION blindscope_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION '%: rows are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; "
        "END $$"
    )
    run = "EXECUTE FUNCTION blindscope_refuse()"
    return [
        refuse,
        f"CREATE TRIGGER {name}_update BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({refused}) {run}",
        f"CREATE TRIGGER {name}_delete BEFORE DELETE ON {table} FOR EACH ROW {run}",
        f"CREATE TRIGGER {name}_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {run}",
    ]
