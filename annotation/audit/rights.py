"""On PostgreSQL: the rights of the role that the site runs as, so that it cannot even try to change the log."""

from django.db import connections
from django.db.models import Model

from annotation.audit.protect import POSTGRESQL, PROTECTED
from annotation.models import Judgment, LogChain, Unblinding

# The columns that the site itself has to change.
UPDATED: dict[type[Model], tuple[str, ...]] = {
    LogChain: ("length", "head_sha256"),
    Judgment: ("is_current", "rule"),
    Unblinding: ("by_id", "confirmed_by_id"),
}


class RightsRefused(Exception):
    """Rights cannot be set up here; the message says why."""


def rights_take(role: str, using: str = "default") -> list[str]:
    """Let a role do all that the site needs, and take from it the right to change or remove what is protected.

    Run as the owner of the tables. Returns the statements that were run. Raises `RightsRefused`.
    """
    connection = connections[using]
    if connection.vendor != POSTGRESQL:
        raise RightsRefused("Only PostgreSQL has roles; on SQLite the triggers are all there is.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = %s", [role])
        found = cursor.fetchone()
        if found is None:
            raise RightsRefused(f"There is no role {role!r}; make it with CREATE ROLE … LOGIN PASSWORD …")
        if found[0]:
            raise RightsRefused(f"{role!r} is a superuser, whom nothing can be refused; choose another role.")
        cursor.execute("SELECT pg_has_role(%s, tableowner, 'USAGE'), tableowner FROM pg_tables WHERE tablename = %s",
                       [role, PROTECTED[0].table])  # fmt: skip
        owns, owner = cursor.fetchone()
        if owns:
            raise RightsRefused(
                f"{role!r} owns the tables (as {owner!r}) and could give itself every right back. Migrate as one role "
                "and let the site run as another."
            )
        statements = _statements(connection.ops.quote_name(role), connection.ops.quote_name(owner))
        for statement in statements:
            cursor.execute(statement)
    return statements


def rights_left(using: str = "default") -> list[str]:
    """What the role of this connection could still do to the protected tables, in sentences."""
    connection = connections[using]
    if connection.vendor != POSTGRESQL:
        return ["SQLite has no roles: whoever can write the file can drop the triggers. Publish anchors of the log."]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, pg_has_role(tableowner, 'USAGE'), has_table_privilege(tablename, 'DELETE') OR "
            "has_table_privilege(tablename, 'TRUNCATE') OR has_table_privilege(tablename, 'UPDATE') "
            "FROM pg_tables WHERE tablename = ANY(%s) ORDER BY tablename",
            [[protection.table for protection in PROTECTED]],
        )
        rows = cursor.fetchall()
    owned = [table for table, owns, _ in rows if owns]
    writable = [table for table, owns, may in rows if may and not owns]
    left = []
    if owned:
        left.append(f"This role owns {', '.join(owned)} and could drop the triggers; let the site run as another role.")
    if writable:
        left.append(f"This role may change or empty {', '.join(writable)}; run audit_protect --role for it.")
    return left


def _statements(role: str, owner: str) -> list[str]:
    later = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
    statements = [
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"{later} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        f"{later} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO {role}",
    ]
    for protection in PROTECTED:
        statements.append(f"REVOKE UPDATE, DELETE, TRUNCATE ON {protection.table} FROM {role}")
        if columns := UPDATED.get(protection.model):
            statements.append(f"GRANT UPDATE ({', '.join(columns)}) ON {protection.table} TO {role}")
    return statements
