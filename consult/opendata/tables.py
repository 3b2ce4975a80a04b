"""The tables of open data: columns with their types and meaning, keys and links; what each file format is written from.

Names and meaning are those of the public datasets, types those that the API's schemas declare: neither is said twice.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consult.opendata import envelopes
from consult.protocols import PublicDataset

KEYS: Final[Mapping[str, tuple[str, ...]]] = {"answers": ("reply", "question")}  # the others: ("id",)
LINKS: Final[Mapping[str, Mapping[str, str]]] = {  # table -> column -> the table whose `id` it gives
    "themes": {"step": "steps"},
    "articles": {"step": "steps", "parent": "articles"},
    "contributions": {"step": "steps", "theme": "themes", "article": "articles", "rewrites": "contributions"},
    "arguments": {"contribution": "contributions"},
    "ballots": {"step": "steps"},
    "questions": {"step": "steps"},
    "replies": {"step": "steps"},
    "answers": {"reply": "replies", "question": "questions"},
}


class Kind(enum.StrEnum):
    """What a cell holds."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    TEXTS = "texts"
    OBJECTS = "objects"


WORDS: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "texte",
    Kind.INTEGER: "nombre entier",
    Kind.BOOLEAN: "vrai ou faux",
    Kind.DATE: "date",
    Kind.INSTANT: "date et heure (UTC)",
    Kind.TEXTS: "liste de textes",
    Kind.OBJECTS: "liste d’objets",
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `required`: never empty; `values`: the only ones, if listed; `members`: of each object, with kinds."""

    name: str
    kind: Kind
    description: str
    required: bool
    values: tuple[str, ...] = ()
    members: tuple[tuple[str, Kind], ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns in their order, its key, and the tables that its columns point to."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    links: Mapping[str, str]


CONSULTATION: Final = Column("consultation", Kind.TEXT, "Consultation", required=True)


def tables(datasets: Mapping[str, PublicDataset], *, whole: bool = False) -> dict[str, Table]:
    """The table of each dataset, by name; `whole`: of several consultations, each row saying which one is its own."""
    return {name: _table(name, dataset, whole=whole) for name, dataset in datasets.items()}


def _table(name: str, dataset: PublicDataset, *, whole: bool) -> Table:
    model = envelopes.ROW[name]
    described = model.model_json_schema()
    definitions = described.get("$defs", {})
    key, links = KEYS.get(name, ("id",)), LINKS.get(name, {})
    columns = tuple(
        _column(column, text, described["properties"][column], definitions, never_empty=column in {*key, *links})
        for column, text in dataset.columns.items()
    )
    if whole and name != "consultation":
        columns, links = (CONSULTATION, *columns), {"consultation": "consultation", **links}
    return Table(name, columns, key, links)


def _column(
    name: str, text: str, schema: Mapping[str, Any], definitions: Mapping[str, Any], *, never_empty: bool
) -> Column:
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    (found,) = choices
    values = tuple(found.get("enum", (found["const"],) if "const" in found else ()))
    members: tuple[tuple[str, Kind], ...] = ()
    if found["type"] == "array":
        kind = Kind.TEXTS if found["items"].get("type") == "string" else Kind.OBJECTS
        if kind is Kind.OBJECTS:
            properties = definitions[found["items"]["$ref"].rpartition("/")[2]]["properties"]
            members = tuple(
                (member, Kind.INTEGER if said.get("type") == "integer" else Kind.TEXT)
                for member, said in properties.items()
            )
    elif found["type"] == "string":
        kind = {"date": Kind.DATE, "date-time": Kind.INSTANT}.get(found.get("format", ""), Kind.TEXT)
    else:
        kind = Kind(found["type"])
    # A text may be empty, which a table cannot tell from none.
    filled = never_empty or values or kind in {Kind.INTEGER, Kind.BOOLEAN, Kind.DATE, Kind.INSTANT}
    required = len(choices) == len(schema.get("anyOf", [schema])) and bool(filled)
    return Column(name, kind, text[:1].upper() + text[1:], required, values, members)
