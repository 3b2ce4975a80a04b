"""Granting and withdrawing a role."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.form import Form
from wtforms.validators import InputRequired, Length

from consult.accounts.access.service import REASON_MAX_LENGTH
from consult.accounts.forms import EmailForm
from consult.accounts.labels import ROLES, WHOLE_ORGANISATION
from consult.actor import ORGANISATION_ROLES, Role
from consult.organisations.forms import without_nulls

_ROLES = [SelectChoice(role.value, ROLES[role].capitalize()) for role in Role if role in ORGANISATION_ROLES]


class GrantForm(EmailForm):
    """Whom, which role, on what."""

    role = SelectField("Rôle", choices=_ROLES)
    scope = SelectField("Portée", validate_choice=True)

    def __init__(self, *args: Any, titles: Mapping[uuid.UUID, str], **kwargs: Any) -> None:
        """`titles`: the consultations on which a role may be given."""
        super().__init__(*args, **kwargs)
        self.email.label.text = "Adresse électronique de la personne"
        self.email.description = "Celle d’un compte déjà créé et confirmé sur ce site."
        whole = WHOLE_ORGANISATION.capitalize()
        named = (SelectChoice(str(key), title) for key, title in titles.items())
        self.scope.choices = [SelectChoice("", whole), *named]


class RevokeForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Why."""

    reason = TextAreaField(
        "Motif du retrait",
        [
            InputRequired("Indiquez le motif."),
            Length(max=REASON_MAX_LENGTH, message=f"{REASON_MAX_LENGTH} caractères au plus."),
        ],
        filters=(without_nulls,),
        description="Il figure au registre des accès.",
    )


class ResetFactorForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Why."""

    reason = StringField(
        "Motif",
        [InputRequired("Indiquez le motif."), Length(max=REASON_MAX_LENGTH)],
        filters=(without_nulls,),
        description="Par exemple : téléphone perdu, identité vérifiée de vive voix.",
    )
