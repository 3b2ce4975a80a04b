"""Drafting, publishing, correcting and taking back what an administration says. Every public act is in the log.

The log holds digests of what was said, never the text: what is taken back leaves pages and exports, and its openings
stay, so that nobody can deny that it was said.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.accounts.notices.service import Sender
from consult.actor import Actor
from consult.audit import service as audit
from consult.clock import hour, written
from consult.consultations import policy as consultations
from consult.consultations.models import Consultation
from consult.contributions.models import Proposal
from consult.contributions.policy import length_fault, many_lines, refuse
from consult.errors import ConflictError, GoneError, InvalidError
from consult.followup import labels, policy, queries
from consult.followup.models import (
    Commitment,
    CommitmentLink,
    CommitmentUpdate,
    FormerVersion,
    OfficialAnswer,
    Stage,
    Status,
    TargetType,
    UseCase,
)
from consult.jobs import service as jobs
from consult.registry import service as registry
from consult.registry.models import EntryKind

Item: TypeAlias = OfficialAnswer | Commitment | UseCase
ItemT = TypeVar("ItemT", OfficialAnswer, Commitment, UseCase)
KINDS: Final = {
    OfficialAnswer.name: EntryKind.ANSWER,
    Commitment.name: EntryKind.COMMITMENT,
    UseCase.name: EntryKind.CASE,
}
TELL_JOB: Final = "followup.tell"
CHANGED: Final = (
    "Ce texte a changé depuis que vous l’avez ouvert. Rouvrez-le dans un autre onglet, puis reportez-y ce que vous "
    "avez écrit."
)
STANDING: Final = "Une réponse officielle existe déjà\u00a0: corrigez-la, ou retirez-la d’abord."
STILL_OPEN: Final = (
    "La consultation n’est pas terminée\u00a0: ses chiffres bougent encore. Publiez ce cas une fois qu’elle est close."
)


def create(
    session: Session, model: type[ItemT], consultation: Consultation, values: Mapping[str, Any], *, actor: Actor,
    now: dt.datetime,
) -> ItemT:  # fmt: skip
    """Keep a draft, which only staff read. Raises InvalidError naming the fields."""
    values = _checked(session, consultation, values)
    item = model(organisation_id=consultation.organisation_id, consultation_id=consultation.id, created_at=now)
    item.author_id = actor.account_id
    _write(session, item, values)
    return item


def change(
    session: Session,
    item: Item,
    values: Mapping[str, Any],
    *,
    consultation: Consultation,
    seen: int,
    actor: Actor,
    sender: Sender,
    now: dt.datetime,
) -> None:
    """Rewrite a draft, or correct what is published: what it said stays readable, and its author is told.

    `seen` is the number of `edits` of what was read. What a published answer is about never changes. Raises
    InvalidError, ConflictError, GoneError.
    """
    _take(session, item, seen)
    if item.status is Status.PUBLISHED:
        values = {name: value for name, value in values.items() if not name.startswith("target_")}
    values = _checked(session, consultation, values, item=item)
    before = item.facts()
    _write(session, item, {**values, "edits": item.edits + 1})
    if item.status is Status.PUBLISHED and item.facts() != before:
        _corrected(session, item, before, actor, now)
        _tell_author(session, item, "corrected", sender, now)


def publish(
    session: Session,
    item: Item,
    *,
    consultation: Consultation,
    seen: int,
    actor: Actor,
    sender: Sender,
    now: dt.datetime,
) -> None:
    """Make a draft public, for ever dated. `seen`: as for `change`.

    Raises InvalidError, ConflictError when it is published already, or is no longer what was read.
    """
    _lock(session, item)
    if item.status is not Status.DRAFT:
        raise ConflictError("Ce texte est déjà publié.")
    _take(session, item, seen)
    if not consultations.is_public(consultation):
        raise InvalidError("La consultation est encore un brouillon\u00a0: ouvrez-la d’abord.")
    if isinstance(item, UseCase) and consultations.phase(consultation, now) is not consultations.Phase.CLOSED:
        raise InvalidError(STILL_OPEN)
    if isinstance(item, OfficialAnswer):
        _check_target(session, consultation, item.target_type, item.target_id, item)
    item.status, item.published_at, item.edits = Status.PUBLISHED, now, item.edits + 1
    facts = {"text_sha256": policy.digest(item.facts()), "published_at": written(hour(now))}
    item.registry_ref = _log(session, item, KINDS[item.name], facts, now)
    _journal(session, item, "publish", actor, now)
    _tell_author(session, item, "published", sender, now)
    if not isinstance(item, UseCase):
        _tell_participants(session, item, now)


def remove(session: Session, item: Item, *, actor: Actor, now: dt.datetime) -> None:
    """Throw a draft away. Raises ConflictError when it is published: it can only be taken back."""
    _lock(session, item)
    if item.status is not Status.DRAFT:
        raise ConflictError("Ce texte est publié\u00a0: il se retire, avec un motif public, il ne se supprime pas.")
    _journal(session, item, "remove", actor, now)
    session.delete(item)
    session.flush()


def withdraw(session: Session, item: Item, *, reason: str, actor: Actor, sender: Sender, now: dt.datetime) -> None:
    """Take back what is published: its text is public no more, a dated tombstone says why. Raises InvalidError."""
    reason = policy.check_reason(reason)
    _lock(session, item)
    if item.status is Status.DRAFT:
        raise ConflictError("Ce brouillon n’est pas publié\u00a0: supprimez-le.")
    item.status, item.withdrawn_at, item.withdrawal_reason = Status.WITHDRAWN, now, reason
    _log(session, item, EntryKind.TOMBSTONE, {"ground": "withdrawn", "reason": reason, "entries": []}, now)
    _journal(session, item, "withdraw", actor, now, reason)
    _tell_author(session, item, "withdrawn", sender, now)


def follow_up(
    session: Session, commitment: Commitment, *, stage: Stage, body: str, seen: int, actor: Actor, now: dt.datetime
) -> None:
    """Say in public how far a commitment has come. Raises InvalidError, ConflictError, GoneError."""
    body = many_lines(body)
    refuse({"body": length_fault("Le point d’étape", body, policy.BODY_MIN, policy.BODY_MAX)})
    _lock(session, commitment)
    if commitment.status is Status.DRAFT:
        raise ConflictError("Publiez d’abord cet engagement.")
    _take(session, commitment, seen)
    before = commitment.facts()
    commitment.stage, commitment.edits = stage, commitment.edits + 1
    update = CommitmentUpdate(number=len(commitment.updates) + 1, stage=stage, body=body, published_at=now)
    update.organisation_id = commitment.organisation_id
    commitment.updates.append(update)
    session.flush()
    _corrected(session, commitment, before, actor, now)


# Parts of an act ----------------------------------------------------------------------------------------------------


def _checked(
    session: Session, consultation: Consultation, values: Mapping[str, Any], item: Item | None = None
) -> dict[str, Any]:
    values = policy.cleaned(values)
    policy.check(values)
    if "target_id" in values:
        _check_target(session, consultation, values["target_type"], values["target_id"], item)
    if "links" in values:
        held = {each.target_id: each.target_type for each in item.links} if isinstance(item, Commitment) else {}
        values["links"] = _linked(session, consultation, values["links"], held)
    return values


def _check_target(
    session: Session, consultation: Consultation, kind: TargetType, target_id: uuid.UUID | None, item: Item | None
) -> None:
    field = "contribution" if kind is TargetType.CONTRIBUTION else "target"
    if target_id is None or queries.target_title(session, consultation, kind, target_id) is None:
        words = {
            "contribution": "Donnez l’adresse d’une contribution publiée de cette consultation.",
            "target": "Choisissez ce à quoi vous répondez.",
        }[field]
        raise InvalidError(words, fields={field: words})
    standing = queries.standing_answer(session, target_id)
    if standing is not None and standing is not item:
        raise InvalidError(STANDING, fields={field: STANDING})


def _linked(
    session: Session, consultation: Consultation, ids: Sequence[uuid.UUID], held: Mapping[uuid.UUID, str]
) -> Mapping[uuid.UUID, str]:
    """What each id names; what is `held` already may stay, public or not any more. Raises InvalidError."""
    found = {key: kind for key, kind in held.items() if key in ids} | queries.linkable(session, consultation.id, ids)
    words = ""
    if len(ids) > policy.LINKS_MAX:
        words = f"{policy.LINKS_MAX} adresses au plus."
    elif len(found) < len(ids):
        missing = ", ".join(str(each) for each in ids if each not in found)
        words = f"Aucune contribution ni réponse officielle n’est publiée ici sous\u00a0: {missing}."
    refuse({"links": words})
    return found


def _set(item: Item, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name == "links" and isinstance(item, Commitment):
            kept = [each for each in item.links if each.target_id in value]
            new = value.keys() - {each.target_id for each in kept}
            owned = {"organisation_id": item.organisation_id}
            item.links = [*kept, *(CommitmentLink(target_id=key, target_type=value[key], **owned) for key in new)]
        else:
            setattr(item, name, value)


def _write(session: Session, item: Item, values: Mapping[str, Any]) -> None:
    """Send these to the database. Raises InvalidError when another answer to the same was written at that instant."""
    try:
        with session.begin_nested():  # which sends what was set before it: the values are set inside
            _set(item, values)
            session.add(item)
    except IntegrityError:
        standing = queries.standing_answer(session, values["target_id"]) if "target_id" in values else None
        if standing in {None, item}:
            raise
        field = "contribution" if values["target_type"] is TargetType.CONTRIBUTION else "target"
        raise InvalidError(STANDING, fields={field: STANDING}) from None


def _take(session: Session, item: Item, seen: int) -> None:
    """Have the row to oneself. Raises GoneError, ConflictError when it is no longer what was read."""
    _lock(session, item)
    if item.edits != seen:
        raise ConflictError(CHANGED)


def _lock(session: Session, item: Item) -> None:
    """Have the row to oneself, as it is now. Raises GoneError for what was taken back."""
    session.refresh(item, with_for_update=True)
    if item.status is Status.WITHDRAWN:
        raise GoneError("Ce texte a été retiré\u00a0: il ne change plus.")


def _corrected(session: Session, item: Item, before: Mapping[str, Any], actor: Actor, now: dt.datetime) -> None:
    session.add(
        FormerVersion(
            organisation_id=item.organisation_id,
            consultation_id=item.consultation_id,
            item_id=item.id,
            version=item.version,
            facts=dict(before),
            replaced_at=now,
        )
    )
    item.version, item.edited_at = item.version + 1, now
    _log(session, item, EntryKind.EDIT, {"text_sha256": policy.digest(item.facts())}, now)
    _journal(session, item, "correct", actor, now)


def _log(session: Session, item: Item, kind: EntryKind, content: Mapping[str, Any], now: dt.datetime) -> str:
    return registry.append(
        session,
        organisation_id=item.organisation_id,
        consultation_id=item.consultation_id,
        kind=kind,
        content={item.name: str(item.id), "version": item.version, **content},
        now=now,
    )


def _journal(session: Session, item: Item, act: str, actor: Actor, now: dt.datetime, reason: str = "") -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=item.organisation_id,
        action=f"{item.name}.{act}",
        target_type=item.name,
        target_id=item.id,
        reason=reason,
        detail={"version": item.version},
        now=now,
    )


def _tell_participants(session: Session, item: OfficialAnswer | Commitment, now: dt.datetime) -> None:
    """Have those who took part, and asked for it, told once a day of all that was published."""
    since, until = policy.told_between(now)
    jobs.enqueue(
        session,
        TELL_JOB,
        {"consultation": str(item.consultation_id), "since": since.isoformat(), "until": until.isoformat()},
        organisation_id=item.organisation_id,
        now=now,
        run_after=until,
        unique_key=f"{TELL_JOB}:{item.consultation_id}:{until.date()}",
    )


def _tell_author(session: Session, item: Item, act: str, sender: Sender, now: dt.datetime) -> None:
    """Write to the author of the contribution that is answered; the authors of a whole step are too many."""
    if not isinstance(item, OfficialAnswer) or item.target_type is not TargetType.CONTRIBUTION:
        return
    proposal = session.get(Proposal, item.target_id)
    if proposal is None or proposal.author_id is None:
        return
    context = {
        "act": act,
        "title": proposal.title,
        "authority": item.authority,
        "outcome": labels.OUTCOMES[item.outcome][0],
        "body": item.body,
        "reason": item.withdrawal_reason or "",
        "address": f"{sender.site}/reponses-officielles/{item.id}",
    }
    sender.send(session, session.get(Account, proposal.author_id), "followup_answer", context, now)
