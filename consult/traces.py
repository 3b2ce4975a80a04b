"""What in a text looks like personal data: told to its author before it is published, and to moderators after.

Numbers that carry a key are checked by it, so that an amount or a reference is not taken for one. Names are not looked
for: in what citizens write most are of public figures, and a statistical tagger weighs 0.8 GB that no web node loads.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Final


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


LABELS: Final = {
    Trace.EMAIL: "une adresse électronique",
    Trace.PHONE: "un numéro de téléphone",
    Trace.SOCIAL_SECURITY: "un numéro de sécurité sociale",
    Trace.IBAN: "un numéro de compte bancaire (IBAN)",
    Trace.CARD: "un numéro de carte bancaire",
    Trace.ADDRESS: "une adresse postale",
    Trace.PLATE: "une plaque d’immatriculation",
    Trace.PROFILE: "un lien vers un profil personnel",
}

_GAP = r"[ \u00a0\u202f.\-]"  # between the groups of a number
_WAYS = (
    "rue|avenue|av\\.|boulevard|bd|bld|chemin|impasse|allée|allées|place|quai|route|cours|square|ruelle|passage|"
    "sentier|résidence|lotissement|faubourg|esplanade|villa|hameau"
)


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
    """A number of France that may ring somebody: neither a short code, nor a free or premium one (08)."""
    digits = re.sub(r"^(?:00|\+)?(?:33|262|590|594|596)0?", "0", re.sub(r"[^\d+]", "", found))
    return len(digits) == 10 and digits[0] == "0" and digits[1] in "1234567" + "9" and len(set(digits[2:])) > 1  # noqa: PLR2004  # ARCEP


def _plate(found: str) -> bool:
    """The numbering of 2009 has neither I, O nor U, nor SS on the left, nor WW but for provisional ones."""
    raw = re.sub(r"\W", "", found).upper()
    return not set("IOU") & set(raw[:2] + raw[-2:]) and raw[:2] not in {"SS", "WW"}


def _always(_found: str) -> bool:
    return True


_I: Final = re.IGNORECASE
_ALONE: Final = rf"(?<![\d+])(?<!\d{_GAP})"  # not the end of a longer number
_SMALL: Final = r"(?:(?:de|du|des|la|le|les|d|l)\b[ ’'])*(?!par\b|en\b|à\b|et\b|ou\b|sur\b)"
_PATTERNS: Final[tuple[tuple[Trace, re.Pattern[str], Callable[[str], bool]], ...]] = (
    (
        Trace.EMAIL,
        re.compile(r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|\[at\]|\(at\))\s?[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}\b", _I),
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
        re.compile(rf"{_ALONE}(?:(?:\+|00)\d{{2,3}}{_GAP}?(?:\(0\){_GAP}?)?|0)\d(?:{_GAP}?\d){{8}}(?!\d)"),
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
)


def spans(text: str) -> list[tuple[int, int, Trace]]:
    """Where each is, in the order of the text; what one kind took is not looked at by the next ones."""
    found: list[tuple[int, int, Trace]] = []
    taken = bytearray(len(text))
    for trace, pattern, holds in _PATTERNS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if holds(match[0]) and not any(taken[start:end]):
                found.append((start, end, trace))
                taken[start:end] = b"\1" * (end - start)
    return sorted(found)


def kinds(*texts: str) -> list[Trace]:
    """The kinds of personal data that these texts seem to hold, in the order of the enumeration."""
    seen = {trace for text in texts for _, _, trace in spans(text)}
    return [trace for trace in Trace if trace in seen]


def warning(found: list[Trace]) -> str:
    """What the author is told before publishing."""
    named = [LABELS[each] for each in found]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} et {named[-1]}"
    return (
        f"Votre texte semble contenir {listed}. Il sera lisible par tous et réutilisable. Retirez ce qui permet de "
        "vous reconnaître ou de reconnaître quelqu’un, ou cochez la case pour publier tel quel."
    )
