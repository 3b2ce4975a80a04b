"""How many invitations a batch may hold, what opens one, and the addresses that a text lists; pure."""

from __future__ import annotations

import hmac
import re
import uuid
from typing import Final

from consult.accounts.policy import email_key
from consult.errors import InvalidError
from consult.labels import number
from consult.mail.service import mailable
from consult.questionnaires.anonymous.urns import LEAST

MOST: Final = 5_000
NAME_LENGTH: Final = 100
TOLD: Final = 3  # wrong addresses that a refusal names
_BETWEEN: Final = re.compile(r"[\s,;|\"'<>()\[\]]+")
NO_ADDRESS: Final = "Collez au moins une adresse électronique, ou choisissez un fichier qui en contient."


def digest(organisation_id: uuid.UUID, code: str) -> str:
    """What is kept of the code of an invitation: nobody finds it again from this."""
    return hmac.digest(organisation_id.bytes, f"consult/invitation\n{code}".encode(), "sha256").hex()


def key_of(address: str) -> str:
    """What tells one invited address from another: neither its case nor its encoding counts."""
    return email_key(address, tags_differ=True)


def addresses(text: str) -> dict[str, str]:
    """The addresses of a text, be it a list or a table, each once, by their key.

    Raises InvalidError naming `addresses`.
    """
    found: dict[str, str] = {}
    wrong = []
    for word in _BETWEEN.split(text.replace("mailto:", " ")):
        if "@" not in word:
            continue
        try:
            mailable(word)
            found.setdefault(key_of(word), word)
        except (InvalidError, ValueError):
            wrong.append(word)
    if wrong:
        named = ", ".join(f"«\u00a0{each[:60]}\u00a0»" for each in wrong[:TOLD])
        more = f" et {number(len(wrong) - TOLD)} autres" if len(wrong) > TOLD else ""
        refuse("addresses", f"Ces adresses ne sont pas valables\u00a0: {named}{more}. Corrigez-les ou retirez-les.")
    if not found:
        refuse("addresses", NO_ADDRESS)
    return found


def check(name: str, count: int, *, anonymous: bool, field: str) -> None:
    """Raise InvalidError unless a batch may hold that many; `field`: the one to mend."""
    if not name.strip():
        refuse("name", "Donnez un nom à cet envoi, pour le reconnaître. Lui seul vous le dira.")
    if len(name.strip()) > NAME_LENGTH:
        refuse("name", f"Ce nom dépasse {NAME_LENGTH} caractères.")
    least = LEAST if anonymous else 1
    if count < least:
        why = f"Ce questionnaire est anonyme\u00a0: un envoi compte au moins {LEAST} invitations" if anonymous else ""
        refuse(field, f"{why or 'Une invitation au moins'}. Il y en a {number(count)}.")
    if count > MOST:
        refuse(
            field,
            f"Un envoi compte au plus {number(MOST)} invitations, pas {number(count)}\u00a0: faites-en plusieurs.",
        )


def refuse(field: str, why: str) -> None:
    """Raise InvalidError naming that field."""
    raise InvalidError(why, fields={field: why})
