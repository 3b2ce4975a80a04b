"""What the columns of a file mean: the mapping, read from YAML, checked in French, or guessed from the file itself.

A mapping is a YAML file:

    format: consult-import/1
    target: proposals            # proposals, arguments or replies
    consultation: {slug: …, title: …}  # created as a draft when it does not exist; the command may give the slug
    step: {slug: …, title: …}    # created when the (draft) consultation has none of that slug
    columns: {field: column}     # see FIELDS for the fields of each target
    constants: {field: value}    # the same value for every row
    values: {field: {as written: as meant}}
    missing: ["?", "NA"]         # what stands for no value, besides an empty cell
    html: [body]                 # fields whose HTML is turned into paragraphs

Replies come in two layouts. `wide`: one row per reply, `questions` lists the columns that are answers. `long`: one row
per answer, columns `ref`, `question` and `answer`; several files may complete the same replies.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import yaml

from consult.clock import PARIS
from consult.errors import InvalidError
from consult.questionnaires.models import AnswerVisibility

FORMAT: Final = "consult-import/1"
PACKAGED: Final = Path(__file__).with_name("mappings")
MAX_MAPPING_BYTES: Final = 1_000_000


class FileKind(StrEnum):
    """The kinds of question that a column of answers may make."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    SHORT_TEXT = "short_text"
    LONG_TEXT = "long_text"


class Target(StrEnum):
    """What each row of the file becomes."""

    PROPOSALS = "proposals"
    ARGUMENTS = "arguments"
    REPLIES = "replies"


class Layout(StrEnum):
    """How replies are laid out: a row is a whole reply, or one answer of it."""

    WIDE = "wide"
    LONG = "long"


_SHARED: Final = ("ref", "title", "body", "author", "created_at", "votes_for", "hidden", "hidden_reason")
FIELDS: Final[Mapping[Target, tuple[str, ...]]] = {
    Target.PROPOSALS: (*_SHARED, "theme", "votes_mixed", "votes_against"),
    Target.ARGUMENTS: (*_SHARED, "proposal", "side"),
    Target.REPLIES: ("ref", "received_on", "question", "wording", "answer", "hidden", "hidden_reason"),
}
REQUIRED: Final[Mapping[Target, tuple[str, ...]]] = {
    Target.PROPOSALS: ("body",),
    Target.ARGUMENTS: ("proposal", "side", "body"),
    Target.REPLIES: (),
}
_KEYS: Final = {
    *("format", "target", "consultation", "step", "columns", "constants", "values", "missing", "html"),
    *("layout", "replies", "questions", "question_defaults", "labels"),
}
_QUESTION_KEYS: Final = {"column", "code", "wording", "kind", "options", "visibility", "values", "separator", "html"}


@dataclass(frozen=True, slots=True)
class StepSpec:
    """The step that receives the rows."""

    slug: str
    title: str


@dataclass(frozen=True, slots=True)
class ConsultationSpec:
    """The consultation to create when its slug is free. `slug` empty: the command gives it."""

    slug: str = ""
    title: str = ""
    summary: str = ""
    opens_at: dt.datetime | None = None
    closes_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class QuestionSpec:
    """A question of the replies. `options` None: discovered in the file, in the order they come."""

    code: str
    column: str = ""
    wording: str = ""
    kind: FileKind = FileKind.LONG_TEXT
    visibility: AnswerVisibility = AnswerVisibility.ROWS
    options: tuple[str, ...] | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    separator: str = "|"
    html: bool = False


@dataclass(frozen=True, slots=True)
class LabelsSpec:
    """A companion file, beside the imported one, that gives the wording of each answer code of each question."""

    file: str
    question: str
    code: str
    label: str


@dataclass(frozen=True, slots=True)
class ImportMapping:
    """A checked mapping; see the module's docstring for its written form."""

    target: Target
    step: StepSpec
    columns: Mapping[str, str]
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    html: frozenset[str] = frozenset()
    consultation: ConsultationSpec | None = None
    layout: Layout = Layout.WIDE
    creates_replies: bool = True
    questions: Mapping[str, QuestionSpec] = field(default_factory=dict)
    defaults: QuestionSpec | None = None
    labels: LabelsSpec | None = None

    def check_columns(self, present: Sequence[str]) -> None:
        """Raise InvalidError naming each column that the file does not have, and the nearest one it has."""
        wanted = [*self.columns.values(), *(question.column for question in self.questions.values() if question.column)]
        absent = [name for name in dict.fromkeys(wanted) if name not in present]
        if absent:
            raise InvalidError(
                f"Colonnes absentes du fichier : {', '.join(_suggest(name, present) for name in absent)}. "
                f"Colonnes présentes : {', '.join(present)}. Corrigez la correspondance, puis recommencez.",
                fields=dict.fromkeys(absent, "colonne absente du fichier"),
            )


def packaged_names() -> list[str]:
    """Names of the mappings shipped with the platform."""
    return sorted(path.stem for path in PACKAGED.glob("*.yaml"))


def load(name: str) -> ImportMapping:
    """The mapping of a YAML file, or one of `packaged_names`. Raises InvalidError."""
    return parse(read_text(name))


def read_text(name: str) -> str:
    """The YAML of a mapping, given the path of a file or a packaged name. Raises InvalidError."""
    path = PACKAGED / f"{name}.yaml" if name in packaged_names() else Path(name)
    if not path.is_file():
        raise InvalidError(
            f"La correspondance « {name} » est introuvable. Donnez un fichier YAML, ou l’un de ces noms : "
            f"{', '.join(packaged_names())}."
        )
    if path.stat().st_size > MAX_MAPPING_BYTES:
        raise InvalidError(f"La correspondance « {name} » est trop grande pour être lue.")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidError(f"La correspondance « {name} » n’est pas en UTF-8.") from None


def parse(text: str) -> ImportMapping:
    """Check a mapping written in YAML. Raises InvalidError whose `fields` name each fault."""
    try:
        raw = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        at = f" (ligne {where.line + 1})" if where else ""
        raise InvalidError(f"La correspondance n’est pas un YAML valide{at}.") from None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise InvalidError(f"La correspondance doit commencer par « format: {FORMAT} ».")
    faults: dict[str, str] = {}
    _unknown(raw, _KEYS, "", faults)
    target = _choice(raw, "target", Target, None, faults)
    mapping = _build(raw, target, faults) if target else None
    if faults or mapping is None:
        told = " ; ".join(f"{name} : {reason}" for name, reason in faults.items())
        raise InvalidError(f"Correspondance à corriger : {told}.", fields=faults)
    return mapping


def _build(raw: Mapping[str, Any], target: Target, faults: dict[str, str]) -> ImportMapping:
    columns = _texts(raw, "columns", faults)
    constants = _texts(raw, "constants", faults)
    for name in ("columns", "constants"):
        _unknown(_mapping(raw, name, faults), FIELDS[target], f"{name}.", faults)
    layout = _choice(raw, "layout", Layout, Layout.WIDE, faults) or Layout.WIDE
    mapping = ImportMapping(
        target=target,
        step=_step(raw, target, faults),
        columns=columns,
        constants=constants,
        values={name: _texts(_mapping(raw, "values", faults), name, faults) for name in raw.get("values") or {}},
        missing=frozenset(str(value) for value in _list(raw, "missing", faults)),
        html=frozenset(str(value) for value in _list(raw, "html", faults)),
        consultation=_consultation(raw, faults),
        layout=layout,
        creates_replies=_text(raw, "replies", "create") == "create",
        questions=_questions(raw, faults),
        defaults=_question(_mapping(raw, "question_defaults", faults), "question_defaults", faults),
        labels=_labels(raw, faults),
    )
    _check_required(mapping, faults)
    return mapping


def _check_required(mapping: ImportMapping, faults: dict[str, str]) -> None:
    given = {*mapping.columns, *mapping.constants}
    required = REQUIRED[mapping.target]
    if mapping.target is Target.REPLIES and mapping.layout is Layout.LONG:
        required = ("ref", "question", "answer")
    for name in required:
        if name not in given:
            faults[f"columns.{name}"] = "champ obligatoire : dites quelle colonne le donne"
    if mapping.target is Target.REPLIES and mapping.layout is Layout.WIDE:
        if not mapping.questions:
            faults["questions"] = "liste obligatoire : dites quelles colonnes sont des réponses"
        for code, question in mapping.questions.items():
            if not question.column:
                faults[f"questions.{code}.column"] = "colonne obligatoire"


# Parts of the YAML --------------------------------------------------------------------------------------------------


def _step(raw: Mapping[str, Any], target: Target, faults: dict[str, str]) -> StepSpec:
    given = _mapping(raw, "step", faults)
    _unknown(given, {"slug", "title"}, "step.", faults)
    slug, title = ("questionnaire", "Questionnaire") if target is Target.REPLIES else ("propositions", "Propositions")
    return StepSpec(slug=_text(given, "slug", slug), title=_text(given, "title", title)[:200])


def _consultation(raw: Mapping[str, Any], faults: dict[str, str]) -> ConsultationSpec | None:
    given = _mapping(raw, "consultation", faults)
    if not given:
        return None
    _unknown(given, {"slug", "title", "summary", "opens_at", "closes_at"}, "consultation.", faults)
    return ConsultationSpec(
        slug=_text(given, "slug", ""),
        title=_text(given, "title", "")[:200],
        summary=_text(given, "summary", "")[:500],
        opens_at=_instant(given, "opens_at", faults),
        closes_at=_instant(given, "closes_at", faults),
    )


def _questions(raw: Mapping[str, Any], faults: dict[str, str]) -> dict[str, QuestionSpec]:
    questions: dict[str, QuestionSpec] = {}
    for number, given in enumerate(_list(raw, "questions", faults), start=1):
        if not isinstance(given, dict):
            faults[f"questions.{number}"] = "une question s’écrit avec des clés : column, wording, kind…"
            continue
        question = _question(given, f"questions.{number}", faults)
        if question.code in questions:
            faults[f"questions.{number}.code"] = f"« {question.code} » est donné deux fois"
        questions[question.code] = question
    return questions


def _question(given: Mapping[str, Any], name: str, faults: dict[str, str]) -> QuestionSpec:
    _unknown(given, _QUESTION_KEYS, f"{name}.", faults)
    options = given.get("options", "discovered")
    if options != "discovered" and not (isinstance(options, list) and options):
        faults[f"{name}.options"] = "« discovered », ou une liste de libellés"
    column = _text(given, "column", "")
    code = _text(given, "code", column)
    return QuestionSpec(
        code=code,
        column=column,
        wording=_text(given, "wording", ""),
        kind=_choice(given, "kind", FileKind, FileKind.LONG_TEXT, faults, within=name) or FileKind.LONG_TEXT,
        visibility=_choice(given, "visibility", AnswerVisibility, AnswerVisibility.ROWS, faults, within=name)
        or AnswerVisibility.ROWS,
        options=tuple(str(option)[:500] for option in options) if isinstance(options, list) else None,
        values=_texts(given, "values", faults),
        separator=_text(given, "separator", "|") or "|",
        html=given.get("html") is True,
    )


def _labels(raw: Mapping[str, Any], faults: dict[str, str]) -> LabelsSpec | None:
    given = _texts(raw, "labels", faults)
    if not given:
        return None
    absent = [key for key in ("file", "question", "code", "label") if not given.get(key)]
    if absent or Path(given["file"]).name != given["file"]:
        faults["labels"] = "donnez file (un nom de fichier, sans dossier), question, code et label"
        return None
    return LabelsSpec(given["file"], given["question"], given["code"], given["label"])


def _mapping(raw: Mapping[str, Any], name: str, faults: dict[str, str]) -> Mapping[str, Any]:
    value = raw.get(name) or {}
    if isinstance(value, dict):
        return value
    faults[name] = "des clés et des valeurs sont attendues"
    return {}


def _texts(raw: Mapping[str, Any], name: str, faults: dict[str, str]) -> dict[str, str]:
    given = _mapping(raw, name, faults)
    if any(isinstance(value, dict | list) for value in given.values()):
        faults[name] = "chaque valeur est un texte simple"
        return {}
    return {str(key): "" if value is None else _plain(value) for key, value in given.items()}


def _plain(value: Any) -> str:
    """YAML reads True, yes and 2020-01-01 as it likes: back to the text that was meant."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _text(raw: Mapping[str, Any], name: str, default: str) -> str:
    value = raw.get(name)
    return default if value is None else _plain(value).strip()


def _list(raw: Mapping[str, Any], name: str, faults: dict[str, str]) -> list[Any]:
    value = raw.get(name)
    if value is None or value == "discovered":
        return []
    if isinstance(value, list):
        return value
    faults[name] = "une liste est attendue"
    return []


def _choice(
    raw: Mapping[str, Any], name: str, options: type[Any], default: Any, faults: dict[str, str], *, within: str = ""
) -> Any:
    value = raw.get(name, default)
    try:
        return options(value)
    except ValueError:
        label = f"{within}.{name}" if within else name
        faults[label] = f"valeurs possibles : {', '.join(option.value for option in options)}"
        return default


def _instant(raw: Mapping[str, Any], name: str, faults: dict[str, str]) -> dt.datetime | None:
    value = raw.get(name)
    if value is None:
        return None
    try:
        instant = dt.datetime.fromisoformat(_plain(value))
    except ValueError:
        faults[f"consultation.{name}"] = "une date ISO est attendue, par exemple 2026-03-02T09:00"
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=PARIS)


def _unknown(given: Mapping[str, Any], known: Collection[str], prefix: str, faults: dict[str, str]) -> None:
    for name in given:
        if name not in known:
            faults[f"{prefix}{name}"] = f"clé inconnue{_nearest(str(name), sorted(known))}"


def _nearest(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return f" (vouliez-vous dire « {near[0]} » ?)" if near else ""


def _suggest(name: str, present: Sequence[str]) -> str:
    return f"« {name} »{_nearest(name, present)}"
