"""The département, from a list or from a postcode."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any, Final

from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField

from consult.departements import DEPARTEMENTS, choices, spoken
from consult.questionnaires.kinds.base import MAIN, Given, Group, Kind, Sent, nothing, required
from consult.questionnaires.kinds.choices import NO_ANSWER, NO_OPTION
from consult.questionnaires.models import Question

POSTCODE: Final = "postcode"
_SHARED: Final = MappingProxyType({"97133": "977", "97150": "978", "97123": "977", "97080": "978"})
_POSTCODE: Final = re.compile(r"\d{5}", re.ASCII)


class Departement(Kind):
    """A département or overseas territory; its key is its code. The postcode only helps to find it, and is not kept."""

    name = "departement"
    label = "Département"
    about = "Le département, choisi dans la liste ou sur la carte, ou trouvé par le code postal."

    def missing(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Cette question est obligatoire. Choisissez votre département, ou donnez votre code postal."

    def read(self, question: Question, sent: Sent) -> Given:
        """What the list says; failing that, what the postcode tells, kept as typed when it tells nothing."""
        del question
        chosen = [value for value in sent.values if value][:1]
        typed = sent.one(POSTCODE)
        if chosen or not typed:
            return nothing() | {"options": chosen}
        code = of_postcode(typed)
        return nothing() | {"options": [code]} if code else nothing() | {"other": typed}

    def check(self, question: Question, given: Given) -> str | None:
        """See Kind."""
        del question
        if given["other"]:
            return "Ce code postal n’est pas connu. Écrivez ses cinq chiffres, ou choisissez dans la liste."
        if len(given["options"]) != 1 or given["options"][0] not in DEPARTEMENTS or given["text"] is not None:
            return "Ce département n’existe pas. Choisissez dans la liste."
        return None

    def fault_at(self, question: Question, given: Given) -> str:
        """See Kind."""
        del question
        return POSTCODE if given["other"] else MAIN

    def hint(self, question: Question) -> str:
        """See Kind."""
        del question
        return "Choisissez-le dans la liste, ou donnez plus bas votre code postal."

    def fields(self, question: Question, label: str, description: str) -> dict[str, UnboundField]:
        """See Kind."""
        listed = [SelectChoice("", "Choisissez" if question.required else NO_ANSWER)]
        listed += [SelectChoice(code, label) for code, label in choices()]
        keys = {"inputmode": "numeric", "autocomplete": "postal-code"}
        return {
            MAIN: SelectField(label, required(question), choices=listed, description=description),
            POSTCODE: StringField(
                "Code postal", description="Il sert à trouver le département et n’est pas gardé.", render_kw=keys
            ),
        }

    def values(self, question: Question, given: Given) -> dict[str, Any]:
        """See Kind."""
        del question
        return {MAIN: given["options"][0] if given["options"] else "", POSTCODE: given["other"] or ""}

    def shown(self, question: Question, given: Given) -> list[str]:
        """See Kind."""
        del question
        return [spoken(code) for code in given["options"]]

    def groups(self, question: Question) -> list[Group]:
        """See Kind."""
        del question
        return [Group(DEPARTEMENTS, without=NO_OPTION)]


def of_postcode(typed: str) -> str | None:
    """The code of the département in which a postcode lies; None when there is none.

    A few communes are served by the post of a neighbouring département: the list remains for them.
    """
    digits = typed.replace(" ", "").replace("\u00a0", "")
    if not _POSTCODE.fullmatch(digits):
        return None
    corsica = {"200": "2A", "201": "2A", "202": "2B", "206": "2B"}.get(digits[:3])
    code = _SHARED.get(digits) or corsica or (digits[:3] if digits[:2] in {"97", "98"} else digits[:2])
    return code if code in DEPARTEMENTS and code != "99" else None
