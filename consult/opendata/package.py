"""What goes with the tables of a dump: the Frictionless data package, and the dictionary that a person reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from consult.opendata.formats import Format
from consult.opendata.labels import DATASETS
from consult.opendata.tables import WORDS, Column, Kind, Table

LICENCE: Final = "etalab-2.0"
LICENCE_TITLE: Final = "Licence Ouverte 2.0"
LICENCE_URL: Final = "https://www.etalab.gouv.fr/wp-content/uploads/2017/04/ETALAB-Licence-Ouverte-v2.0.pdf"
_TYPES: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.TEXT: {"type": "string"},
    Kind.INTEGER: {"type": "integer"},
    Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "date"},
    Kind.INSTANT: {"type": "datetime"},
    Kind.TEXTS: {"type": "array"},
    Kind.OBJECTS: {"type": "array"},
}


def table_schema(table: Table, form: Format, known: Collection[str]) -> dict[str, Any]:
    """The Table Schema of a table as NDJSON or CSV holds it: in CSV a list is a text. `known`: what it may link to."""
    schema: dict[str, Any] = {
        "fields": [_field(column, form) for column in table.columns],
        "missingValues": [""],
        "primaryKey": list(table.key),
    }
    suffix = "" if form is Format.CSV else f"-{form}"
    links = [
        {"fields": [column], "reference": {"resource": f"{target}{suffix}", "fields": ["id"]}}
        for column, target in table.links.items()
        if f"{target}{suffix}" in known
    ]
    return schema | ({"foreignKeys": links} if links else {})


def _field(column: Column, form: Format) -> dict[str, Any]:
    listed = column.kind in {Kind.TEXTS, Kind.OBJECTS} and form is Format.CSV
    field: dict[str, Any] = {
        "name": column.name,
        **({"type": "string"} if listed else _TYPES[column.kind]),
        "description": column.description + (" ; liste jointe par « | »" if listed else ""),
    }
    constraints: dict[str, Any] = {"required": True} if column.required else {}
    if column.values:
        constraints["enum"] = list(column.values)
    return field | ({"constraints": constraints} if constraints else {})


def package(
    manifest: Mapping[str, Any], tables: Mapping[str, Table], files: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """`datapackage.json`: the CSV and NDJSON files of a dump, each with its schema, size and digest."""
    # An empty NDJSON file is left to its CSV twin: the readers of data packages find no table in it.
    described = [
        each for each in files if each["format"] == Format.CSV or (each["format"] == Format.NDJSON and each["rows"])
    ]
    names = {_name(each) for each in described}
    return {
        "profile": "data-package",
        "name": manifest["consultation"] or manifest["organisation"],
        "title": manifest["title"],
        "homepage": manifest["source"],
        "created": manifest["generated_at"],
        "position": manifest["position"],
        "licenses": [{"name": LICENCE, "title": LICENCE_TITLE, "path": LICENCE_URL}],
        "sources": [{"title": manifest["title"], "path": manifest["source"]}],
        "resources": [_resource(each, tables[each["dataset"]], names) for each in described],
    }


def _name(file: Mapping[str, Any]) -> str:
    return str(file["dataset"] if file["format"] == Format.CSV else f"{file['dataset']}-{file['format']}")


def _resource(file: Mapping[str, Any], table: Table, known: Collection[str]) -> dict[str, Any]:
    form = Format(file["format"])
    shape: dict[str, Any] = {
        "profile": "tabular-data-resource",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n"},
    }
    return {
        "name": _name(file),
        "title": DATASETS[table.name],
        "path": file["name"],
        "format": form.value,
        "mediatype": file["media_type"],
        "encoding": "utf-8",
        "bytes": file["bytes"],
        "hash": f"sha256:{file['sha256']}",
        "rows": file["rows"],
        **(shape if form is Format.CSV else {}),
        "schema": table_schema(table, form, known),
    }


def notice(manifest: Mapping[str, Any]) -> list[str]:
    """What a person reads first, line by line: what this is, from when, and how it may be used."""
    position = manifest["position"]
    state = "avant la première entrée du registre public" if position is None else f"état au n° {position} du registre"
    return [
        f"Données ouvertes : {manifest['title']}",
        f"Faites le {manifest['generated_at']} (UTC), {state}.",
        f"Source, à citer avec la date : {manifest['source']}",
        f"{LICENCE_TITLE} ({LICENCE}) : {LICENCE_URL}",
        "Un texte masqué, retiré ou effacé n’y figure pas ; son état y figure. Les heures sont arrondies (UTC).",
        "Auteurs et votants portent, dans chaque étape, deux identifiants sans lien entre eux.",
        "NDJSON est la forme de référence. Une liste tient dans une cellule, jointe par « | ».",
        "Dans un classeur, une feuille s’arrête à 1 048 576 lignes, et la suite vient dans la feuille « (2) ».",
        "Une cellule de classeur s’arrête à 32 767 caractères : un texte plus long y est coupé et le dit à sa fin.",
    ]


def dictionary(manifest: Mapping[str, Any], tables: Sequence[Table]) -> str:
    """`dictionnaire.md`: every column of every table."""
    return "\n".join(_dictionary(manifest, tables)) + "\n"


def _dictionary(manifest: Mapping[str, Any], tables: Sequence[Table]) -> Iterator[str]:
    first, *others = notice(manifest)
    yield f"# {first}"
    for line in others:
        yield from ("", line)
    for table in tables:
        yield from ("", f"## {DATASETS[table.name]} : `{table.name}`", "")
        yield from ("| Colonne | Type | Toujours remplie | Signification |", "|---|---|---|---|")
        for column in table.columns:
            filled = "oui" if column.required else "non"
            meaning = column.description.replace("|", "\\|")
            yield f"| `{column.name}` | {WORDS[column.kind]} | {filled} | {meaning} |"
