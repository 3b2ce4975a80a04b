"""The form of a new key."""

from __future__ import annotations

from typing import Final

from wtforms import Form, SelectChoice, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import CheckboxInput, ListWidget

from consult.opendata.keys.labels import SCOPES
from consult.opendata.keys.service import DAYS

LIVES: Final = {30: "30 jours", 90: "3 mois", 180: "6 mois", 365: "1 an"}


class KeyForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Name, uses and length of life."""

    name = StringField(
        "Nom",
        [
            InputRequired("Dites à quoi servira la clé."),
            Length(max=80, message="80 caractères au plus ; raccourcissez."),
        ],
        description="Le programme ou le service qui l’emploiera.",
    )
    scopes = SelectMultipleField(
        "Usages",
        [InputRequired("Cochez au moins un usage.")],
        choices=[SelectChoice(scope.value, label) for scope, label in SCOPES.items()],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    days = SelectField("Durée", choices=[SelectChoice(days, LIVES[days]) for days in DAYS], coerce=int, default=90)
