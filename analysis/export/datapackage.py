"""The export as a Frictionless tabular data package: what a program needs to read the tables without guessing.

The profile allows CSV tables alone as resources; all other files are named, with their checksums, under `files`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd

from analysis.export.fields import Field, TableFields, named_fields, tables_fields
from analysis.reports import Report
from annotation.design.licence import LICENCE_TEXTS, NO_LICENCE

Digest = Callable[[str], tuple[str, int]]  # sha256 and bytes of a file by name


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one table as it was written; `filled` are those without an empty cell."""

    names: tuple[str, ...]
    filled: frozenset[str]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        filled = (name for name in table if not (table[name].isna() | table[name].eq("")).any())
        return cls(tuple(map(str, table.columns)), frozenset(map(str, filled)))


def datapackage(
    report: Report, columns: Mapping[str, Columns], others: Mapping[str, str], digest: Digest, licence: str
) -> dict[str, Any]:
    """The descriptor, version 1 of the specification.

    Parameters
    ----------
    columns : mapping of str to Columns
        Of every table of the export, by its name.
    others : mapping of str to str
        The other files, with what each is.
    """
    plan, known = report.plan, tables_fields(report.plan)
    package = {
        "profile": "tabular-data-package",
        "name": plan.study,
        "title": plan.title,
        "description": f"Blinded judgments of neurons by {report.rater_label}. Question: {plan.question}",
        "keywords": ["interpretability", "neurons", "human evaluation", plan.rater_kind],
        "raters_are": report.rater_label,
        "protocol_sha256": plan.protocol_sha256,
        "resources": [_resource(known[name], there, columns, digest) for name, there in columns.items()],
        "files": [_file(name, note, digest) for name, note in others.items()],
    }
    return package if licence == NO_LICENCE else {**package, "licenses": [_licence(licence)]}


def _licence(name: str) -> dict[str, str]:
    licence = LICENCE_TEXTS[name]
    return {"name": licence.name, "title": licence.title, "path": licence.address}


def _file(name: str, note: str, digest: Digest) -> dict[str, Any]:
    sha256, size = digest(name)
    return {"path": name, "description": note, "bytes": size, "hash": f"sha256:{sha256}"}


def _resource(table: TableFields, there: Columns, columns: Mapping[str, Columns], digest: Digest) -> dict[str, Any]:
    return {
        "profile": "tabular-data-resource",
        "name": table.name,
        "title": table.title,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        **_file(f"{table.name}.csv", table.title, digest),
        "schema": _schema(table, there, columns),
    }


def _schema(table: TableFields, there: Columns, columns: Mapping[str, Columns]) -> dict[str, Any]:
    """Without a key where a part of it is not known, as the order of ratings that were made elsewhere."""
    schema: dict[str, Any] = {
        "fields": [_field(field) for field in named_fields(table, there.names)],
        "missingValues": [""],
    }
    key = [name for name in table.key if name in there.names]
    if there.filled.issuperset(key):
        schema["primaryKey"] = key
    leads = [
        {"fields": list(own), "reference": {"resource": other, "fields": list(theirs)}}
        for own, other, theirs in table.leads_to
        if other in columns
    ]
    return {**schema, "foreignKeys": leads} if leads else schema


def _field(field: Field) -> dict[str, Any]:
    told = {"name": field.name, "type": field.type, "description": field.meaning}
    if field.unit:
        told["unit"] = field.unit
    return {**told, "constraints": dict(field.constraints)} if field.constraints else told
