"""The forms that issue invitations, and the one that takes the code of one. `policy` alone judges."""

from __future__ import annotations

from typing import Final

from wtforms import FileField, Form, StringField, TextAreaField
from wtforms.validators import InputRequired, Length

from consult.labels import number
from consult.questionnaires.invitations.policy import MOST, NAME_LENGTH

NAME_HELP: Final = "Pour vous y retrouver, par exemple «\u00a0Courriers de mars\u00a0». Les invités ne le voient pas."


class MailForm(Form):  # type: ignore[misc]  # WTForms has no types
    """Addresses to invite, pasted or in a file."""

    name = StringField("Nom de cet envoi", [InputRequired(), Length(max=NAME_LENGTH)], description=NAME_HELP)
    addresses = TextAreaField(
        "Adresses électroniques",
        description=(
            f"{number(MOST)} au plus, une par ligne ou séparées par des virgules. Vous pouvez coller un tableau\u00a0: "
            "seules les adresses y sont lues. Chacune n’est invitée qu’une fois."
        ),
        render_kw={"rows": 8},
    )
    file = FileField("Ou un fichier texte ou CSV", description="Un mégaoctet au plus. Seules les adresses y sont lues.")


class CountForm(Form):  # type: ignore[misc]
    """How many codes to draw."""

    name = StringField("Nom de cet envoi", [InputRequired(), Length(max=NAME_LENGTH)], description=NAME_HELP)
    count = StringField(
        "Nombre de codes",
        [InputRequired()],
        description=f"{number(MOST)} au plus. Chacun vaut une réponse.",
        render_kw={"inputmode": "numeric"},
    )


class InvitationForm(Form):  # type: ignore[misc]
    """The code of an invitation, as it was printed."""

    code = StringField(
        "Code de votre invitation",
        [InputRequired()],
        description="Huit groupes de quatre lettres ou chiffres. Majuscules, tirets et espaces ne comptent pas.",
    )
