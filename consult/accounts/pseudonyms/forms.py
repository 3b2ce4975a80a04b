"""The forms by which a pseudonym is chosen."""

from __future__ import annotations

from typing import Any

from wtforms import Field, Form, StringField, ValidationError
from wtforms.validators import InputRequired

from consult.accounts.pseudonyms import policy
from consult.errors import InvalidError


class PseudonymForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A pseudonym."""

    pseudonym = StringField(
        "Pseudonyme",
        [InputRequired("Choisissez un pseudonyme.")],
        description=(
            f"C’est le seul nom que les autres verront. {policy.MAX_LENGTH} caractères au plus\u00a0; inutile de "
            "donner votre vrai nom."
        ),
    )

    def __init__(self, *args: Any, reserved: tuple[str, ...] = (), **kwargs: Any) -> None:
        """`reserved`: names nobody may wear, such as the organisation's."""
        super().__init__(*args, **kwargs)
        self._reserved = reserved

    def validate_pseudonym(self, field: Field) -> None:
        """Refuse what cannot be shown or imitates an official service."""
        try:
            policy.clean(field.data or "", reserved=self._reserved)
        except InvalidError as error:
            raise ValidationError(error.message) from None


class RenameForm(PseudonymForm):
    """Another pseudonym, everywhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pseudonym.label.text = "Nouveau pseudonyme"
        self.pseudonym.description = (
            f"{policy.MAX_LENGTH} caractères au plus. Il remplace l’ancien partout, aussi sur ce que vous avez déjà "
            "publié."
        )


class ApartForm(PseudonymForm):
    """Another pseudonym, in one consultation."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.pseudonym.label.text = "Pseudonyme dans cette consultation"
        self.pseudonym.description = (
            f"{policy.MAX_LENGTH} caractères au plus. Il remplace l’autre dans cette consultation seulement, aussi sur "
            "ce que vous y avez déjà publié."
        )
