"""The reference of the API as a page shows it: read from the specification, so that it says what is served."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_TYPES: Final = {
    "string": "texte", "integer": "nombre entier", "number": "nombre", "boolean": "vrai ou faux", "array": "liste",
    "object": "objet", "null": "nul",
}  # fmt: skip


class Described(NamedTuple):
    """An argument or a column: its name, what it may be, what it means."""

    name: str
    type: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """What the page says of one operation."""

    id: str
    path: str
    summary: str
    description: str
    curl: str
    arguments: list[Described]
    columns: list[Described]
    example: str
    replies: list[tuple[str, str]]


def operations(spec: Mapping[str, Any], *, site: str, slug: str, wanted: str = "") -> list[Operation]:
    """Each operation, in the order of paths, that holds every word of `wanted`; all without any.

    `slug` is the consultation of the examples to run on `site`.
    """
    found = [
        _operation(path, operation["get"], spec["components"]["schemas"], site, slug)
        for path, operation in sorted(spec["paths"].items())
    ]
    words = _folded(wanted).split()
    return [each for each in found if all(word in _folded(_said(each)) for word in words)]


def _operation(
    path: str, operation: Mapping[str, Any], components: Mapping[str, Any], site: str, slug: str
) -> Operation:
    content = operation["responses"]["200"]["content"]["application/json"]
    arguments = operation.get("parameters", [])
    query = "?limit=2" if any(each["name"] == "limit" for each in arguments) else ""
    return Operation(
        id=operation["operationId"],
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        curl=f"curl --silent --compressed '{site}{path.replace('{slug}', slug)}{query}'",
        arguments=[_argument(each) for each in arguments],
        columns=list(_columns(_row(content["schema"], components), components)),
        example=json.dumps(content["example"], ensure_ascii=False, indent=2),
        replies=sorted((status, reply["description"]) for status, reply in operation["responses"].items()),
    )


def _argument(argument: Mapping[str, Any]) -> Described:
    schema = argument["schema"]
    text = argument.get("description") or schema["description"]
    if schema.get("default"):
        text += f" Par défaut : {schema['default']}."
    return Described(argument["name"], _type(schema), text)


def _row(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of what a reply is about: its rows, its object, else itself."""
    reply = _resolved(schema, components)
    data = reply["properties"].get("data", reply)
    return _resolved(data.get("items", data), components)


def _columns(schema: Mapping[str, Any], components: Mapping[str, Any], prefix: str = "") -> Iterator[Described]:
    """The columns of a row, those of the objects it lists included."""
    for name, column in schema["properties"].items():
        yield Described(prefix + name, _type(column), column.get("description", ""))
        items = column.get("items", {})
        if "$ref" in items:
            yield from _columns(_resolved(items, components), components, f"{prefix}{name}[].")


def _resolved(schema: Mapping[str, Any], components: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return found


def _type(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " ou ".join(dict.fromkeys(_type(each) for each in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    return "objet" if "$ref" in schema else _TYPES[schema["type"]]


def _said(operation: Operation) -> str:
    named = [f"{each.name} {each.text}" for each in (*operation.arguments, *operation.columns)]
    return " ".join([operation.id, operation.path, operation.summary, operation.description, *named])


def _folded(text: str) -> str:
    """Without case nor accents, as people type."""
    split = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in split if not unicodedata.combining(sign))
