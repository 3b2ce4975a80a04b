"""Who may moderate what, and which act each state allows: `TRANSITIONS` is the one table of transitions."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
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


def automated(item: ModerableItem, reporter_keys: Iterable[str]) -> bool:
    """Whether a machine took part in a decision: one of the reports that it answers is the machine's."""
    return reporter_key(item.type, item.id, MACHINE) in reporter_keys


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


class Who(enum.StrEnum):
    """Who may take a transition; never the author of the content, whatever their role."""

    MODERATOR = "moderator"
    OTHER = "other"  # a moderator, but not who took the decision that the author contests


class Fact(enum.StrEnum):
    """What is true of a content besides its state."""

    REPORTED = "reported"  # reports wait for an answer
    CONTESTED = "contested"  # its author contests the decision in force
    SET_ASIDE = "set_aside"  # its author obtained that it be shown no more: none is published again meanwhile


@dataclass(frozen=True, slots=True)
class Transition:
    """From a state, by an act of somebody, to a state; where all of `needs` is true, and nothing of `unless`."""

    state: ContentStatus
    act: Act
    who: Who
    becomes: ContentStatus
    needs: frozenset[Fact] = frozenset()
    unless: frozenset[Fact] = frozenset()


PUBLIC: Final = frozenset({ContentStatus.PUBLISHED})  # states in which everybody reads the text
_GONE: Final = (ContentStatus.WITHDRAWN, ContentStatus.ERASED)
_REPORTED, _CONTESTED = frozenset({Fact.REPORTED}), frozenset({Fact.CONTESTED})
_SHOWN, _HIDDEN = ContentStatus.PUBLISHED, ContentStatus.HIDDEN
# A pending content is nobody's to moderate: it is public nowhere until its author's e-mail is confirmed.
TRANSITIONS: Final[tuple[Transition, ...]] = (
    Transition(_SHOWN, Act.HIDE, Who.MODERATOR, _HIDDEN),
    Transition(_SHOWN, Act.DISMISS, Who.MODERATOR, _SHOWN, needs=_REPORTED),
    Transition(_HIDDEN, Act.RESTORE, Who.MODERATOR, _SHOWN, unless=frozenset({Fact.CONTESTED, Fact.SET_ASIDE})),
    Transition(_HIDDEN, Act.RESTORE, Who.OTHER, _SHOWN, needs=_CONTESTED, unless=frozenset({Fact.SET_ASIDE})),
    Transition(_HIDDEN, Act.UPHOLD, Who.OTHER, _HIDDEN, needs=_CONTESTED),
    Transition(_HIDDEN, Act.DISMISS, Who.MODERATOR, _HIDDEN, needs=_REPORTED, unless=_CONTESTED),
    Transition(_HIDDEN, Act.DISMISS, Who.OTHER, _HIDDEN, needs=_REPORTED | _CONTESTED),
    *(Transition(gone, Act.DISMISS, Who.MODERATOR, gone, needs=_REPORTED) for gone in _GONE),
)


def transitions(status: str, facts: Collection[Fact]) -> dict[Act, Transition]:
    """What may be decided on a content in that state; each act leads to one state, by one kind of person."""
    true = frozenset(facts)
    return {
        each.act: each
        for each in TRANSITIONS
        if each.state == status and each.needs <= true and each.unless.isdisjoint(true)
    }


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
