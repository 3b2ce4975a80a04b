"""The forms by which a person rectifies what the account says of them."""

from __future__ import annotations

from typing import Any

from wtforms import PasswordField
from wtforms.validators import InputRequired

from consult.accounts.forms import EmailForm


class AddressForm(EmailForm):
    """Another address, and the password again: an open session is not enough."""

    password = PasswordField("Votre mot de passe", [InputRequired("Saisissez votre mot de passe.")])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email.label.text = "Nouvelle adresse électronique"
        self.email.description = "Un lien y est envoyé\u00a0: l’adresse change quand vous l’avez suivi."
