"""Which questions concern a person: conditions over earlier answers, one declaration judged here and in the browser.

A condition is `{"all": [conditions]}`, `{"any": [conditions]}` or `{"question": id, "is": operator, "value": text}`.
`static/js/conditions.js` judges the same declaration; a test compares both over generated questionnaires.
"""

from __future__ import annotations

import datetime as dt
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias

from consult.questionnaires import kinds
from consult.questionnaires.kinds.base import Given, is_empty
from consult.questionnaires.models import Question

Condition: TypeAlias = Mapping[str, Any]
SETTING: Final = "condition"  # among the settings of a question
ALL: Final = "all"
ANY: Final = "any"
DEEPEST: Final = 4
MOST_LEAVES: Final = 20
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?", re.ASCII)
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

PRESENCE: Final = frozenset({"answered", "unanswered"})
KEYS: Final = frozenset({"chosen", "not_chosen"})
COUNTS: Final = frozenset({"count_at_least", "count_at_most"})
ORDERS: Final[Mapping[str, Callable[[int], bool]]] = {
    "equals": lambda order: order == 0,
    "less": lambda order: order < 0,
    "more": lambda order: order > 0,
    "at_least": lambda order: order >= 0,
    "at_most": lambda order: order <= 0,
}
OPERATORS: Final = PRESENCE | KEYS | COUNTS | ORDERS.keys()


def of(question: Question) -> Condition | None:
    """What must hold for the question to be asked; None: it always is."""
    found: Condition | None = question.settings.get(SETTING)
    return found


def in_order(questions: Iterable[Question]) -> list[Question]:
    """Questions as they are met: by page, then by position."""
    return sorted(questions, key=lambda question: (question.page, question.position))


def asked(questions: Iterable[Question], answers: Mapping[uuid.UUID, Given]) -> list[Question]:
    """Those that concern the person who gave these answers; what was answered to the others counts for nothing."""
    said: dict[str, Given] = {}
    found = []
    for question in in_order(questions):
        condition = of(question)
        if condition is None or holds(condition, said):
            found.append(question)
            given = answers.get(question.id)
            if given is not None and not is_empty(given):
                said[str(question.id)] = given
    return found


def holds(condition: Condition, answers: Mapping[str, Given]) -> bool:
    """Whether a condition is met by these answers, by question id; none of them is empty."""
    if ALL in condition:
        return all(holds(each, answers) for each in condition[ALL])
    if ANY in condition:
        return any(holds(each, answers) for each in condition[ANY])
    given, operator, value = answers.get(condition["question"]), str(condition["is"]), str(condition.get("value", ""))
    if operator in PRESENCE:
        return (given is not None) == (operator == "answered")
    chosen = given["options"] if given else []
    if operator in KEYS:
        return (value in chosen) is (operator == "chosen")
    if operator in COUNTS:
        return (len(chosen) >= int(value)) if operator == "count_at_least" else (len(chosen) <= int(value))
    order = _order(_single(given), value)
    return order is not None and ORDERS[operator](order)


def shown(
    page: Sequence[Question], questions: Iterable[Question], answers: Mapping[uuid.UUID, Given]
) -> list[Question]:
    """The questions of a page that are asked, or may be once others of the same page are answered."""
    concerned = {question.id for question in asked(questions, answers)}
    return [question for question in page if question.id in concerned or hangs_on(question, page)]


def hangs_on(question: Question, page: Iterable[Question]) -> bool:
    """Whether the question is asked according to what is answered on this page."""
    condition = of(question)
    return condition is not None and not sources(condition).isdisjoint(str(each.id) for each in page)


def sources(condition: Condition) -> set[str]:
    """The ids of the questions that a condition looks at."""
    return {leaf["question"] for leaf in leaves(condition)}


def leaves(condition: Condition) -> Iterator[Condition]:
    """The comparisons that a condition is made of."""
    parts = condition.get(ALL, condition.get(ANY))
    if parts is None:
        yield condition
    else:
        for each in parts:
            yield from leaves(each)


def translated(condition: Condition, ids: Mapping[str, str]) -> dict[str, Any]:
    """The same condition over questions and options that have other ids."""
    for several in (ALL, ANY):
        if several in condition:
            return {several: [translated(each, ids) for each in condition[several]]}
    value = ":".join(ids.get(part, part) for part in str(condition.get("value", "")).split(":"))
    return {"question": ids.get(condition["question"], condition["question"]), "is": condition["is"], "value": value}


def fault(condition: Any, earlier: Sequence[Question]) -> str | None:
    """Why this cannot be the condition of a question that comes after these; None when it can."""
    if not _shaped(condition, DEEPEST):
        return "Cette condition est mal formée. Écrivez-la de nouveau."
    found = list(leaves(condition))
    if len(found) > MOST_LEAVES:
        return f"Une condition compte {MOST_LEAVES} comparaisons au plus. Retirez-en."
    by_id = {str(question.id): question for question in earlier if kinds.of(question).asks}
    return next((why for leaf in found if (why := _leaf_fault(leaf, by_id.get(leaf["question"])))), None)


def first_fault(questions: Iterable[Question]) -> tuple[Question, str] | None:
    """The first question whose condition does not hold together with those before it."""
    ordered = in_order(questions)
    for rank, question in enumerate(ordered):
        condition = of(question)
        why = fault(condition, ordered[:rank]) if condition is not None else None
        if why:
            return question, why
    return None


def _shaped(condition: Any, depth: int) -> bool:
    if not isinstance(condition, Mapping) or not depth:
        return False
    for several in (ALL, ANY):
        if several in condition:
            parts = condition[several]
            return isinstance(parts, list) and bool(parts) and all(_shaped(each, depth - 1) for each in parts)
    texts = (condition.get("question"), condition.get("is"), condition.get("value", ""))
    return all(isinstance(each, str) for each in texts)


def _leaf_fault(leaf: Condition, question: Question | None) -> str | None:
    operator, value = leaf["is"], leaf.get("value", "")
    if question is None:
        return "La condition porte sur une question qui ne vient pas avant celle-ci. Choisissez-en une autre."
    kind, words = kinds.of(question), kinds.words_of(question)
    if operator not in OPERATORS:
        return "Cette comparaison n’existe pas. Choisissez-en une de la liste."
    if operator in KEYS and value not in words:
        return f"« {question.wording} » ne propose pas cette réponse. Recopiez une de celles qu’elle propose."
    if operator in COUNTS and not (words and value.isascii() and value.isdigit() and len(value) <= len("1000")):
        return "Écrivez un nombre de réponses, en chiffres, pour une question qui en propose plusieurs."
    if operator in ORDERS and not (kind.ordered and kind.name == "date" and _is_day(value)):
        numeric = kind.ordered and kind.name != "date" and _NUMBER.fullmatch(value)
        if not numeric:
            return "Comparez un nombre, une note ou une date à une valeur du même genre : 12, 12,5 ou 14/07/2026."
    return None


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text) and dt.date.fromisoformat(text))
    except ValueError:
        return False


def _single(given: Given | None) -> str:
    if given is None:
        return ""
    return given["text"] if given["text"] is not None else "".join(given["options"][:1])


def _order(one: str, other: str) -> int | None:
    """Whether a number or a day comes before (-1), with (0) or after (1) another; None: they do not compare."""
    if _NUMBER.fullmatch(one) and _NUMBER.fullmatch(other):
        left, right = Decimal(one), Decimal(other)
        return (left > right) - (left < right)
    if _DAY.fullmatch(one) and _DAY.fullmatch(other):
        return (one > other) - (one < other)
    return None
