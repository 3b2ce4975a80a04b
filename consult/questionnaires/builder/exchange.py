"""A questionnaire as a JSON file: written by one platform, read by another, or by hand.

Questions name each other by the `id` that the file gives them, and answers by their words: no id of a database leaves.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations.models import Step
from consult.errors import InvalidError
from consult.media.pictures import recoded
from consult.questionnaires import conditions, kinds, policy, queries, wording
from consult.questionnaires.builder import service
from consult.questionnaires.kinds.base import option_of
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import AnswerVisibility, OptionKind, Question
from consult.questionnaires.pictures import service as pictured
from consult.questionnaires.policy import Access

FORMAT: Final = "consult-questionnaire/1"
MOST_BYTES: Final = 8_000_000
MOST_PICTURES: Final = 120  # of a file
TEXTS: Final = frozenset({"id", "kind", "wording", "help", "visibility", "other", "exclusive"}) | {
    *("unit", "low", "high", "right", "explanation"),
}
NUMBERS: Final = frozenset({"page", "minimum", "maximum", "max_length"})
LISTS: Final = frozenset({"options", "rows"})
PICTURES: Final = "pictures"
PICTURE: Final = frozenset({"option", "alt", "content"})  # the label of the option, words, base64
FLAGS: Final = frozenset({policy.ANONYMOUS, policy.FINAL})  # of the mode
KNOWN: Final = TEXTS | NUMBERS | LISTS | {"required", "condition", PICTURES}


def exported(step: Step, questions: Sequence[Question], pictures: Mapping[uuid.UUID, bytes]) -> dict[str, Any]:
    """The file of a questionnaire, as `read` takes it; `pictures`: the bytes of those of its options."""
    ordered = conditions.in_order(questions)
    names = {str(question.id): f"q{rank}" for rank, question in enumerate(ordered, 1)}
    by_id = {str(question.id): question for question in ordered}
    return {
        "format": FORMAT,
        "title": step.title,
        **({"mode": mode} if (mode := _mode(step)) else {}),
        "questions": [_exported(question, names, by_id) | _shown(question, pictures) for question in ordered],
    }


def _shown(question: Question, pictures: Mapping[uuid.UUID, bytes]) -> dict[str, Any]:
    """The pictures of its options."""
    listed = [
        {"option": option.label, "alt": option.picture.alt, "content": base64.b64encode(pictures[option.id]).decode()}
        for option in question.options
        if option.picture is not None
    ]
    return {PICTURES: listed} if listed else {}


def _mode(step: Step) -> dict[str, Any]:
    """Who may reply and how, where it is not what a new questionnaire has."""
    found = {"access": policy.access(step).value} if policy.access(step) is not Access.ACCOUNTS else {}
    flags = {policy.ANONYMOUS: policy.is_anonymous(step), policy.FINAL: policy.is_final(step)}
    return found | {name: True for name, value in flags.items() if value}


def _exported(question: Question, names: Mapping[str, str], by_id: Mapping[str, Question]) -> dict[str, Any]:
    listed = {
        name: [option.label for option in question.options if option.kind is kind]
        for name, kind in (("rows", OptionKind.ROW), ("options", OptionKind.NORMAL))
    }
    special = {kind.value: option_of(question, kind) for kind in (OptionKind.OTHER, OptionKind.EXCLUSIVE)}
    kept = {name: value for name, value in question.settings.items() if name in KNOWN and name != conditions.SETTING}
    condition = conditions.of(question)
    found = {
        "id": names[str(question.id)],
        "kind": question.kind,
        "wording": question.wording,
        "help": question.help,
        "required": question.required,
        "visibility": question.visibility.value,
        "page": question.page,
        **listed,
        **{name: option.label for name, option in special.items() if option is not None},
        **kept,
        "condition": _told(condition, names, by_id) if condition else None,
    }
    return {name: value for name, value in found.items() if value not in ("", None, [])}


def _told(condition: conditions.Condition, names: Mapping[str, str], by_id: Mapping[str, Question]) -> dict[str, Any]:
    for several in (conditions.ALL, conditions.ANY):
        if several in condition:
            return {several: [_told(each, names, by_id) for each in condition[several]]}
    key, value = condition["question"], condition.get("value", "")
    told = kinds.words_of(by_id[key]).get(value, value)
    return {"question": names[key], "is": condition["is"], **({"value": told} if told else {})}


def imported(session: Session, step: Step, raw: bytes, *, actor: Actor, now: dt.datetime) -> int:
    """Add the questions of a file after those of the step; returns how many.

    A step without a question yet takes the mode of the file too.
    Raises InvalidError, whose sentence names the question and what to mend; ConflictError once the consultation opened.
    Nothing of a refused file is kept, once the caller rolls back.
    """
    mode, entries = read(raw)
    named: dict[str, Question] = {}
    known = queries.questions(session, step.id)
    past = max((question.page for question in known), default=0)

    def condition_of(rank: int, added: Sequence[Question]) -> conditions.Condition | None:
        named.update(zip((str(entry.get("id", "")) for entry in entries), added, strict=False))
        declared = entries[rank].get("condition")
        return None if declared is None else _understood(declared, named)

    drafts = []
    for rank, entry in enumerate(entries, 1):
        try:
            drafts.append(_draft(entry, past))
        except InvalidError as error:
            raise _at(rank, error) from None
    service.extend(session, step, drafts, condition_of, at=_at, actor=actor, now=now)
    _illustrate(entries, queries.questions(session, step.id)[-len(entries) :])
    session.flush()
    if mode and not known:
        service.set_mode(session, step, **mode, actor=actor, now=now)
    return len(drafts)


def _illustrate(entries: Sequence[Mapping[str, Any]], added: Sequence[Question]) -> None:
    """Give the pictures of the file to the options that it names; each passes the checks of those sent one by one."""
    given = [
        (rank, question, each)
        for rank, (entry, question) in enumerate(zip(entries, added, strict=True), 1)
        for each in entry.get(PICTURES, ())
    ]
    if len(given) > MOST_PICTURES:
        raise InvalidError(f"Ce fichier porte plus de {MOST_PICTURES} images : partagez-le en plusieurs.")
    pictures = recoded([base64.b64decode(each["content"]) for _, _, each in given]) if given else []
    for (rank, question, each), picture in zip(given, pictures, strict=True):
        plain = question.options if kinds.of(question).pictured else ()
        named = [one for one in plain if one.kind is OptionKind.NORMAL and one.label == each["option"].strip()]
        fault = pictured.alt_fault(each["alt"]).get("alt", "") or (picture if isinstance(picture, str) else "")
        if not named:
            fault = "aucune réponse de ce nom ne se montre en image."
        if fault or isinstance(picture, str):
            raise _at(rank, InvalidError(f"image de « {each['option'][:40]} » : {fault}"))
        pictured.attach(named[0], picture, each["alt"])


def read(raw: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The mode of a file, as `service.set_mode` takes it, and its questions, of the right sort. Raises InvalidError."""
    if len(raw) > MOST_BYTES:
        raise InvalidError("Ce fichier est trop lourd pour un questionnaire : huit mégaoctets au plus.")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        raise InvalidError("Ce fichier n’est pas un document JSON. Choisissez un questionnaire exporté.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise InvalidError(f"Ce fichier n’est pas un questionnaire : son champ « format » devrait valoir « {FORMAT} ».")
    entries = document.get("questions")
    if not isinstance(entries, list) or not entries:
        raise InvalidError("Ce fichier ne contient aucune question.")
    for rank, entry in enumerate(entries, 1):
        why = _fault(entry)
        if why:
            raise _at(rank, InvalidError(why))
    return _mode_of(document.get("mode", {})), entries


def _mode_of(told: Any) -> dict[str, Any]:
    right = isinstance(told, dict) and all(
        value in list(Access) if name == "access" else name in FLAGS and isinstance(value, bool)
        for name, value in told.items()
    )
    if not right:
        raise InvalidError(
            "Le champ « mode » du fichier n’a pas la forme attendue : « access » vaut « accounts », « invitations » ou "
            "« everyone » ; « anonymous » et « final », vrai ou faux."
        )
    mode = {policy.ANONYMOUS: False, **told}
    return {**mode, "access": Access(mode.get("access", Access.ACCOUNTS))} if told else {}


def _fault(entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "ce n’est pas un objet."
    unknown = sorted(entry.keys() - KNOWN)
    if unknown:
        return f"le champ « {unknown[0][:40]} » n’est pas connu. Retirez-le."
    for name, value in entry.items():
        right = {
            name in TEXTS: isinstance(value, str),
            name in NUMBERS: isinstance(value, int) and not isinstance(value, bool),
            name in LISTS: isinstance(value, list) and all(isinstance(each, str) for each in value),
            name == "required": isinstance(value, bool),
            name == PICTURES: isinstance(value, list) and all(_is_picture(each) for each in value),
        }.get(True, True)
        if not right:
            return f"le champ « {name} » n’a pas la forme attendue."
    if entry.get("visibility", AnswerVisibility.ROWS.value) not in set(AnswerVisibility):
        return "le champ « visibility » vaut « rows », « aggregates » ou « administration »."
    return None


def _is_picture(told: Any) -> bool:
    if not isinstance(told, dict) or told.keys() != PICTURE or not all(isinstance(each, str) for each in told.values()):
        return False
    try:
        base64.b64decode(told["content"], validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _draft(entry: Mapping[str, Any], past: int) -> QuestionDraft:
    said = {name: value for name, value in entry.items() if name not in {"id", "condition", PICTURES}}
    said |= {name: tuple(said[name]) for name in LISTS if name in said}
    said["visibility"] = AnswerVisibility(said.get("visibility", AnswerVisibility.ROWS))
    said["page"] = past + int(said.get("page", 1))
    draft = QuestionDraft(**{"kind": "", "wording": "", **said})
    service.check(draft)
    return draft


def _understood(declared: Any, named: Mapping[str, Question]) -> Any:
    """A condition over the questions of the database; what is malformed is left for `conditions.fault` to refuse."""
    if not isinstance(declared, dict):
        return {}
    for several in (conditions.ALL, conditions.ANY):
        if isinstance(declared.get(several), list):
            return {several: [_understood(each, named) for each in declared[several]]}
    if "question" not in declared:
        return {}
    question, operator, value = declared["question"], declared.get("is"), declared.get("value", "")
    known = named.get(question) if isinstance(question, str) else None
    if known is None or not isinstance(operator, str) or not isinstance(value, str):
        return {"question": str(uuid.UUID(int=0)), "is": "answered", "value": ""}
    return {"question": str(known.id), "is": operator, "value": wording.understood(known, operator, value)}


def _at(rank: int, error: InvalidError) -> InvalidError:
    why = " ".join([error.message, *error.fields.values()]) if error.fields else error.message
    return InvalidError(f"Question {rank} du fichier : {why}")
