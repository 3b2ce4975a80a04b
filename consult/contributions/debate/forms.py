"""The form of the question of a debate. It draws and holds what was typed; `service` alone judges it."""

from __future__ import annotations

from typing import Any

from wtforms import Form, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from consult.contributions.bill.policy import MOST_SOURCES
from consult.contributions.debate.service import BODY_MAX, TITLE, QuestionDraft
from consult.labels import number


class QuestionForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What the debate is about."""

    title = StringField(
        "Question",
        [InputRequired(), Length(max=TITLE[1])],
        description=(
            f"Une question ouverte, à laquelle on peut répondre pour ou contre, de {TITLE[0]} à {TITLE[1]} caractères."
        ),
    )
    body = TextAreaField(
        "De quoi il s’agit",
        [Length(max=BODY_MAX)],
        description=(
            f"Facultatif\u00a0: les faits utiles à chacun, sans prendre parti, {number(BODY_MAX)} caractères au plus. "
            "Une ligne vide sépare les paragraphes, un tiret commence une liste."
        ),
    )
    sources = TextAreaField(
        "Sources",
        description=(
            f"Facultatif, {MOST_SOURCES} au plus, une par ligne\u00a0: l’adresse, un espace, puis le titre. Citez des "
            "points de vue contradictoires. Exemple\u00a0: https://www.exemple.fr/rapport Rapport sur les trajets."
        ),
    )


def draft_of(form: Any) -> QuestionDraft:
    """What was typed."""
    return QuestionDraft(form.title.data or "", form.body.data or "", form.sources.data or "")
