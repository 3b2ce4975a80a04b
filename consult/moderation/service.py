"""Reporting, deciding, contesting. Every decision is one row that nothing changes afterwards.

The content's row is locked first, and each decision says which one it follows: of two moderators who act at once, the
second is told what the first decided, and nothing is done twice.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.accounts.queries import reachable
from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations.labels import GROUNDS, REWORDING
from consult.consultations.models import ContentStatus
from consult.consultations.policy import APPEALS
from consult.db import insert_once
from consult.errors import ConflictError, GoneError, InvalidError, NotFoundError
from consult.jobs import service as jobs
from consult.labels import moment, number
from consult.moderation import labels, letters, policy, queries
from consult.moderation.holding import service as holding
from consult.moderation.letters import Links
from consult.moderation.models import HIDES, Act, Contest, Decision, Report
from consult.organisations.models import Organisation
from consult.protocols import ContentType, ModerableItem
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.security import digest, new_token

NOTIFY_JOB: Final = "moderation.notify"
NOTIFY_DELAY: Final = dt.timedelta(minutes=10)  # so that a wave of reports makes one mail
SHOWS: Final = frozenset({Act.RESTORE, Act.PUBLISH})
PASSES_ON: Final = frozenset({Act.READ, Act.ESCALATE})
ENTRIES: Final = {
    Act.HIDE: EntryKind.MODERATION,
    Act.RESTORE: EntryKind.MODERATION_REVERSED,
    Act.DISMISS: EntryKind.MODERATION_KEPT,
    Act.UPHOLD: EntryKind.MODERATION_KEPT,
    Act.PUBLISH: EntryKind.MODERATION_REVERSED,
    Act.READ: EntryKind.MODERATION_KEPT,
    Act.REWORD: EntryKind.MODERATION,
    Act.ESCALATE: EntryKind.MODERATION_KEPT,
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a moderator asks for.

    `seen` is the number of the last decision on the page they acted from, 0 for none; `version` that of the text;
    `machine` their word that a suggestion of the machine served.
    """

    act: Act
    seen: int
    ground: str = ""
    message: str = ""
    version: int | None = None
    machine: bool = False


def report(
    session: Session,
    content: ContentType,
    item_id: uuid.UUID,
    *,
    organisation_id: uuid.UUID,
    reason: str,
    comment: str,
    reporter: str,
    now: dt.datetime,
) -> bool:
    """Record one person's report of a published content; False when the same person had reported it already.

    `reporter` tells people apart (see `policy.reporter`); only its digest is kept. The first report that waits asks
    for a mail to the moderators. Raises NotFoundError, GoneError when it is no longer published, InvalidError.
    """
    policy.check_report(reason, comment)
    item = content.get(session, item_id)
    if item is None:
        raise NotFoundError("Ce contenu n’existe pas.")
    if item.status != ContentStatus.PUBLISHED:
        raise GoneError("Ce contenu n’est plus publié : il n’y a plus rien à signaler.")
    first = not queries.open_reports(session, item.type, item.id)
    recorded = insert_once(
        session,
        Report,
        conflict=["item_type", "item_id", "reporter_key"],
        id=uuid.uuid4(),
        organisation_id=organisation_id,
        consultation_id=item.consultation_id,
        item_type=item.type,
        item_id=item.id,
        reason=reason,
        comment=comment.strip(),
        reporter_key=policy.reporter_key(item.type, item.id, reporter),
        reported_at=now,
    )
    if recorded and first:
        call_moderators(session, organisation_id, item.consultation_id, now)
    return recorded


def call_moderators(session: Session, organisation_id: uuid.UUID, consultation_id: uuid.UUID, now: dt.datetime) -> None:
    """Ask for one mail to the moderators of a consultation, for all that waits by then."""
    slot = int(now.timestamp() // NOTIFY_DELAY.total_seconds())  # over before its job is due: no report is missed
    jobs.enqueue(
        session,
        NOTIFY_JOB,
        {"consultation": str(consultation_id)},
        organisation_id=organisation_id,
        now=now,
        run_after=now + NOTIFY_DELAY,
        unique_key=f"{NOTIFY_JOB}:{consultation_id}:{slot}",
    )


def decide(
    session: Session,
    content: ContentType,
    item_id: uuid.UUID,
    wanted: Wanted,
    *,
    actor: Actor,
    organisation: Organisation,
    links: Links,
    now: dt.datetime,
) -> Decision:
    """Take one of the acts of `policy.TRANSITIONS`; the author is told, the registry and the journal keep it.

    The same act sent twice by the same person is done once. Raises NotFoundError, ForbiddenError, ConflictError when
    somebody else decided first or holds the content, InvalidError naming the fields.
    """
    if wanted.act in SHOWS:
        # The author before the content, as whoever grants a measure: in another order each would wait for the other.
        found = content.items(session, [item_id]).get(item_id)
        if found is not None and found.author_id is not None:
            queries.hold_author(session, found.author_id)
    item = content.get(session, item_id)
    if item is None:
        raise NotFoundError("Ce contenu n’existe pas.")
    policy.check_moderator(actor, item)
    case = queries.case(session, item)
    last = case.last
    if last is not None and last.number != wanted.seen:
        if (last.moderator_id, last.act, last.message) == (actor.account_id, wanted.act, wanted.message.strip()):
            return last
        raise ConflictError(_told(session, last))
    holding.check_free(session, item, actor, now)
    if wanted.version not in {None, item.version}:
        raise ConflictError("Son auteur a modifié ce texte depuis que vous l’avez lu. Lisez-le de nouveau.")
    transition = policy.transitions(policy.state_of(item.status, item.status_reason), case.facts).get(wanted.act)
    if transition is None:
        raise ConflictError("L’état de ce contenu a changé. Rechargez la page pour voir ce qui peut être décidé.")
    policy.check_may(transition, case.facts, actor, item, hidden_by=case.hidden_by, read_by=case.read_by)
    policy.check_words(wanted.act, wanted.ground, wanted.message)
    author = reachable(session, item.author_id)
    token = new_token() if wanted.act in HIDES and author else None  # its digest says that the author was told
    entries = _apply(session, content, item, wanted)
    decision = _write(session, item, wanted, organisation, actor, case.number + 1, token, now)
    answered = (each.reporter_key for each in case.reports)
    decision.automated = policy.automated(item, answered, served=wanted.machine)
    _answer(session, decision, case)
    holding.decided(session, item)
    _publish(session, decision, transition, entries, actor, now)
    if author:
        letters.tell(session, author, item, decision, organisation, links, token, now)
    return decision


def contest(session: Session, token: str, statement: str, *, now: dt.datetime) -> Contest:
    """Record the author's contestation of a decision; sent twice it is recorded once.

    Raises NotFoundError for an unknown link, GoneError for one too old, InvalidError.
    """
    found = queries.contested(session, digest(token))
    if found is None:
        raise NotFoundError("Ce lien n’est pas valable. Vérifiez qu’il est complet, ou écrivez-nous.")
    decision, earlier = found
    if earlier is not None:
        return earlier
    if now - decision.decided_at > APPEALS:
        raise GoneError("Le délai de six mois pour contester cette décision est passé.")
    history = queries.decisions(session, decision.item_type, decision.item_id)
    later = [each.act for each in history if each.number > decision.number]
    if not HIDES.isdisjoint(later):
        raise ConflictError(
            "Une autre décision a remplacé celle-ci\u00a0: contestez-la par le lien du dernier courriel."
        )
    if not SHOWS.isdisjoint(later):
        raise ConflictError("Votre contribution est déjà de nouveau publiée : il n’y a plus rien à contester.")
    if len(statement) > policy.MESSAGE_LENGTH:
        reason = f"Votre texte dépasse {number(policy.MESSAGE_LENGTH)} caractères. Raccourcissez-le."
        raise InvalidError(reason, fields={"statement": reason})
    insert_once(
        session,
        Contest,
        conflict=["decision_id"],
        id=uuid.uuid4(),
        organisation_id=decision.organisation_id,
        decision_id=decision.id,
        statement=statement.strip(),
        contested_at=now,
    )
    return session.scalars(select(Contest).where(Contest.decision_id == decision.id)).one()


# Parts of a decision ------------------------------------------------------------------------------------------------


def _told(session: Session, last: Decision) -> str:
    who = session.get(Account, last.moderator_id) if last.moderator_id else None
    name = who.pseudonym if who else "Une autre personne"
    ground = f", motif « {GROUNDS[last.ground].label} »" if last.ground in GROUNDS else ""
    return f"{name} {labels.DONE[last.act]} le {moment(last.decided_at)}{ground}. Votre décision n’a rien changé."


def _apply(session: Session, content: ContentType, item: ModerableItem, wanted: Wanted) -> Sequence[str]:
    """Hide or restore, in the log too; returns the refs of the entries that are withheld or disclosed."""
    entries: Sequence[str] = ()
    if wanted.act in HIDES:
        entries = content.hide(session, item.id, REWORDING if wanted.act is Act.REWORD else wanted.ground)
    elif wanted.act in SHOWS:
        entries = content.restore(session, item.id)
    for ref in entries:
        (registry.disclose if wanted.act in SHOWS else registry.withhold)(session, ref)
    return entries


def _write(
    session: Session,
    item: ModerableItem,
    wanted: Wanted,
    organisation: Organisation,
    actor: Actor,
    number: int,
    token: str | None,
    now: dt.datetime,
) -> Decision:
    ground = GROUNDS[wanted.ground] if wanted.act in HIDES else None
    decision = Decision(
        organisation_id=organisation.id,
        consultation_id=item.consultation_id,
        item_type=item.type,
        item_id=item.id,
        number=number,
        act=wanted.act,
        version=item.version,
        ground=ground.code if ground else None,
        article=ground.article if ground else None,
        message=wanted.message.strip(),
        moderator_id=actor.account_id,
        decided_at=now,
        contest_digest=digest(token) if token else None,
    )
    session.add(decision)
    session.flush()
    return decision


def _answer(session: Session, decision: Decision, case: queries.Case) -> None:
    """Tie the reports and the contestation to the decision that answers them; what only passes them on does not."""
    if decision.act in PASSES_ON:
        return
    if case.reports:
        decision.reports = len(case.reports)
        waited = decision.decided_at - case.reports[0].reported_at
        decision.delay_seconds = max(0, round(waited.total_seconds()))
        ids = [each.id for each in case.reports]
        session.execute(update(Report).where(Report.id.in_(ids)).values(decision_id=decision.id))
    if case.contest is not None and decision.act is not Act.DISMISS:
        case.contest.answer_id = decision.id
    session.flush()


def _publish(
    session: Session,
    decision: Decision,
    transition: policy.Transition,
    entries: Sequence[str],
    actor: Actor,
    now: dt.datetime,
) -> None:
    content: dict[str, Any] = {
        "decision": str(decision.id),
        "act": decision.act.value,
        "type": decision.item_type,
        "item": str(decision.item_id),
        "ground": decision.ground,
        "article": decision.article,
        "automated": decision.automated,
    }
    kind = ENTRIES[decision.act]
    if kind is EntryKind.MODERATION and transition.state not in policy.PUBLIC:
        kind = EntryKind.MODERATION_WITHHELD  # nothing leaves the public: it had not read it
    if decision.act in HIDES | SHOWS:
        content["entries"] = list(entries)
    decision.registry_ref = registry.append(
        session,
        organisation_id=decision.organisation_id,
        consultation_id=decision.consultation_id,
        kind=kind,
        content=content,
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        organisation_id=decision.organisation_id,
        action=f"moderation.{decision.act.value}",
        target_type=decision.item_type,
        target_id=decision.item_id,
        # Not its words, which may quote a content that its author may have erased: the journal never changes.
        detail={"decision": str(decision.id), "ground": decision.ground, "reports": decision.reports},
        now=now,
    )
