"""Who may moderate what, and which act each state allows."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Final

from consult.actor import Actor, Role
from consult.consultations.labels import GROUNDS, OTHER_REPORT
from consult.consultations.models import ContentStatus
from consult.errors import ForbiddenError, InvalidError
from consult.labels import number
from consult.moderation.models import Act
from consult.protocols import ModerableItem
from consult.security import digest

MODERATORS: Final = (Role.MODERATOR, Role.ADMINISTRATOR)
REPORT_REASONS: Final = frozenset({*GROUNDS, OTHER_REPORT[0]})
COMMENT_LENGTH: Final = 1000
MESSAGE_LENGTH: Final = 2000
SHORTEST_MESSAGE: Final = 20
QUOTE_LENGTH: Final = 600  # of a content, in the mail that tells its author what was decided


def scope(actor: Actor) -> frozenset[uuid.UUID] | None:
    """The consultations that this person moderates; None for all those of the organisation."""
    if actor.holds(*MODERATORS):
        return None
    return frozenset(key for key, held in actor.by_consultation.items() if not held.isdisjoint(MODERATORS))


def check_moderator(actor: Actor, item: ModerableItem) -> None:
    """Raise ForbiddenError unless this person may decide on this content, which is never their own."""
    if not actor.holds(*MODERATORS, consultation_id=item.consultation_id):
        raise ForbiddenError("Vous ne modérez pas cette consultation.")
    if item.author_id is not None and item.author_id == actor.account_id:
        raise ForbiddenError("Ce contenu est le vôtre : une autre personne doit le modérer.")


def reporter(account_id: uuid.UUID | None, browser: str = "") -> str:
    """What tells apart the people who report: the account, else the form cookie of a browser."""
    return f"account:{account_id}" if account_id else f"browser:{browser}"


MACHINE: Final = "machine"  # what reports texts that seem to hold personal data; a person decides


def reporter_key(item_type: str, item_id: uuid.UUID, reporter: str) -> str:
    """What is kept of the person: it tells that they reported this content, and links none of their other reports."""
    return digest(f"{item_type}:{item_id}:{reporter}")


def check_report(reason: str, comment: str) -> None:
    """Raise InvalidError naming what to mend in a citizen's report."""
    fields = {}
    if reason not in REPORT_REASONS:
        fields["reason"] = "Choisissez une raison dans la liste."
    if reason == OTHER_REPORT[0] and not comment.strip():
        fields["comment"] = "Précisez la raison du signalement."
    if len(comment) > COMMENT_LENGTH:
        count = number(len(comment))
        fields["comment"] = f"Le commentaire compte {count} caractères : {number(COMMENT_LENGTH)} au plus."
    if fields:
        raise InvalidError(next(iter(fields.values())), fields=fields)


def quote(text: str) -> str:
    """The beginning of a person's own text, each line marked as quoted, so that they know which one is meant."""
    words = text.strip()
    if len(words) > QUOTE_LENGTH:
        words = words[:QUOTE_LENGTH].rstrip() + "\u00a0[…]"
    return "\n".join(f"> {line.strip()}".rstrip() for line in words.splitlines())


def acts(status: str, *, reported: bool, contested: bool, set_aside: bool) -> Collection[Act]:
    """What may be decided on a content in that state: the one table of transitions.

    `set_aside`: its author obtained that their contents be shown no more; none is published again meanwhile.
    """
    found = []
    if status == ContentStatus.PUBLISHED:
        found.append(Act.HIDE)
    if status == ContentStatus.HIDDEN:
        if not set_aside:
            found.append(Act.RESTORE)
        if contested:
            found.append(Act.UPHOLD)
    if reported:
        found.append(Act.DISMISS)
    return found


def check_words(act: Act, ground: str, message: str) -> None:
    """Raise InvalidError unless the act has its ground and a message that says something."""
    fields = {}
    if act is Act.HIDE and ground not in GROUNDS:
        fields["ground"] = "Choisissez l’article de la charte sur lequel repose la décision."
    if act is not Act.DISMISS and len(message.strip()) < SHORTEST_MESSAGE:
        fields["message"] = f"Expliquez la décision à l’auteur, en {SHORTEST_MESSAGE} caractères au moins."
    if len(message) > MESSAGE_LENGTH:
        count = number(len(message))
        fields["message"] = f"Le message compte {count} caractères : {number(MESSAGE_LENGTH)} au plus."
    if fields:
        raise InvalidError(next(iter(fields.values())), fields=fields)
