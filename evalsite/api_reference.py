"""The API's own document as one plain page: no scripts, nothing from elsewhere."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from evalsite.api import api


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str
    refers_to: str  # name of a form; empty: a plain value
    required: bool
    note: str


@dataclass(frozen=True, slots=True)
class Operation:
    method: str
    path: str
    text: str
    parameters: tuple[Field, ...]
    takes: str  # name of a form, or empty
    gives: str


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON object that is sent or received."""

    name: str
    text: str
    fields: tuple[Field, ...]


@require_safe
def api_reference(request: HttpRequest) -> HttpResponse:
    document = api.get_openapi_schema(path_prefix="/api/")
    page = {
        "description": document["info"]["description"],
        "sections": sections(document),
        "forms": [_form(name, schema) for name, schema in sorted(document["components"]["schemas"].items())],
    }
    return render(request, "api.html", page)


def sections(document: dict[str, Any]) -> list[Section]:
    """Operations by what they are for, in the order of the document."""
    found: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            found.setdefault(said["tags"][0], []).append(_operation(method, path, said))
    return [Section(name, tuple(operations)) for name, operations in found.items()]


def _operation(method: str, path: str, said: dict[str, Any]) -> Operation:
    good = [reply for status, reply in said["responses"].items() if str(status).startswith("2")]
    return Operation(
        method=method.upper(),
        path=path,
        text=said.get("description", ""),
        parameters=tuple(
            _field(one["name"], one["schema"], one["required"], f"in the {one['in']}")
            for one in said["parameters"]
            if one["in"] != "path"
        ),
        takes=_reference(said.get("requestBody", {})),
        gives=_reference(good[0]) if good else "",
    )


def _form(name: str, schema: dict[str, Any]) -> Form:
    required = schema.get("required", ())
    fields = (
        _field(field, said, field in required, said.get("description", ""))
        for field, said in schema.get("properties", {}).items()
    )
    # Long descriptions are for who reads the code; the first paragraph says what the form is.
    return Form(name, schema.get("description", "").split("\n\n")[0], tuple(fields))


def _field(name: str, schema: dict[str, Any], required: bool, note: str) -> Field:
    return Field(name, _kind(schema), _reference(schema), required, note)


def _kind(schema: dict[str, Any]) -> str:
    """What a value is, in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"“{value}”" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type", "anything"))


def _reference(said: Any) -> str:
    """The first form that is named somewhere inside."""
    if isinstance(said, dict):
        if "$ref" in said:
            return str(said["$ref"]).rpartition("/")[2]
        said = list(said.values())
    if isinstance(said, list):
        return next((found for part in said if (found := _reference(part))), "")
    return ""
