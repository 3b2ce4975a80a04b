"""What is done to a ticket: each act is one line of its history, from which all the rest follows.

T0 is the instant of the report, and an act has the instant at which it is done: nobody types a time.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.accounts.notices.service import Sender
from consult.actor import Actor
from consult.contributions.policy import length_fault, many_lines, one_line, refuse
from consult.db import one_at_a_time
from consult.errors import ConflictError, ForbiddenError, InvalidError
from consult.media.pictures import MEDIA_TYPE, MOST_BYTES, READABLE, recoded
from consult.seam import service_levels as levels
from consult.tickets import notices, policy
from consult.tickets.models import EventKind, Kind, Side, Ticket, TicketClock, TicketEvent, TicketFile, TicketMessage

TEXT: Final = "text/plain"
TEXT_MOST: Final = 200_000  # bytes of a text that is sent
CLOSED: Final = "Ce ticket est clos\u00a0: rouvrez-le d’abord."


def report(
    session: Session,
    *,
    kind: Kind,
    title: str,
    body: str,
    severity: levels.Severity | None,
    actor: Actor,
    sender: Sender,
    now: dt.datetime,
) -> Ticket:
    """Open a ticket: T0 is `now`. The administration says how severe an anomaly is, at once or later.

    Raises InvalidError naming the fields, ForbiddenError for a severity that comes from elsewhere.
    """
    title, body = policy.checked(title, body)
    if kind is not Kind.ANOMALY:
        severity = None
    elif policy.may_judge(actor):
        refuse({"severity": "" if severity else "Dites la gravité\u00a0: les délais en dépendent."})
    elif severity is not None:
        raise ForbiddenError("L’administration fixe la gravité.")
    ticket = _numbered(session, sender.organisation.id)
    ticket.kind, ticket.t0, ticket.title, ticket.body = kind, policy.to_second(now), title, body
    ticket.reported_by_id = actor.account_id
    session.add(ticket)
    _write(session, ticket, EventKind.OPENED, actor, now, severity=severity)
    notices.opened(session, ticket, policy.side_of(actor), sender, now)
    return ticket


def set_severity(
    session: Session, ticket: Ticket, severity: levels.Severity, reason: str, *, actor: Actor, sender: Sender,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Say, or change, how severe an anomaly is: its deadlines are reckoned again from the same T0.

    Raises ForbiddenError unless the administration does it, InvalidError, ConflictError.
    """
    _take(session, ticket)
    _only_administration(actor)
    if ticket.kind is not Kind.ANOMALY:
        raise ConflictError("Seule une anomalie a une gravité.")
    if severity is ticket.severity:
        raise InvalidError(fields={"severity": "C’est déjà sa gravité."})
    reason = policy.checked_reason(reason)
    _write(session, ticket, EventKind.SEVERITY, actor, now, severity=severity, reason=reason)
    notices.changed(session, ticket, ticket.events[-1], sender, now)


def reach(
    session: Session, ticket: Ticket, milestone: levels.Milestone, *, actor: Actor, sender: Sender, now: dt.datetime
) -> None:
    """Note that a milestone is reached, at this instant; those before it are too. The last one closes the ticket.

    Raises ForbiddenError unless those who run the platform do it, ConflictError for one that cannot be reached.
    """
    _take(session, ticket)
    if not policy.may_work(actor):
        raise ForbiddenError("Seul l’exploitant note une étape atteinte.")
    left = policy.next_milestones(ticket.kind, policy.state(ticket.events))
    if milestone not in left:
        raise ConflictError("Cette étape est déjà atteinte, ou n’est pas due pour ce ticket.")
    _write(session, ticket, EventKind.REACHED, actor, now, milestone=milestone)
    notices.changed(session, ticket, ticket.events[-1], sender, now)
    if milestone is left[-1]:
        _write(session, ticket, EventKind.CLOSED, actor, now)


def take_back(
    session: Session, ticket: Ticket, milestone: levels.Milestone, reason: str, *, actor: Actor, sender: Sender,
    now: dt.datetime,
) -> None:  # fmt: skip
    """Refuse a milestone that was said to be reached, and those after it: their clocks never stopped.

    Raises ForbiddenError unless the administration does it, InvalidError, ConflictError.
    """
    _lock(session, ticket)
    _only_administration(actor)
    if milestone not in policy.state(ticket.events).reached:
        raise ConflictError("Cette étape n’est pas atteinte.")
    reason = policy.checked_reason(reason)
    if ticket.closed_at is not None:
        _write(session, ticket, EventKind.REOPENED, actor, now)
    _write(session, ticket, EventKind.TAKEN_BACK, actor, now, milestone=milestone, reason=reason)
    notices.changed(session, ticket, ticket.events[-1], sender, now)


def explain(session: Session, ticket: Ticket, *, cause: str, release: str, actor: Actor, now: dt.datetime) -> None:
    """Say what caused it and which release mends it, as far as is known. Raises ForbiddenError, InvalidError."""
    _lock(session, ticket)
    if not policy.may_work(actor):
        raise ForbiddenError("Seul l’exploitant dit la cause et la version.")
    cause, release = one_line(cause), one_line(release)
    longest, typed = f"{policy.TITLE_MAX} caractères au plus.", {"cause": cause, "release": release}
    refuse({name: longest for name, said in typed.items() if len(said) > policy.TITLE_MAX})
    if (cause, release) != (ticket.cause, ticket.release):
        _write(session, ticket, EventKind.EXPLAINED, actor, now, cause=cause, release=release)


def publish(session: Session, ticket: Ticket, words: str, *, actor: Actor, now: dt.datetime) -> None:
    """Say of an anomaly what the status page shows; nothing takes it away. Raises InvalidError, ConflictError."""
    _lock(session, ticket)
    if ticket.kind is not Kind.ANOMALY:
        raise ConflictError("Seule une anomalie se montre sur la page de statut.")
    words = many_lines(words)
    refuse({"words": length_fault("Le texte", words, 10, policy.PUBLIC_MAX) if words else ""})
    if words != ticket.public_words:
        _write(session, ticket, EventKind.PUBLISHED, actor, now, words=words)


def say(session: Session, ticket: Ticket, body: str, *, actor: Actor, sender: Sender, now: dt.datetime) -> None:
    """Add a message to the thread; the other side is told. Raises InvalidError, ConflictError."""
    _take(session, ticket)
    body = many_lines(body)
    refuse({"body": length_fault("Le message", body, 2, policy.BODY_MAX)})
    message = TicketMessage(
        id=uuid.uuid4(), organisation_id=ticket.organisation_id, said_at=policy.to_second(now), body=body
    )
    message.side, message.author_id = policy.side_of(actor), actor.account_id
    ticket.messages.append(message)
    _write(session, ticket, EventKind.MESSAGE, actor, now)
    notices.changed(session, ticket, ticket.events[-1], sender, now)


def attach(session: Session, ticket: Ticket, name: str, raw: bytes, *, actor: Actor, now: dt.datetime) -> None:
    """Keep a picture, written again, or a plain text with the ticket. Raises InvalidError on `file`, ConflictError."""
    _take(session, ticket)
    if not raw:
        raise InvalidError(fields={"file": "Choisissez un fichier."})
    if len(ticket.files) >= policy.FILES_MAX:
        raise InvalidError(fields={"file": f"Ce ticket a déjà {policy.FILES_MAX} pièces, le plus qu’il peut avoir."})
    media_type, content = _readable(raw)
    name = one_line(name)[:120] or "pièce"
    kept = TicketFile(
        id=uuid.uuid4(), organisation_id=ticket.organisation_id, sent_at=policy.to_second(now),
        sender_id=actor.account_id, name=name, media_type=media_type, content=content, size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    ticket.files.append(kept)
    _write(session, ticket, EventKind.FILE, actor, now, name=name, sha256=kept.digest)


def close(session: Session, ticket: Ticket, reason: str, *, actor: Actor, sender: Sender, now: dt.datetime) -> None:
    """End a ticket that asks for nothing more, with a reason: its clocks stand as they do now.

    Raises ForbiddenError unless the administration does it, InvalidError, ConflictError.
    """
    _take(session, ticket)
    _only_administration(actor)
    _write(session, ticket, EventKind.CLOSED, actor, now, reason=policy.checked_reason(reason))
    notices.changed(session, ticket, ticket.events[-1], sender, now)


def reopen(session: Session, ticket: Ticket, reason: str, *, actor: Actor, sender: Sender, now: dt.datetime) -> None:
    """Take up a closed ticket again: its clocks go on from the same T0. Raises as `close` does."""
    _lock(session, ticket)
    _only_administration(actor)
    if ticket.closed_at is None:
        raise ConflictError("Ce ticket n’est pas clos.")
    _write(session, ticket, EventKind.REOPENED, actor, now, reason=policy.checked_reason(reason))
    notices.changed(session, ticket, ticket.events[-1], sender, now)


def alert(session: Session, clock: TicketClock, ticket: Ticket, *, sender: Sender, now: dt.datetime) -> None:
    """Tell that a share of a delay has passed: the last one that has, if several did. Told once is told."""
    _lock(session, ticket)
    standing = next(
        (each for each in policy.clocks(ticket.kind, ticket.t0, policy.state(ticket.events), now)
         if each.milestone is clock.milestone), None,
    )  # fmt: skip
    if standing is None or standing.reached is not None or standing.alert <= clock.alert:
        clock.alert_at = policy.next_alert(ticket.t0, clock.deadline, clock.alert) if standing is not None else None
        return
    clock.alert = standing.alert
    detail = {"milestone": clock.milestone, "share": standing.alert}
    _write(session, ticket, EventKind.ALERTED, None, now, **detail)
    notices.alert(session, ticket, standing, sender, now)


# What every act does ------------------------------------------------------------------------------------------------


def _numbered(session: Session, organisation_id: uuid.UUID) -> Ticket:
    one_at_a_time(session, [f"tickets:{organisation_id}"])
    last = session.scalar(select(func.max(Ticket.number)).where(Ticket.organisation_id == organisation_id)) or 0
    return Ticket(
        id=uuid.uuid4(), organisation_id=organisation_id, number=last + 1, severity=None, cause="", release="",
        public_words="",
        events=[], clocks=[], messages=[], files=[],
    )  # fmt: skip


def _lock(session: Session, ticket: Ticket) -> None:
    """Take the ticket as it is now: two acts at once come one after the other."""
    session.flush()
    session.refresh(ticket, with_for_update=True)


def _take(session: Session, ticket: Ticket) -> None:
    _lock(session, ticket)
    if ticket.closed_at is not None:
        raise ConflictError(CLOSED)


def _only_administration(actor: Actor) -> None:
    if not policy.may_judge(actor):
        raise ForbiddenError("Cet acte revient à l’administration.")


def _write(
    session: Session, ticket: Ticket, kind: EventKind, actor: Actor | None, now: dt.datetime, **detail: Any
) -> None:
    """Add a line to the history, then have the row and its clocks say what it comes to."""
    event = TicketEvent(
        id=uuid.uuid4(), organisation_id=ticket.organisation_id, number=len(ticket.events) + 1, kind=kind,
        at=policy.to_second(now), side=policy.side_of(actor) if actor else Side.SYSTEM,
        account_id=actor.account_id if actor else None, detail={name: value for name, value in detail.items() if value},
    )  # fmt: skip
    ticket.events.append(event)
    known = policy.state(ticket.events)
    ticket.severity, ticket.closed_at = known.severity, known.closed_at
    ticket.cause, ticket.release, ticket.public_words = known.cause, known.release, known.public_words
    _reckon(ticket, known, now)
    session.flush()


def _reckon(ticket: Ticket, known: policy.State, now: dt.datetime) -> None:
    kept = {each.milestone: each for each in ticket.clocks}
    for standing in policy.clocks(ticket.kind, ticket.t0, known, now):
        clock = kept.get(standing.milestone)
        if clock is None:
            clock = TicketClock(
                id=uuid.uuid4(), organisation_id=ticket.organisation_id, milestone=standing.milestone, alert=0,
                deadline=standing.deadline,
            )  # fmt: skip
            ticket.clocks.append(clock)
        if clock.deadline != standing.deadline:
            clock.deadline, clock.alert = standing.deadline, 0  # told again by the new delay
        clock.reached_at = standing.reached
        over = standing.reached is not None or known.closed_at is not None
        clock.alert_at = None if over else policy.next_alert(ticket.t0, clock.deadline, clock.alert)


def _readable(raw: bytes) -> tuple[str, bytes]:
    """What is kept of a file: a picture written again, or a text as it is."""
    if len(raw) > MOST_BYTES:
        raise InvalidError(fields={"file": "Ce fichier est trop lourd\u00a0: huit mégaoctets au plus."})
    text = _as_text(raw)
    if text is not None:
        return TEXT, text
    [picture] = recoded([raw], READABLE)
    if isinstance(picture, str):
        raise InvalidError(fields={"file": f"{picture} Un texte brut (.txt, .log) est accepté aussi."})
    return MEDIA_TYPE, picture.content


def _as_text(raw: bytes) -> bytes | None:
    """The text in UTF-8, without control characters; None for what is no text."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if "\0" in text or len(raw) > TEXT_MOST:
        return None
    return many_lines(text).encode()
