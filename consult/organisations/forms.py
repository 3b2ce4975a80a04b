"""Identity and legal notice of an organisation."""

from __future__ import annotations

from wtforms import EmailField, Field, Form, StringField, TelField, TextAreaField
from wtforms.validators import InputRequired, Length, ValidationError

from consult.errors import InvalidError
from consult.mail.service import mailable


def _mailable(_form: Form, field: Field) -> None:
    if not field.data:
        return
    try:
        mailable(field.data)
    except InvalidError as error:
        raise ValidationError(error.message) from None


def without_nulls(typed: str | None) -> str | None:
    """What was typed, without the null characters that PostgreSQL takes in no text."""
    return typed.replace("\0", "") if typed else typed


_CLEAN = (without_nulls,)


def _at_most(length: int) -> Length:
    return Length(max=length, message=f"{length} caractères au plus ; raccourcissez.")


class IdentityForm(Form):  # type: ignore[misc]  # WTForms has no types
    """What every page and the legal notice show. An empty field of the notice stops a consultation from opening."""

    name = StringField("Nom", [InputRequired("Donnez le nom de l’organisation."), _at_most(200)], filters=_CLEAN)
    tagline = StringField(
        "Sous-titre", [_at_most(300)], filters=_CLEAN, description="Une ligne sous le nom, sur chaque page."
    )
    legal_name = StringField("Dénomination de l’administration", [_at_most(200)], filters=_CLEAN)
    legal_address = TextAreaField("Adresse postale", [_at_most(1000)], filters=_CLEAN)
    phone = TelField("Téléphone", [_at_most(40)], filters=_CLEAN)
    contact_email = EmailField("Adresse électronique de contact", [_at_most(254), _mailable])
    publication_director = StringField("Directeur ou directrice de la publication", [_at_most(200)], filters=_CLEAN)
    host_name = StringField("Nom de l’hébergeur", [_at_most(200)], filters=_CLEAN)
    host_address = TextAreaField("Adresse de l’hébergeur", [_at_most(1000)], filters=_CLEAN)
    host_phone = TelField("Téléphone de l’hébergeur", [_at_most(40)], filters=_CLEAN)
    dpo_email = EmailField("Adresse du délégué à la protection des données", [_at_most(254), _mailable])
    protected_names = TextAreaField(
        "Noms que personne ne peut porter",
        [_at_most(4000)],
        filters=_CLEAN,
        description=(
            "Un par ligne\u00a0: vos services, vos élus, vos partenaires. Un pseudonyme qui contient l’un d’eux, ou "
            "qui lui ressemble, est refusé, comme s’il contenait le nom de l’organisation ou celui d’une institution."
        ),
    )
    access_register_email = EmailField(
        "Adresse qui reçoit le registre des accès",
        [_at_most(254), _mailable],
        description="Le registre y est envoyé à chaque changement de rôle. Elle n’est pas publiée.",
    )
