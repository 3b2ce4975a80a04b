"""What in a text looks like personal data: told to its author before it is published, and to moderators after.

Numbers that carry a key are checked by it, so that an amount or a reference is not taken for one. A name is looked for
where something introduces it, a civility, an initial or « je m’appelle », and where a given name of France begins it
(see `persons`). Others would take a statistical tagger of 0.8 GB, that no web node loads. Most that are found so in a
debate are of public figures: the author decides, then a moderator.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from consult import persons


class Trace(enum.StrEnum):
    """A kind of personal data."""

    EMAIL = "email"
    PHONE = "phone"
    SOCIAL_SECURITY = "social_security"
    IBAN = "iban"
    CARD = "card"
    ADDRESS = "address"
    PLATE = "plate"
    PROFILE = "profile"
    NAME = "name"


LABELS: Final = {
    Trace.EMAIL: "une adresse électronique",
    Trace.PHONE: "un numéro de téléphone",
    Trace.SOCIAL_SECURITY: "un numéro de sécurité sociale",
    Trace.IBAN: "un numéro de compte bancaire (IBAN)",
    Trace.CARD: "un numéro de carte bancaire",
    Trace.ADDRESS: "une adresse postale",
    Trace.PLATE: "une plaque d’immatriculation",
    Trace.PROFILE: "un lien vers un profil personnel",
    Trace.NAME: "le nom d’une personne",
}
MASKS: Final = {  # what stands in their place in a text that is handed on
    Trace.EMAIL: "[courriel masqué]",
    Trace.PHONE: "[téléphone masqué]",
    Trace.SOCIAL_SECURITY: "[numéro de sécurité sociale masqué]",
    Trace.IBAN: "[IBAN masqué]",
    Trace.CARD: "[numéro de carte masqué]",
    Trace.ADDRESS: "[adresse masquée]",
    Trace.PLATE: "[plaque masquée]",
    Trace.PROFILE: "[profil masqué]",
    Trace.NAME: "[nom masqué]",
}

_GAP = r"[ \u00a0\u202f.\-]"  # between the groups of a number
_WAYS = (
    "rue|avenue|av\\.|boulevard|bd|bld|chemin|impasse|allée|allées|place|quai|route|cours|square|ruelle|passage|"
    "sentier|résidence|lotissement|faubourg|esplanade|villa|hameau"
)

_SPACE: Final = r"[ \u00a0\u202f]"
_SEVERAL: Final = r"(?:MM\b\.?|Mmes\b\.?|Mlles\b\.?|[Mm]essieurs|[Mm]esdames|[Mm]esdemoiselles)"
_CIVILITY: Final = (
    rf"(?:{_SEVERAL}|M\.|Mr\b\.?|Mme\b\.?|Mlle\b\.?|[Mm]onsieur|[Mm]adame|[Mm]ademoiselle|Dr\b\.?|[Dd]octeur|Pr\b\.?"
    r"|Me\b\.?|[Mm]aître)"
)
_INTRODUCED: Final = r"(?:[Jj]e m[’']appelle|[Jj]e me nomme|[Mm]on nom est|[Jj]e soussignée?,?|[Ss]ignée? ?:)"
# What follows a civility with a capital and is nobody's name.
_NOBODY: Final = (
    r"(?!(?:L[ea]s?|Des|Du|Une?|Et|Ou|Tout|Tous|Je|Ils?|Elles?|Nous|Vous|Ce|Cette|Ministre|Maire|Président|Présidente|"
    r"Préfet|Préfète|Députée?|Sénateur|Sénatrice|Premier|Première|Directeur|Directrice|Conseill\w+|Commissaire|"
    r"Rapporteure?|Procureure?|Juge|Rect(?:eur|rice)|Doyen(?:ne)?|Secrétaire|Chef(?:fe)?|Responsable|Médiat(?:eur|rice)|"
    r"Défenseure?|Garde|Gouverneure?|Déléguée?|Ambassad(?:eur|rice)|Adjointe?|Inspect(?:eur|rice)|Bâtonni(?:er|ère)|"
    r"Untel|Unetelle|Monsieur|Madame|Bonjour|Merci)\b)"
)
# What may begin a sentence that follows a letter and a full stop (« le plan B. Pourtant… »).
_BEGINS: Final = (
    r"(?!(?:À|Afin|Ainsi|Alors|Après|Au|Aucune?|Aussi|Autant|Autres?|Aux|Avant|Avec|Beaucoup|Bien|Car|Ceci|Cela|Celles?|"
    r"Celui|Cependant|Certes|Certaine?s?|Ces|Cet|Ceux|Chacune?|Chaque|Comme|Comment|Contre|Dans|Depuis|Donc|En|Encore|"
    r"Enfin|Ensuite|Entre|Faire|Il|Leurs?|Lors|Lorsque|Ma|Mais|Malgré|Même|Mes|Mieux|Moins|Mon|Non|Nos|Notre|On|Or|Oui|"
    r"Par|Parce|Pas|Personne|Peu|Plus|Pour|Pourquoi|Pourtant|Puis|Quand|Quant|Que|Quels?|Quelles?|Qui|Quoi|Rien|Sa|Sans|"
    r"Selon|Ses|Seule?s?|Si|Sinon|Son|Sous|Souvent|Sur|Toutefois|Toutes?|Très|Trop|Voici|Voilà|Vos|Votre|Leclerc)\b)"
)
_PARTICLE: Final = (
    rf"(?:(?:[Dd]e{_SPACE}L[ae]s?|[Dd]e{_SPACE}la|[Dd]es?|[Dd]u|[Dd]e{_SPACE}l[’']|[Dd][’']|[Vv]an(?:{_SPACE}de[nr]?)?|"
    rf"[Vv]on(?:{_SPACE}der)?|[Dd][aio]s?|[Dd]el(?:la)?|[Ee]l|[Bb][ei]n){_SPACE}?)?"
)
_ARTICLE: Final = rf"(?:L[ea]s?{_SPACE}|L[’'])?"  # « Mme Le Goff », « M. L’Hermite »: what follows is no title
_CAPITAL: Final = r"[A-ZÀ-ÖØ-Þ]"
_CAPITALISED: Final = rf"(?:O[’'])?{_CAPITAL}\w+(?:[-’']\w+)*"
_INITIAL: Final = rf"{_CAPITAL}h?\.(?:-?{_CAPITAL}h?\.)?{_SPACE}?"  # « J. », « J.-P. », « Ph. »
# Atomic: « De La De La … », which may be parted in many ways, would take a time that doubles with each word.
_PERSON: Final = (
    rf"(?>(?:{_INITIAL}){{0,3}}{_PARTICLE}{_ARTICLE}{_NOBODY}{_CAPITALISED}"
    rf"(?:{_SPACE}(?:{_INITIAL})?{_PARTICLE}(?:L[’'])?{_CAPITALISED})*)"
)
_PERSONS: Final = rf"{_PERSON}(?:(?:,{_SPACE}{_PERSON}){{0,20}},?{_SPACE}(?:et|&){_SPACE}{_PERSON})?"
# A letter that these name is no initial of a person; nor is, in a street or a school, that of somebody who lives.
_LETTERS: Final = (
    "annexe arrêt article art. axe bâtiment bloc catégorie chapitre classe groupe hall hépatite hypothèse lettre "
    "ligne lot niveau option partie phase plan point porte salle scénario secteur section série taille tranche "
    "type vitamine voie zone allée avenue boulevard collège cours école gare gymnase hôpital impasse lycée place "
    "pont quai rue square stade station théâtre"
)
_LETTERED: Final = "".join(rf"(?<!\b[{word[0].upper()}{word[0]}]{word[1:]} )" for word in _LETTERS.split())
# Where a line or a sentence begins, these letters number a list far more often than they begin a name.
_UNNUMBERED: Final = rf"(?:(?<=[\w,]{_SPACE})|(?![A-FIVX]\.))(?!P\. ?S\.|N\. ?B\.|(?:{_CAPITAL}\.{_SPACE}?){{3}})"


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _nir(found: str) -> bool:
    """Key of the NIR: 97 less the remainder by 97; 2A and 2B count as 19 and 18 (INSEE, « Le NIR »)."""
    raw = re.sub(r"[\W_]", "", found).upper()
    number = raw[:13].replace("2A", "19").replace("2B", "18")
    return len(raw) == 15 and number.isdigit() and 97 - int(number) % 97 == int(raw[13:])  # noqa: PLR2004  # 13 + 2 digits


def _iban(found: str) -> bool:
    """Remainder 1 by 97 once the country and key are moved to the end, letters read as 10 to 35 (ISO 13616)."""
    raw = re.sub(r"\W", "", found).upper()
    moved = raw[4:] + raw[:4]
    return int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def _luhn(found: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    digits = [int(each) for each in reversed(_digits(found))]
    if len(set(digits)) == 1:
        return False
    doubled = [sum(divmod(2 * each, 10)) if rank % 2 else each for rank, each in enumerate(digits)]
    return sum(doubled) % 10 == 0


def _phone(found: str) -> bool:
    """A number that may ring somebody: in France neither a short code, nor a free or premium one (08)."""
    if abroad := re.match(rf"(?:\+|00)(?:{_ABROAD})(?!0)", re.sub(r"[^\d+]", "", found)):
        return len(_digits(found)) - abroad.end() >= 5 and not re.search(r"(?<!\d)000(?!\d)", found)  # noqa: PLR2004  # the shortest
    digits = re.sub(r"^(?:00|\+)?(?:33|262|590|594|596)0?", "0", re.sub(r"[^\d+]", "", found))
    return len(digits) == 10 and digits[0] == "0" and digits[1] in "1234567" + "9" and len(set(digits[2:])) > 1  # noqa: PLR2004  # ARCEP


def _plate(found: str) -> bool:
    """The numbering of 2009 has neither I, O nor U, nor SS on the left, nor WW but for provisional ones."""
    raw = re.sub(r"\W", "", found).upper()
    return not set("IOU") & set(raw[:2] + raw[-2:]) and raw[:2] not in {"SS", "WW"}


def _always(_found: str) -> bool:
    return True


_I: Final = re.IGNORECASE
_LINK: Final = r"[ \u00a0\u202f.\-]{0,3}"  # between the groups of a telephone number
# The Pacific, Saint-Pierre-et-Miquelon, the neighbours of France and those from where many of its residents come.
_ABROAD: Final = "687|689|681|508|32|34|351|352|377|376|39|41|44|49|212|213|216|221|225"
# « arobase » and « point » in words, as one writes to escape robots.
_AT: Final = r"\s?(?:@|[\[(<{]\s?(?:at|arobase|arobas|chez|@)\s?[\])>}]|(?<=\s)(?:arobase|arobas)(?=\s))\s?"
_DOT: Final = r"(?:\.|\s?[\[(]\s?(?:dot|point|\.)\s?[\])]\s?|\s(?:point|dot)\s)"
_ALONE: Final = rf"(?<![\d+])(?<!\d{_GAP})"  # not the end of a longer number
_SMALL: Final = r"(?:(?:de|du|des|la|le|les|d|l)\b[ ’'])*(?!par\b|en\b|à\b|et\b|ou\b|sur\b)"
_PATTERNS: Final[tuple[tuple[Trace, re.Pattern[str], Callable[[str], bool]], ...]] = (
    (
        Trace.EMAIL,
        re.compile(
            rf"(?<![\w.+-])[\w.+-]{{1,64}}{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,4}}?{_DOT}[a-z]{{2,24}}\b", _I
        ),
        _always,
    ),
    (
        Trace.IBAN,
        re.compile(rf"\b[A-Z]{{2}}\d{{2}}(?:{_GAP}?[A-Z0-9]{{4}}){{3,7}}(?:{_GAP}?[A-Z0-9]{{1,3}})?\b"),
        _iban,
    ),
    (
        Trace.SOCIAL_SECURITY,
        re.compile(
            rf"{_ALONE}[12378]{_GAP}?\d\d{_GAP}?\d\d{_GAP}?(?:\d\d|2[AB]){_GAP}?"
            rf"\d{{3}}{_GAP}?\d{{3}}{_GAP}?\d\d(?!\d)",
            _I,
        ),
        _nir,
    ),
    (Trace.CARD, re.compile(rf"{_ALONE}[3-6]\d{{3}}(?:{_GAP}?\d{{4}}){{2}}{_GAP}?\d{{3,4}}(?!\d)"), _luhn),
    (
        Trace.PHONE,
        re.compile(
            rf"{_ALONE}(?:(?:(?:\+|00){_GAP}?(?:33|262|59[046]){_LINK}(?:\(0\){_LINK})?0?|0)[1-9](?:{_LINK}\d){{8}}"
            rf"|(?:\+|00)(?:{_ABROAD}){_LINK}(?:\(0\){_LINK})?\d(?:{_LINK}\d){{5,9}}"
            rf"|0[1-9](?P<link>[/_])\d\d(?:(?P=link)\d\d){{3}})(?!\d)"
        ),
        _phone,
    ),
    (
        Trace.ADDRESS,
        re.compile(rf"(?<![\d.,])\d{{1,4}}(?: ?(?:bis|ter|quater|[A-D]))?,? (?:{_WAYS}) {_SMALL}[\w’'-]{{3,}}", _I),
        _always,
    ),
    (Trace.PLATE, re.compile(r"(?<![\w-])[A-Z]{2}[- ]\d{3}[- ][A-Z]{2}(?![\w-])"), _plate),
    (
        Trace.PROFILE,
        re.compile(
            r"\b(?:facebook\.com/(?!groups|pages|events)|linkedin\.com/in/|instagram\.com/(?!p/)"
            r"|(?:twitter|x)\.com/(?!search|hashtag)|tiktok\.com/@|t\.me/|wa\.me/)[\w.@-]{3,}",
            _I,
        ),
        _always,
    ),
    (
        Trace.NAME,
        re.compile(
            rf"(?<!\w)(?:{_SEVERAL}\s{_PERSONS}"
            rf"|(?:{_INTRODUCED}\s(?:{_CIVILITY}\s)?|(?:{_CIVILITY}\s(?:et|ou)\s)?(?:{_CIVILITY}\s|(?<!\.)M\.)){_PERSON})"
        ),
        _always,
    ),
    (
        Trace.NAME,
        re.compile(
            rf"(?={_CAPITAL}h?\.)(?<![\w./’'-]){_LETTERED}{_UNNUMBERED}(?:{_INITIAL}){{1,3}}(?<={_SPACE}){_PARTICLE}{_NOBODY}{_BEGINS}{_CAPITALISED}"
        ),
        _always,
    ),
)


# What a text must hold for a pattern to be worth trying: most texts hold neither a figure nor an address.
_GATES: Final[Mapping[Trace, re.Pattern[str]]] = {
    Trace.EMAIL: re.compile(r"@|\bat\b|aroba|chez", _I),
    Trace.PROFILE: re.compile(r"\.(?:com|me)/", _I),
    **dict.fromkeys(
        (Trace.IBAN, Trace.SOCIAL_SECURITY, Trace.CARD, Trace.PHONE, Trace.ADDRESS, Trace.PLATE), re.compile(r"\d")
    ),
}


def spans(text: str) -> list[tuple[int, int, Trace]]:
    """Where each is, in the order of the text; what one kind took is not looked at by the next ones."""
    found: list[tuple[int, int, Trace]] = []
    taken = bytearray(len(text))

    def take(trace: Trace, places: Iterable[tuple[int, int]]) -> None:
        for start, end in places:
            if not any(taken[start:end]):
                found.append((start, end, trace))
                taken[start:end] = b"\1" * (end - start)

    closed = {trace for trace, gate in _GATES.items() if not gate.search(text)}
    for trace, pattern, holds in _PATTERNS:
        if trace not in closed:
            take(trace, (match.span() for match in pattern.finditer(text) if holds(match[0])))
    take(Trace.NAME, persons.named(text))
    take(Trace.NAME, persons.again(text, [each[:2] for each in found if each[2] is Trace.NAME]))
    return sorted(found)


def kinds(*texts: str) -> list[Trace]:
    """The kinds of personal data that these texts seem to hold, in the order of the enumeration."""
    seen = {trace for text in texts for _, _, trace in spans(text)}
    return [trace for trace in Trace if trace in seen]


def masked(text: str) -> tuple[str, list[Trace]]:
    """The text with each of these replaced by its mask, and the kinds replaced, one for each place."""
    found = spans(text)
    for start, end, trace in reversed(found):
        text = text[:start] + MASKS[trace] + text[end:]
    return text, [trace for _, _, trace in found]


QUOTED: Final = 3  # of what was found, in the words told to the author
LONGEST_QUOTE: Final = 60


def warning(texts: Mapping[str, str]) -> str | None:
    """What the author of these texts, each with the name of its field, is told before publishing; None of a clean one.

    It quotes what was found: for the author alone, never for a log.
    """
    told: dict[Trace, list[str]] = {}
    for field, text in texts.items():
        where = f" ({field})" if field else ""
        for start, end, trace in spans(text):
            told.setdefault(trace, []).append(f"«\u00a0{_short(text[start:end])}\u00a0»{where}")
    if not told:
        return None
    named = "\u00a0; ".join(f"{LABELS[trace]}, {_listed(told[trace])}" for trace in Trace if trace in told)
    return (
        f"Votre texte semble contenir {named}. Il sera lisible par tous et réutilisable. Retirez ce qui permet de "
        "vous reconnaître ou de reconnaître quelqu’un, ou cochez la case pour publier quand même."
    )


def _short(found: str) -> str:
    words = " ".join(found.split())
    return words if len(words) <= LONGEST_QUOTE else words[:LONGEST_QUOTE].rstrip() + "…"


def _listed(quotes: list[str]) -> str:
    distinct = list(dict.fromkeys(quotes))
    more = len(distinct) - QUOTED
    return ", ".join(distinct[:QUOTED]) + (f" et {more} autre{'s' if more > 1 else ''}" if more > 0 else "")
