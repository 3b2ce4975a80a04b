"""The form that takes the code of a reply."""

from __future__ import annotations

from wtforms import Form, StringField
from wtforms.validators import InputRequired


class CodeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A code, as its holder copied it."""

    code = StringField(
        "Code de votre réponse",
        [InputRequired()],
        description="Huit groupes de quatre lettres ou chiffres. Majuscules, tirets et espaces ne comptent pas.",
    )
