"""The form of a version of an article. It draws and holds what was typed; `policy` and `service` alone judge it."""

from __future__ import annotations

from wtforms import Form, HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from consult.contributions.bill import policy
from consult.contributions.forms import sure_field
from consult.labels import number


class VersionForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What a version says, why, and on what it rests."""

    title = StringField(
        "Titre de votre version",
        [InputRequired(), Length(max=policy.TITLE[1])],
        description=f"Une phrase qui dit ce qu’elle change, de {policy.TITLE[0]} à {policy.TITLE[1]} caractères.",
    )
    body = TextAreaField(
        "Texte récrit",
        [InputRequired(), Length(max=policy.BODY_MAX)],
        description="Partez du texte ci-dessous et changez ce qu’il faut : les différences seront montrées mot à mot.",
    )
    reason = TextAreaField(
        "Exposé des motifs",
        [InputRequired(), Length(max=policy.REASON[1])],
        description=f"Pourquoi ce changement, de {policy.REASON[0]} à {number(policy.REASON[1])} caractères.",
    )
    sources = TextAreaField(
        "Sources",
        description=(
            f"Facultatif, {policy.MOST_SOURCES} au plus, une par ligne : l’adresse, un espace, puis le titre. "
            "Exemple : https://www.exemple.fr/rapport Rapport sur les trajets."
        ),
    )
    sure = sure_field()
    submission_key = HiddenField()
    version = HiddenField()
