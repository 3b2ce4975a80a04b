"""A condition in French."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from consult.questionnaires import kinds
from consult.questionnaires.conditions import ALL, ANY, KEYS, PRESENCE, Condition
from consult.questionnaires.kinds.base import clean_text
from consult.questionnaires.kinds.measures import day_of, french, parsed, plain
from consult.questionnaires.models import Question

SENTENCES: Final = {
    "answered": "vous avez répondu à la question {question}",
    "unanswered": "vous n’avez pas répondu à la question {question}",
    "chosen": "vous avez choisi « {value} » à la question {question}",
    "not_chosen": "vous n’avez pas choisi « {value} » à la question {question}",
    "count_at_least": "vous avez choisi au moins {value} réponses à la question {question}",
    "count_at_most": "vous avez choisi au plus {value} réponses à la question {question}",
    "equals": "votre réponse à la question {question} est {value}",
    "less": "votre réponse à la question {question} est inférieure à {value}",
    "more": "votre réponse à la question {question} est supérieure à {value}",
    "at_least": "votre réponse à la question {question} est d’au moins {value}",
    "at_most": "votre réponse à la question {question} est d’au plus {value}",
}
DAYS: Final = {
    "equals": "votre réponse à la question {question} est le {value}",
    "less": "votre réponse à la question {question} est avant le {value}",
    "more": "votre réponse à la question {question} est après le {value}",
    "at_least": "votre réponse à la question {question} est le {value} ou après",
    "at_most": "votre réponse à la question {question} est le {value} ou avant",
}
# Told to the organiser who chooses.
OPERATORS: Final = {
    "chosen": "la réponse choisie est, ou comprend",
    "not_chosen": "la réponse choisie n’est pas, ni ne comprend",
    "answered": "une réponse a été donnée",
    "unanswered": "aucune réponse n’a été donnée",
    "equals": "égale à (nombre, note ou date)",
    "less": "inférieure à",
    "more": "supérieure à",
    "at_least": "au moins égale à",
    "at_most": "au plus égale à",
    "count_at_least": "nombre de réponses choisies au moins égal à",
    "count_at_most": "nombre de réponses choisies au plus égal à",
}


def sentence(condition: Condition, questions: Sequence[Question], numbers: Mapping[uuid.UUID, int]) -> str:
    """When a question is asked, as told to whoever answers."""
    return f"Si {_clause(condition, {str(question.id): question for question in questions}, numbers)}."


def understood(question: Question, operator: str, typed: str) -> str:
    """What a condition keeps of a value in words: the key of a label, a number or a day in its one form."""
    text = clean_text(typed)
    if operator in PRESENCE:
        return ""
    if operator in KEYS:
        keys = {_plain(words): key for key, words in kinds.words_of(question).items()}
        return keys.get(_plain(text), text)
    day, figure = day_of(text), parsed(text)
    return day.isoformat() if day else plain(figure) if figure is not None else text


def _plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").casefold()


def _clause(condition: Condition, questions: Mapping[str, Question], numbers: Mapping[uuid.UUID, int]) -> str:
    for several, link in ((ALL, " et que "), (ANY, " ou que ")):
        if several in condition:
            parts = [_part(each, questions, numbers) for each in condition[several]]
            return link.join(parts)
    question = questions[condition["question"]]
    value, number = str(condition.get("value", "")), numbers[question.id]
    day, figure = day_of(value), parsed(value)
    if condition["is"] in DAYS and day is not None:
        return DAYS[condition["is"]].format(question=number, value=f"{day:%d/%m/%Y}")
    told = kinds.words_of(question).get(value) or (french(figure) if figure is not None else value)
    return SENTENCES[condition["is"]].format(question=number, value=told)


def _part(condition: Condition, questions: Mapping[str, Question], numbers: Mapping[uuid.UUID, int]) -> str:
    clause = _clause(condition, questions, numbers)
    several = next((condition[key] for key in (ALL, ANY) if key in condition), ())
    return f"({clause})" if len(several) > 1 else clause
