"""What one row of a file becomes under a mapping: a proposal, an argument or answers; or why it cannot. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from consult import html
from consult.clock import PARIS
from consult.consultations.labels import HIDDEN_AT_SOURCE
from consult.imports.mapping import ImportMapping, Layout, QuestionSpec, Target
from consult.imports.readers import Row

MAX_REF: Final = 120
MAX_TITLE: Final = 200
MAX_AUTHOR: Final = 80
MAX_SAMPLE: Final = 2000
MAX_COUNT: Final = 2_000_000_000
YES: Final = frozenset({"true", "1", "oui", "vrai", "yes", "o", "y", "x"})
NO: Final = frozenset({"false", "0", "non", "faux", "no", "n", ""})
SIDES: Final = {"pour": "for", "for": "for", "yes": "for", "contre": "against", "against": "against", "no": "against"}
FRENCH_DATE: Final = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:[ T](\d{1,2})[:h](\d{2})(?::(\d{2}))?)?")


class RejectedError(Exception):
    """The row cannot be imported; the message is the reason kept beside it."""


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """A proposal as the file gives it; `votes` are imported totals: for, mixed, against."""

    ref: str
    title: str
    body: str
    theme: str
    author: str
    created_at: dt.datetime | None
    votes: tuple[int, int, int]
    hidden: str | None


@dataclass(frozen=True, slots=True)
class ArgumentRecord:
    """An argument; `proposal` is the reference of its proposal in the same step."""

    ref: str
    proposal: str
    side: str
    title: str | None
    body: str
    author: str
    created_at: dt.datetime | None
    votes: int
    hidden: str | None


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """One answer of a reply: the question by its code, and the values given."""

    question: str
    wording: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """Answers of one person; in the long layout several rows make one reply."""

    ref: str
    received_on: dt.date | None
    answers: tuple[AnswerRecord, ...]
    hidden: str | None


Record: TypeAlias = ProposalRecord | ArgumentRecord | ReplyRecord
Labels: TypeAlias = Mapping[tuple[str, str], str]


def convert(row: Row, mapping: ImportMapping, labels: Labels) -> Record:
    """The record of a row. Raises RejectedError with a French reason."""
    if row.problem:
        raise RejectedError(row.problem)
    cells = _Cells(row, mapping)
    match mapping.target:
        case Target.PROPOSALS:
            return _proposal(cells)
        case Target.ARGUMENTS:
            return _argument(cells)
        case _:
            return _reply(cells, labels)


def sample(row: Row) -> str:
    """The raw row, shortened, as it is kept beside the reason of its refusal."""
    kept = {name: value[:500] if isinstance(value, str) else value for name, value in row.values.items()}
    return json.dumps(kept, ensure_ascii=False)[:MAX_SAMPLE]


class _Cells:
    """The fields of one row, cleaned as the mapping says."""

    def __init__(self, row: Row, mapping: ImportMapping) -> None:
        self.row = row
        self.mapping = mapping

    def cell(self, column: str, values: Mapping[str, str], *, is_html: bool) -> str | None:
        """One cell as text; None where the mapping, or emptiness, says that there is no value."""
        raw = self.row.values.get(column)
        text = "|".join(raw) if isinstance(raw, list) else raw
        if text is None or text.strip() == "" or text.strip() in self.mapping.missing:
            return None
        text = values.get(text.strip(), text)
        text = html.strip_all(text) if is_html else text.replace("\r\n", "\n").replace("\r", "\n").strip()
        return text if text and text not in self.mapping.missing else None

    def get(self, name: str) -> str | None:
        """A field, from its column or its constant."""
        mapping = self.mapping
        column = mapping.columns.get(name)
        found = self.cell(column, mapping.values.get(name, {}), is_html=name in mapping.html) if column else None
        return found or mapping.constants.get(name) or None

    def need(self, name: str, label: str) -> str:
        found = self.get(name)
        if found is None:
            raise RejectedError(f"{label} est vide (colonne « {self.mapping.columns.get(name, name)} »).")
        return found

    def count(self, name: str) -> int:
        found = (self.get(name) or "0").replace(" ", "").replace("\u202f", "").removesuffix(".0")
        if not found.isascii() or not found.isdigit() or int(found[:12]) > MAX_COUNT:
            raise RejectedError(f"« {found[:40]} » n’est pas un nombre de votes (champ « {name} »).")
        return int(found)

    def ref(self) -> str:
        """The row's own reference, else one that the same row of the same content always gets."""
        found = self.get("ref")
        if found is None and "ref" in self.mapping.columns:
            raise RejectedError(f"L’identifiant est vide (colonne « {self.mapping.columns['ref']} »).")
        if found is None:
            return f"ligne {self.row.line} {hashlib.sha256(repr(self.row.values).encode()).hexdigest()[:24]}"
        return found if len(found) <= MAX_REF else hashlib.sha256(found.encode()).hexdigest()

    def hidden(self) -> str | None:
        """Why the source had hidden this content; None when it had not."""
        said = (self.get("hidden") or "").casefold()
        if said in NO:
            return None
        if said in YES:
            return (self.get("hidden_reason") or HIDDEN_AT_SOURCE[0])[:40]
        raise RejectedError(f"« {said[:40]} » ne dit pas si le contenu est masqué : oui ou non est attendu.")

    def instant(self, name: str) -> dt.datetime | None:
        found = self.get(name)
        return None if found is None else parse_instant(found)


def parse_instant(text: str) -> dt.datetime:
    """An ISO 8601 or French date, Paris time unless it says otherwise. Raises RejectedError."""
    french = FRENCH_DATE.fullmatch(text)
    try:
        if french:
            day, month, year, hour, minute, second = (int(part or 0) for part in french.groups())
            instant = dt.datetime(year, month, day, hour, minute, second, tzinfo=PARIS)
        else:
            instant = dt.datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=PARIS)).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise RejectedError(f"« {text[:40]} » n’est pas une date : AAAA-MM-JJ ou JJ/MM/AAAA est attendu.") from None


def _proposal(cells: _Cells) -> ProposalRecord:
    body = cells.need("body", "Le texte")
    title = cells.get("title") or body
    if len(title) > MAX_TITLE and cells.get("title"):
        body = f"{title}\n\n{body}"  # nothing of a long title is lost
    return ProposalRecord(
        ref=cells.ref(),
        title=shorten(title),
        body=body,
        theme=(cells.get("theme") or "")[:MAX_TITLE],
        author=(cells.get("author") or "")[:MAX_AUTHOR],
        created_at=cells.instant("created_at"),
        votes=(cells.count("votes_for"), cells.count("votes_mixed"), cells.count("votes_against")),
        hidden=cells.hidden(),
    )


def _argument(cells: _Cells) -> ArgumentRecord:
    side = cells.need("side", "Le sens de l’argument")
    if side.casefold() not in SIDES:
        raise RejectedError(f"« {side[:40]} » n’est pas un sens d’argument : pour ou contre est attendu.")
    title = cells.get("title")
    body = cells.need("body", "Le texte")
    proposal = cells.need("proposal", "La proposition")
    return ArgumentRecord(
        ref=cells.ref(),
        proposal=proposal if len(proposal) <= MAX_REF else hashlib.sha256(proposal.encode()).hexdigest(),
        side=SIDES[side.casefold()],
        title=shorten(title) if title else None,
        body=f"{title}\n\n{body}" if title and len(title) > MAX_TITLE else body,
        author=(cells.get("author") or "")[:MAX_AUTHOR],
        created_at=cells.instant("created_at"),
        votes=cells.count("votes_for"),
        hidden=cells.hidden(),
    )


def shorten(title: str) -> str:
    """A title on one line, cut at a word with « … » when it is longer than the platform's titles."""
    line = " ".join(title.split())
    return line if len(line) <= MAX_TITLE else line[: MAX_TITLE - 1].rsplit(" ", 1)[0].rstrip(" ,;:.") + "…"


def _reply(cells: _Cells, labels: Labels) -> ReplyRecord:
    mapping = cells.mapping
    found = cells.instant("received_on")
    if mapping.layout is Layout.LONG:
        code = cells.need("question", "La question")
        spec = mapping.questions.get(code) or mapping.defaults or QuestionSpec(code)
        answers = _answer(cells, mapping.columns.get("answer", ""), code, spec, labels)
        wording = spec.wording or cells.get("wording") or code
        given = [AnswerRecord(code, wording, answers)] if answers else []
    else:
        given = [
            AnswerRecord(code, spec.wording or spec.column, values)
            for code, spec in mapping.questions.items()
            if (values := _answer(cells, spec.column, code, spec, labels))
        ]
    return ReplyRecord(cells.ref(), found.astimezone(PARIS).date() if found else None, tuple(given), cells.hidden())


def _answer(cells: _Cells, column: str, code: str, spec: QuestionSpec, labels: Labels) -> tuple[str, ...]:
    values = {**cells.mapping.values.get("answer", {}), **spec.values}
    raw = cells.row.values.get(column)
    several = spec.kind.value == "multiple"
    if several and isinstance(raw, list):
        parts: Iterable[str] = [part.strip() for part in raw]
        return _chosen([values.get(part, part) for part in parts], code, labels, cells.mapping.missing)
    text = cells.cell(column, values, is_html=spec.html or "answer" in cells.mapping.html)
    if text is None:
        return ()
    if several:
        parts = [part.strip() for part in text.split(spec.separator)]
        return _chosen([values.get(part, part) for part in parts], code, labels, cells.mapping.missing)
    return (text,) if spec.kind.value.endswith("_text") else _chosen([text], code, labels, cells.mapping.missing)


def _chosen(parts: list[str], code: str, labels: Labels, missing: frozenset[str]) -> tuple[str, ...]:
    """Labels of the options chosen, each once, in the order given."""
    kept = (labels.get((code, part), part) for part in parts if part and part not in missing)
    return tuple(dict.fromkeys(label[:500] for label in kept))
