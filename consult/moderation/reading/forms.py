"""The form by which an organiser says when the texts of a step are read."""

from __future__ import annotations

from itertools import starmap

from wtforms import Form, RadioField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from consult.consultations.labels import OFF_HOURS, READINGS
from consult.consultations.reading import CHARTER_LENGTH, HOURS


class ReadingForm(Form):  # type: ignore[misc]  # WTForms has no types
    """When, by how many people, at which hours, against which charter."""

    reading = RadioField(
        "Quand les textes sont lus", [InputRequired()], choices=list(starmap(SelectChoice, READINGS.items()))
    )
    off_hours = RadioField(
        "La nuit et la fin de semaine",
        [InputRequired()],
        choices=list(starmap(SelectChoice, OFF_HOURS.items())),
        description=f"Pour un sujet clivant seulement. Les modérateurs lisent {HOURS}.",
    )
    charter = TextAreaField(
        "Charte propre à cette étape",
        [Length(max=CHARTER_LENGTH, message="Cette charte est trop longue.")],
        description="Facultatif, pour un sujet clivant seulement. Elle complète la charte, en texte simple\u00a0; elle "
        "est montrée à chacun.",
    )
