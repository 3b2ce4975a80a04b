"""The forms by which a person exercises their rights."""

from __future__ import annotations

from wtforms import Form, PasswordField, RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from consult.privacy.models import ErasureMode


class EraseForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What to erase, and the password again: an open session is not enough."""

    mode = RadioField(
        "Que faut-il effacer ?",
        [InputRequired("Choisissez ce qui doit être effacé.")],
        choices=[
            SelectChoice(
                ErasureMode.ACCOUNT.value,
                "Mon compte seulement : mes textes publiés, mes réponses et mes votes restent, sans mon nom",
            ),
            SelectChoice(ErasureMode.EVERYTHING.value, "Tout : mon compte, mes textes, mes réponses et mes votes"),
        ],
    )
    password = PasswordField("Votre mot de passe", [InputRequired("Saisissez votre mot de passe.")])
