"""The form of a one-time code."""

from __future__ import annotations

from wtforms import Form, HiddenField, StringField
from wtforms.validators import InputRequired, Length


class CodeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A code of the application, or a recovery code."""

    code = StringField(
        "Code à usage unique",
        [InputRequired("Saisissez le code."), Length(max=40, message="Ce code est trop long.")],
        description="Les six chiffres de votre application, ou un code de secours.",
    )


class EnrolForm(CodeForm):
    """A first code, with the signed secret it proves."""

    secret = HiddenField()
