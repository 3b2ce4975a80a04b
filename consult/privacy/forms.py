"""The form that erases an account."""

from __future__ import annotations

from wtforms import Form, PasswordField
from wtforms.validators import InputRequired


class EraseForm(Form):  # type: ignore[misc]  # WTForms has no types
    """The password again: an open session is not enough."""

    password = PasswordField("Votre mot de passe", [InputRequired("Saisissez votre mot de passe.")])
