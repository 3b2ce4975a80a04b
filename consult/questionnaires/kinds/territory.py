"""The département, from a list or from a postcode."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Any, Final

from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField

from consult.questionnaires.kinds.base import MAIN, Given, Group, Kind, Sent, nothing, required
from consult.questionnaires.kinds.choices import NO_ANSWER, NO_OPTION
from consult.questionnaires.models import Question

POSTCODE: Final = "postcode"
_NAMES: Final = """01 Ain|02 Aisne|03 Allier|04 Alpes-de-Haute-Provence|05 Hautes-Alpes|06 Alpes-Maritimes|07 Ardèche
08 Ardennes|09 Ariège|10 Aube|11 Aude|12 Aveyron|13 Bouches-du-Rhône|14 Calvados|15 Cantal|16 Charente
17 Charente-Maritime|18 Cher|19 Corrèze|2A Corse-du-Sud|2B Haute-Corse|21 Côte-d’Or|22 Côtes-d’Armor|23 Creuse
24 Dordogne|25 Doubs|26 Drôme|27 Eure|28 Eure-et-Loir|29 Finistère|30 Gard|31 Haute-Garonne|32 Gers|33 Gironde
34 Hérault|35 Ille-et-Vilaine|36 Indre|37 Indre-et-Loire|38 Isère|39 Jura|40 Landes|41 Loir-et-Cher|42 Loire
43 Haute-Loire|44 Loire-Atlantique|45 Loiret|46 Lot|47 Lot-et-Garonne|48 Lozère|49 Maine-et-Loire|50 Manche|51 Marne
52 Haute-Marne|53 Mayenne|54 Meurthe-et-Moselle|55 Meuse|56 Morbihan|57 Moselle|58 Nièvre|59 Nord|60 Oise|61 Orne
62 Pas-de-Calais|63 Puy-de-Dôme|64 Pyrénées-Atlantiques|65 Hautes-Pyrénées|66 Pyrénées-Orientales|67 Bas-Rhin
68 Haut-Rhin|69 Rhône|70 Haute-Saône|71 Saône-et-Loire|72 Sarthe|73 Savoie|74 Haute-Savoie|75 Paris|76 Seine-Maritime
77 Seine-et-Marne|78 Yvelines|79 Deux-Sèvres|80 Somme|81 Tarn|82 Tarn-et-Garonne|83 Var|84 Vaucluse|85 Vendée
86 Vienne|87 Haute-Vienne|88 Vosges|89 Yonne|90 Territoire de Belfort|91 Essonne|92 Hauts-de-Seine|93 Seine-Saint-Denis
94 Val-de-Marne|95 Val-d’Oise|971 Guadeloupe|972 Martinique|973 Guyane|974 La Réunion|976 Mayotte
975 Saint-Pierre-et-Miquelon|977 Saint-Barthélemy|978 Saint-Martin|986 Wallis-et-Futuna|987 Polynésie française
988 Nouvelle-Calédonie|99 Hors de France"""
DEPARTEMENTS: Final = MappingProxyType(
    dict(each.split(" ", 1) for line in _NAMES.splitlines() for each in line.split("|"))
)
_SHARED: Final = MappingProxyType({"97133": "977", "97150": "978", "97123": "977", "97080": "978"})
_POSTCODE: Final = re.compile(r"\d{5}", re.ASCII)


class Departement(Kind):
    """A département or overseas territory; its key is its code. The postcode only helps to find it, and is not kept."""

    name = "departement"
    label = "Département"
    about = "Le département, trouvé par le code postal ou choisi dans la liste."

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
        choices = [SelectChoice("", "Choisissez" if question.required else NO_ANSWER)]
        choices += [SelectChoice(code, f"{code} – {name}") for code, name in DEPARTEMENTS.items()]
        keys = {"inputmode": "numeric", "autocomplete": "postal-code"}
        return {
            MAIN: SelectField(label, required(question), choices=choices, description=description),
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
        return [f"{DEPARTEMENTS.get(code, '')} ({code})" for code in given["options"]]

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
