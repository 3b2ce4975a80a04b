"""The forms that bring back what a security key answered; a script fills them."""

from __future__ import annotations

from typing import Final

from wtforms import Form, HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from consult.organisations.forms import without_nulls

NAME_MAX_LENGTH: Final = 60
_ANSWER_MAX_LENGTH: Final = 20_000


class ProofForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The answer of a key, with the signed challenge it answers."""

    challenge = HiddenField()
    credential = HiddenField(
        "Clé de sécurité",
        [
            InputRequired("Approchez ou touchez votre clé quand le navigateur le demande."),
            Length(max=_ANSWER_MAX_LENGTH, message="La réponse de la clé est trop longue."),
        ],
    )


class NewKeyForm(ProofForm):
    """A key to enrol, under the name its holder gives it."""

    name = StringField(
        "Nom de la clé",
        [
            DataRequired("Donnez un nom à la clé."),
            Length(max=NAME_MAX_LENGTH, message=f"{NAME_MAX_LENGTH} caractères au plus."),
        ],
        filters=(without_nulls, lambda typed: typed and typed.strip()),
        description="Pour la reconnaître parmi les autres\u00a0: «\u00a0clé du bureau\u00a0», «\u00a0téléphone\u00a0».",
    )
