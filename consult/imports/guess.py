"""Propose a mapping for a file that has none: a YAML draft for a person to read, correct and keep."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import yaml

from consult.consultations.policy import TITLE_LENGTH, slug_of
from consult.imports.mapping import FORMAT, FileKind, Layout, Target
from consult.imports.readers import Row, Source
from consult.imports.records import SIDES
from consult.questionnaires.models import AnswerVisibility

SAMPLE_ROWS: Final = 2000
MAX_OPTIONS: Final = 20
LONG_ANSWER: Final = 80
MISSING: Final = ("?", "NA", "N/A", "#N/A", "NULL", "null", "nan", "-")
# Column names, without accents nor case, by the field they usually give; the first found wins.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "proposal": ("proposal_id", "opinion_id", "proposition_id", "contribution_id", "proposal", "proposition"),
    "ref": ("id", "ref", "reference", "external_id", "identifiant", "row_id", "user_id", "reply_id", "argument_id"),
    "side": ("side", "sens", "position", "type_argument", "pour_contre"),
    "title": ("title", "titre", "objet", "intitule"),
    "body": ("body_html", "body", "texte", "text", "contenu", "content", "description", "body_text", "message"),
    "theme": ("theme", "section_label", "section", "categorie", "category", "thematique", "rubrique"),
    "author": ("author", "auteur", "author_name", "pseudonyme", "pseudo"),
    "created_at": ("created_at", "date", "date_creation", "published_at", "cree_le", "createdat", "publie_le"),
    "votes_for": ("votes_ok", "votes_for", "votes_pour", "pour", "votes", "d_accord", "votes_utiles"),
    "votes_mixed": ("votes_mitige", "votes_mixed", "mitige", "votes_neutre"),
    "votes_against": ("votes_nok", "votes_against", "votes_contre", "contre", "pas_d_accord"),
    "hidden": ("is_trashed", "hidden", "masque", "trashed", "corbeille"),
    "question": ("question_id", "question_code", "code_question", "question"),
    "wording": ("question", "question_title", "libelle_question", "intitule_question"),
    "answer": ("answer", "reponse", "response", "comment", "commentaire", "value", "valeur"),
    "received_on": ("received_on", "submitted_at", "date_reponse", "created_at", "date", "horodatage"),
}
SENSITIVE: Final = re.compile(
    r"\b(age|sexe|genre|departement|region|commune|code_?postal|profession|csp|formation|diplome|revenu|situation)"
)
PERSONAL: Final = re.compile(r"mail|telephone|phone|adresse|address|\bnom\b|\bname\b|prenom|\bip\b")


@dataclass(slots=True)
class _Column:
    """What the sample shows of one column."""

    values: dict[str, int] = field(default_factory=dict)
    filled: int = 0
    length: int = 0
    lists: bool = False
    markup: bool = False

    def see(self, value: Any) -> None:
        if value in (None, "") or value in MISSING:
            return
        self.lists = self.lists or isinstance(value, list)
        for part in value if isinstance(value, list) else [value]:
            self.values[part[:200]] = self.values.get(part[:200], 0) + 1
            self.length += len(part)
            self.markup = self.markup or "</" in part or "<br" in part
        self.filled += 1


def guess(source: Source, *, slug: str = "") -> str:
    """A mapping in YAML for this file, from the names and the first values of its columns; it runs as it is.

    Without `slug`, the consultation's identifier is made from the file's name, as its title is.
    """
    rows = [row for row in islice(source.rows(), SAMPLE_ROWS) if row.problem is None]
    columns = _see(source.columns, rows)
    target = _target(columns)
    title = _title(source.path)
    consultation = {"slug": slug or slug_of(title), "title": title}
    draft: dict[str, Any] = {"format": FORMAT, "target": target.value, "consultation": consultation}
    if target is Target.REPLIES:
        draft |= _replies(columns, len(rows))
    else:
        draft |= {"step": {"slug": "propositions", "title": "Propositions"}} | _contents(columns, target)
    missing = [mark for mark in MISSING if any(_holds(row, mark) for row in rows)]
    if missing:
        draft["missing"] = missing
    head = (
        f"# Correspondance proposée pour « {source.path.name} » : relisez-la, corrigez-la, enregistrez-la,\n"
        "# puis relancez la commande avec --mapping et le nom de ce fichier.\n"
    )
    left = [name for name in source.columns if name not in _used(draft)]
    tail = f"# Colonnes laissées de côté : {', '.join(left)}\n" if left else ""
    return head + yaml.safe_dump(draft, allow_unicode=True, sort_keys=False, width=110) + tail


def _title(path: Path) -> str:
    """A file's name as a person would write it: « avis_2026.csv.gz » is « Avis 2026 »."""
    words = re.sub(r"[_\W]+", " ", Path(path.name.removesuffix(".gz")).stem)
    title = " ".join(words.split())[:TITLE_LENGTH]
    return title[:1].upper() + title[1:] or "Consultation importée"


def _see(names: Sequence[str], rows: Sequence[Row]) -> dict[str, _Column]:
    columns = {name: _Column() for name in names}
    for row in rows:
        for name, value in row.values.items():
            if name in columns:
                columns[name].see(value)
    return columns


def _target(columns: Mapping[str, _Column]) -> Target:
    side = _find(columns, "side")
    if side and _find(columns, "proposal") and all(value.casefold() in SIDES for value in columns[side].values):
        return Target.ARGUMENTS
    if _find(columns, "body") and (_find(columns, "title") or _find(columns, "votes_for")):
        return Target.PROPOSALS
    return Target.REPLIES


def _contents(columns: Mapping[str, _Column], target: Target) -> dict[str, Any]:
    wanted = ["ref", "title", "body", "author", "created_at", "votes_for", "hidden"]
    wanted[1:1] = ["proposal", "side"] if target is Target.ARGUMENTS else ["theme", "votes_mixed", "votes_against"]
    found = _fields(columns, wanted, target)
    drafted: dict[str, Any] = {"columns": found}
    if columns[found["body"]].markup:
        drafted["html"] = ["body"]
    return drafted


def _replies(columns: Mapping[str, _Column], rows: int) -> dict[str, Any]:
    step = {"slug": "questionnaire", "title": "Questionnaire"}
    found = _fields(columns, ["ref", "question", "wording", "answer"], Target.REPLIES)
    if {"ref", "question", "answer"} <= found.keys():
        closed = _kind(columns[found["answer"]], rows)
        defaults = {"kind": closed.value, "visibility": AnswerVisibility.ADMINISTRATION.value}
        return {"step": step, "layout": Layout.LONG.value, "columns": found, "question_defaults": defaults}
    found = _fields(columns, ["ref", "received_on"], Target.REPLIES)
    questions = [
        _question(name, column, rows)
        for name, column in columns.items()
        if name not in found.values() and not PERSONAL.search(_plain(name))
    ]
    return {"step": step, "layout": Layout.WIDE.value, "columns": found, "questions": questions}


def _question(name: str, column: _Column, rows: int) -> dict[str, Any]:
    kind = _kind(column, rows)
    drafted: dict[str, Any] = {"column": name, "wording": name, "kind": kind.value}
    closed = kind in {FileKind.SINGLE, FileKind.MULTIPLE}
    sensitive = SENSITIVE.search(_plain(name)) is not None
    visibility = AnswerVisibility.AGGREGATES if closed or sensitive else AnswerVisibility.ADMINISTRATION
    drafted["visibility"] = visibility.value  # the careful choice: a person opens it up, never the machine
    if closed:
        drafted["options"] = "discovered"
    return drafted


def _kind(column: _Column, rows: int) -> FileKind:
    """Few short values that come back make a closed question."""
    length = column.length / max(column.filled, 1)
    few = 0 < len(column.values) <= MAX_OPTIONS and length < LONG_ANSWER
    if few and (len(column.values) <= max(rows // 5, 2)):
        return FileKind.MULTIPLE if column.lists else FileKind.SINGLE
    return FileKind.LONG_TEXT if length >= LONG_ANSWER else FileKind.SHORT_TEXT


def _fields(columns: Mapping[str, _Column], wanted: Sequence[str], target: Target) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in wanted:
        taken = set(found.values())
        column = _find({key: value for key, value in columns.items() if key not in taken}, name, target)
        if column:
            found[name] = column
    return found


def _find(columns: Mapping[str, _Column], wanted: str, target: Target | None = None) -> str | None:
    """The column that bears one of the usual names of a field, the likeliest name first."""
    usual = list(NAMES[wanted])
    if wanted == "ref" and target is Target.PROPOSALS:
        usual += NAMES["proposal"]
    by_name = {_plain(name): name for name in reversed(list(columns))}
    return next((by_name[name] for name in usual if name in by_name), None)


def _plain(name: str) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "_", bare.casefold()).strip("_")


def _holds(row: Row, mark: str) -> bool:
    return any(value == mark for value in row.values.values())


def _used(draft: Mapping[str, Any]) -> set[str]:
    return {*draft["columns"].values(), *(question["column"] for question in draft.get("questions", []))}
