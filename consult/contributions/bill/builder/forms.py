"""The form of a part of a bill. It draws and holds what was typed; `service` alone judges it."""

from __future__ import annotations

from typing import Any

from wtforms import Form, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult.contributions.bill.builder.service import HEADING_LENGTH, NUMBER_LENGTH, TEXT_LENGTH, PartDraft
from consult.contributions.bill.labels import LEVELS
from consult.contributions.models import Level
from consult.errors import InvalidError


class PartForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A division or an article."""

    level = SelectField(
        "Nature", [InputRequired()], choices=[SelectChoice(key.value, word) for key, word in LEVELS.items()]
    )
    number = StringField(
        "Numéro",
        [Length(max=NUMBER_LENGTH)],
        description=(
            "Laissez vide pour la numérotation automatique. Sinon, le numéro seul\u00a0: « 4 bis », « L. 121-3 »."
        ),
    )
    heading = StringField(
        "Intitulé", [Length(max=HEADING_LENGTH)], description="Par exemple « De la gratuité des trajets »."
    )
    body = TextAreaField(
        "Texte de l’article",
        [Length(max=TEXT_LENGTH)],
        description="Une ligne vide sépare les alinéas. Une division n’a pas de texte.",
    )


def draft_of(form: Any) -> PartDraft:
    """What was typed. Raises InvalidError for a nature that is none."""
    if form.level.data not in set(Level):
        message = "Choisissez une nature dans la liste."
        raise InvalidError(message, fields={"level": message})
    return PartDraft(Level(form.level.data), form.number.data or "", form.heading.data or "", form.body.data or "")
