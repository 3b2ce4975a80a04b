"""Who may moderate what, and which act each state allows: `TRANSITIONS` is the one table of transitions."""

from __future__ import annotations

import enum
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from consult.actor import Actor, Role
from consult.consultations.labels import GROUNDS, HELD, OTHER_REPORT
from consult.errors import ForbiddenError, InvalidError
from consult.labels import number
from consult.moderation.models import HIDES, Act
from consult.protocols import ModerableItem
from consult.security import digest

MODERATORS: Final = (Role.MODERATOR, Role.ADMINISTRATOR)
REPORT_REASONS: Final = frozenset({*GROUNDS, OTHER_REPORT[0]})
COMMENT_LENGTH: Final = 1000
MESSAGE_LENGTH: Final = 2000
SHORTEST_MESSAGE: Final = 20
UNEXPLAINED: Final = frozenset({Act.DISMISS, Act.PUBLISH, Act.READ})  # acts that need no words
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


def automated(item: ModerableItem, reporter_keys: Iterable[str], *, served: bool) -> bool:
    """Whether a machine took part in a decision: it made one of the reports that the decision answers, or `served`.

    `served`: the moderator's word that a suggestion of the machine helped them to decide.
    """
    return served or reporter_key(item.type, item.id, MACHINE) in reporter_keys


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


class State(enum.StrEnum):
    """Where a content stands for moderation: its status, and what it waits for."""

    PENDING = "pending"  # its author's e-mail is not confirmed: nobody's to moderate
    PUBLISHED = "published"
    AWAITING = "awaiting"  # not public yet: a moderator reads it first
    REWORDING = "rewording"  # not public: its author is asked to say it otherwise
    HIDDEN = "hidden"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"


PUBLIC: Final = frozenset({State.PUBLISHED})  # where everybody reads the text


def state_of(status: str, status_reason: str | None) -> State:
    """The state of a content."""
    return State(status_reason if status_reason in HELD else status)


class Who(enum.StrEnum):
    """Who may take a transition; never the author of the content, whatever their role."""

    MODERATOR = "moderator"
    OTHER = "other"  # a moderator, but not who took the decision that keeps it hidden
    SECOND = "second"  # a moderator, but not who read it first


class Fact(enum.StrEnum):
    """What is true of a content besides its state."""

    REPORTED = "reported"  # reports wait for an answer
    CONTESTED = "contested"  # its author contests the decision in force
    SET_ASIDE = "set_aside"  # its author obtained that it be shown no more: none is published again meanwhile
    ANONYMOUS = "anonymous"  # nobody could be asked to reword it
    DOUBLE = "double"  # its step is read by two moderators
    READ = "read"  # a first moderator has read this very text, and would publish it
    ESCALATED = "escalated"  # an administrator decides, nobody else


@dataclass(frozen=True, slots=True)
class Transition:
    """From a state, by an act of somebody, to a state; where all of `needs` is true, and nothing of `unless`."""

    state: State
    act: Act
    who: Who
    becomes: State
    needs: frozenset[Fact] = frozenset()
    unless: frozenset[Fact] = frozenset()


def _move(state: State, act: Act, becomes: State, who: Who = Who.MODERATOR, **facts: Collection[Fact]) -> Transition:
    return Transition(state, act, who, becomes, **{name: frozenset(each) for name, each in facts.items()})


_BACK: Final = ((State.HIDDEN, Act.RESTORE), (State.REWORDING, Act.RESTORE))
_KEPT: Final = (State.HIDDEN, State.REWORDING)
_REPORTABLE: Final = tuple(state for state in State if state is not State.PENDING)
TRANSITIONS: Final[tuple[Transition, ...]] = (
    # Read before publication: by one person, or by two who differ.
    _move(State.AWAITING, Act.PUBLISH, State.PUBLISHED, unless=[Fact.DOUBLE, Fact.SET_ASIDE]),
    _move(State.AWAITING, Act.READ, State.AWAITING, needs=[Fact.DOUBLE], unless=[Fact.READ, Fact.SET_ASIDE]),
    _move(
        *(State.AWAITING, Act.PUBLISH, State.PUBLISHED, Who.SECOND),
        needs=[Fact.DOUBLE, Fact.READ],
        unless=[Fact.SET_ASIDE],
    ),
    # Kept from the public.
    *(_move(state, Act.HIDE, State.HIDDEN) for state in (State.PUBLISHED, State.AWAITING, State.REWORDING)),
    *(
        _move(state, Act.REWORD, State.REWORDING, unless=[Fact.ANONYMOUS])
        for state in (State.PUBLISHED, State.AWAITING)
    ),
    # Given back: by anybody who moderates, unless two persons must have agreed or the author contests.
    *(
        _move(*(state, act, State.PUBLISHED), unless=[Fact.CONTESTED, Fact.SET_ASIDE, Fact.DOUBLE])
        for state, act in _BACK
    ),
    *(
        _move(*(state, act, State.PUBLISHED, Who.OTHER), needs=[Fact.DOUBLE], unless=[Fact.CONTESTED, Fact.SET_ASIDE])
        for state, act in _BACK
    ),
    *(
        _move(*(state, act, State.PUBLISHED, Who.OTHER), needs=[Fact.CONTESTED], unless=[Fact.SET_ASIDE])
        for state, act in _BACK
    ),
    *(_move(state, Act.UPHOLD, state, Who.OTHER, needs=[Fact.CONTESTED]) for state in _KEPT),
    # What changes nothing of the content.
    *(_move(state, Act.DISMISS, state, needs=[Fact.REPORTED], unless=[Fact.CONTESTED]) for state in _REPORTABLE),
    *(_move(state, Act.DISMISS, state, Who.OTHER, needs=[Fact.REPORTED, Fact.CONTESTED]) for state in _KEPT),
    _move(State.AWAITING, Act.ESCALATE, State.AWAITING, unless=[Fact.ESCALATED]),
    _move(State.PUBLISHED, Act.ESCALATE, State.PUBLISHED, needs=[Fact.REPORTED], unless=[Fact.ESCALATED]),
    *(_move(state, Act.ESCALATE, state, needs=[Fact.CONTESTED], unless=[Fact.ESCALATED]) for state in _KEPT),
)


def transitions(state: State, facts: Collection[Fact]) -> dict[Act, Transition]:
    """What may be decided on a content in that state; each act leads to one state, by one kind of person."""
    true = frozenset(facts)
    return {
        each.act: each
        for each in TRANSITIONS
        if each.state is state and each.needs <= true and each.unless.isdisjoint(true)
    }


def check_may(
    transition: Transition,
    facts: Collection[Fact],
    actor: Actor,
    item: ModerableItem,
    *,
    hidden_by: uuid.UUID | None,
    read_by: uuid.UUID | None,
) -> None:
    """Raise ForbiddenError unless this moderator may take that transition.

    `hidden_by` took the decision that keeps the content hidden, `read_by` the first of two readings.
    """
    if Fact.ESCALATED in facts and not actor.holds(Role.ADMINISTRATOR, consultation_id=item.consultation_id):
        raise ForbiddenError("Ce contenu est transmis à l’administration\u00a0: un administrateur doit décider.")
    if transition.who is Who.OTHER and hidden_by == actor.account_id:
        contested = Fact.CONTESTED in facts
        why = "L’auteur conteste votre décision" if contested else "Vous avez décidé de ne pas publier ce contenu"
        raise ForbiddenError(f"{why}\u00a0: une autre personne doit l’examiner.")
    if transition.who is Who.SECOND and read_by == actor.account_id:
        raise ForbiddenError("Vous avez fait la première lecture\u00a0: une autre personne doit faire la seconde.")


def check_words(act: Act, ground: str, message: str) -> None:
    """Raise InvalidError unless the act has its ground and a message that says something."""
    fields = {}
    if act in HIDES and ground not in GROUNDS:
        fields["ground"] = "Choisissez l’article de la charte sur lequel repose la décision."
    if act not in UNEXPLAINED and len(message.strip()) < SHORTEST_MESSAGE:
        reader = "l’administrateur" if act is Act.ESCALATE else "l’auteur"
        fields["message"] = f"Expliquez la décision à {reader}, en {SHORTEST_MESSAGE} caractères au moins."
    if len(message) > MESSAGE_LENGTH:
        count = number(len(message))
        fields["message"] = f"Le message compte {count} caractères : {number(MESSAGE_LENGTH)} au plus."
    if fields:
        raise InvalidError(next(iter(fields.values())), fields=fields)
