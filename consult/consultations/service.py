"""Setting a consultation up, opening it with frozen rules, closing it."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, Final

import rfc8785
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations import policy, reading
from consult.consultations.age import policy as ages
from consult.consultations.age.policy import AgeRule
from consult.consultations.age.service import set_rule
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.errors import ConflictError, InvalidError
from consult.html import clean_rich
from consult.organisations import policy as organisations
from consult.organisations.models import Organisation
from consult.protocols import StepKind
from consult.registry import service as registry
from consult.registry.models import EntryKind

ANY_AGE: Final = AgeRule()


def create_consultation(
    session: Session,
    *,
    organisation_id: uuid.UUID,
    actor: Actor,
    title: str,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    now: dt.datetime,
    summary: str = "",
    description: str = "",
    outcome: str = "",
    slug: str = "",
    fictional: bool = False,
    age: AgeRule = ANY_AGE,
) -> Consultation:
    """Start a draft, visible to staff alone. An identifier already taken gets a number; HTML is sanitised.

    Raises InvalidError naming the fields to mend.
    """
    policy.check_texts(title, summary)
    policy.check_dates(opens_at, closes_at)
    ages.check(age)
    consultation = Consultation(
        organisation_id=organisation_id,
        slug=_free_slug(session, slug or title, Consultation),
        title=title.strip(),
        summary=summary.strip(),
        description=clean_rich(description),
        outcome=clean_rich(outcome),
        opens_at=opens_at,
        closes_at=closes_at,
        minimum_age=age.minimum,
        parental_consent=age.with_consent,
        fictional=fictional,
        created_at=now,
    )
    session.add(consultation)
    session.flush()
    _journal(session, consultation, actor, "consultation.create", now)
    return consultation


def update_consultation(
    session: Session,
    consultation: Consultation,
    *,
    actor: Actor,
    title: str,
    summary: str,
    description: str,
    outcome: str,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    step_kinds: Mapping[str, StepKind],
    now: dt.datetime,
    age: AgeRule | None = None,
) -> None:
    """Change its texts and dates, and the age it asks for unless None; once opened, the change enters the public log.

    After opening the only date that may change is the end, and only to a later one; the age may not.
    Raises InvalidError.
    """
    _lock(session, consultation)
    policy.check_texts(title, summary)
    policy.check_dates(opens_at, closes_at)
    set_rule(consultation, age)
    dates_change = (opens_at, closes_at) != (consultation.opens_at, consultation.closes_at)
    if policy.is_public(consultation) and dates_change:
        policy.check_extension(consultation, opens_at, closes_at, now)
    for step in consultation.steps if dates_change else ():
        if step.opens_at < opens_at or step.closes_at > closes_at:
            message = f"L’étape « {step.title} » sortirait de ces dates : changez d’abord les siennes."
            raise InvalidError(message, fields={"closes_at": message})
    consultation.title, consultation.summary = title.strip(), summary.strip()
    consultation.description, consultation.outcome = clean_rich(description), clean_rich(outcome)
    consultation.opens_at, consultation.closes_at = opens_at, closes_at
    session.flush()
    _journal(session, consultation, actor, "consultation.update", now)
    if policy.is_public(consultation):
        texts = [consultation.title, consultation.summary, consultation.description, consultation.outcome]
        _log(session, consultation, EntryKind.CONTENT, {"texts_sha256": _digest(texts)}, now)
        if dates_change:
            log_rules(session, consultation, step_kinds, now)


def add_step(
    session: Session,
    consultation: Consultation,
    *,
    actor: Actor,
    kind: StepKind,
    title: str,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    now: dt.datetime,
    introduction: str = "",
    slug: str = "",
    settings: Mapping[str, Any] | None = None,
    order_seed: str = "",
) -> Step:
    """Add a step at the end of a draft; the seed of its random order is drawn unless given. Raises InvalidError."""
    _lock(session, consultation)
    _check_draft(consultation)
    policy.check_texts(title, "")
    policy.check_step_dates(consultation, opens_at, closes_at)
    last = session.scalar(select(func.max(Step.position)).where(Step.consultation_id == consultation.id))
    step = Step(
        organisation_id=consultation.organisation_id,
        consultation=consultation,
        slug=_free_slug(session, slug or title, Step, Step.consultation_id == consultation.id),
        kind=kind.kind,
        title=title.strip(),
        introduction=clean_rich(introduction),
        position=(last or 0) + 1,
        opens_at=opens_at,
        closes_at=closes_at,
        settings=dict(settings or {}),
        order_seed=order_seed or secrets.token_hex(16),
    )
    session.add(step)
    session.flush()
    kind.create(session, step)
    _journal(session, consultation, actor, "step.add", now, step=step)
    return step


def update_step(
    session: Session,
    step: Step,
    *,
    actor: Actor,
    title: str,
    introduction: str,
    opens_at: dt.datetime,
    closes_at: dt.datetime,
    step_kinds: Mapping[str, StepKind],
    now: dt.datetime,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Change a step; once the consultation is opened its settings are frozen and its end may only come later."""
    consultation = step.consultation
    _lock(session, consultation)
    policy.check_texts(title, "")
    policy.check_step_dates(consultation, opens_at, closes_at)
    dates_change = (opens_at, closes_at) != (step.opens_at, step.closes_at)
    opened = policy.is_public(consultation)
    if opened and dates_change:
        policy.check_extension(step, opens_at, closes_at, now)
    if opened and settings is not None and dict(settings) != step.settings:
        raise InvalidError("Les règles d’une étape sont figées à l’ouverture de la consultation.")
    step.title, step.introduction = title.strip(), clean_rich(introduction)
    step.opens_at, step.closes_at = opens_at, closes_at
    if settings is not None:
        step.settings = dict(settings)
    session.flush()
    _journal(session, consultation, actor, "step.update", now, step=step)
    if opened:
        _log(session, consultation, EntryKind.CONTENT, _step_texts(step), now)
        if dates_change:
            log_rules(session, consultation, step_kinds, now)


def move_step(session: Session, step: Step, *, actor: Actor, up: bool, now: dt.datetime) -> None:
    """Swap a step of a draft with its neighbour; nothing moves beyond the first and the last."""
    _lock(session, step.consultation)
    _check_draft(step.consultation)
    steps = sorted(step.consultation.steps, key=lambda other: other.position)
    here = steps.index(step)
    there = here + (-1 if up else 1)
    if 0 <= there < len(steps):
        step.position, steps[there].position = steps[there].position, step.position
        session.flush()
        _journal(session, step.consultation, actor, "step.move", now, step=step)


def remove_step(session: Session, step: Step, *, actor: Actor, now: dt.datetime) -> None:
    """Delete a step of a draft with all that hangs on it. Raises InvalidError once the consultation is opened."""
    consultation = step.consultation
    _lock(session, consultation)
    _check_draft(consultation)
    _journal(session, consultation, actor, "step.remove", now, step=step)
    consultation.steps.remove(step)
    session.flush()


def missing(
    session: Session,
    consultation: Consultation,
    *,
    organisation: Organisation,
    step_kinds: Mapping[str, StepKind],
    now: dt.datetime,
) -> list[str]:
    """What a draft lacks before it may be opened, as sentences that say what to do; none when it is ready."""
    lacking = []
    if not consultation.steps:
        lacking.append("Ajoutez au moins une étape avant d’ouvrir la consultation.")
    if consultation.closes_at <= now:
        lacking.append("La date de fin est passée : changez-la avant d’ouvrir la consultation.")
    gaps = organisations.legal_notice_gaps(organisation)
    if gaps:
        lacking.append(f"Complétez d’abord les mentions légales de l’organisation : {', '.join(gaps)}.")
    for step in consultation.steps:
        try:
            _kind(step, step_kinds).rules(session, step)
        except InvalidError as refusal:
            lacking.append(refusal.message)
    return lacking


def open_consultation(
    session: Session,
    consultation: Consultation,
    *,
    organisation: Organisation,
    actor: Actor,
    step_kinds: Mapping[str, StepKind],
    now: dt.datetime,
) -> None:
    """Publish a draft: its rules are frozen, digested and logged, then its opening is.

    It is then public at once; its steps take acts from their own dates on. Raises InvalidError saying what is missing,
    ConflictError when it is no draft any more.
    """
    _lock(session, consultation)
    if consultation.status is not ConsultationStatus.DRAFT:
        raise ConflictError("Cette consultation est déjà ouverte.")
    lacking = missing(session, consultation, organisation=organisation, step_kinds=step_kinds, now=now)
    if lacking:
        raise InvalidError(lacking[0])
    consultation.status = ConsultationStatus.OPEN
    consultation.opened_at = now
    log_rules(session, consultation, step_kinds, now)
    texts = [consultation.title, consultation.summary, consultation.description, consultation.outcome]
    opened = {"slug": consultation.slug, "title": consultation.title, "texts_sha256": _digest(texts)}
    _log(session, consultation, EntryKind.OPENED, opened, now)
    for step in filter(reading.reads_first, consultation.steps):
        _log(session, consultation, EntryKind.CONTENT, reading.told(step), now)
    _journal(session, consultation, actor, "consultation.open", now, detail={"rules": consultation.rules_digest})


def close_consultation(
    session: Session, consultation: Consultation, *, actor: Actor, reason: str, now: dt.datetime
) -> None:
    """Stop every step at once, for ever. Raises InvalidError without a reason, ConflictError when it is not open."""
    _lock(session, consultation)
    if consultation.status is not ConsultationStatus.OPEN:
        raise ConflictError("Seule une consultation ouverte peut être fermée.")
    if not reason.strip():
        message = "Indiquez pourquoi la consultation est fermée : le motif est public."
        raise InvalidError(message, fields={"reason": message})
    consultation.status = ConsultationStatus.CLOSED
    consultation.closed_at = now
    closed = {"closed_at": now.isoformat(timespec="minutes"), "reason": reason.strip()}
    _log(session, consultation, EntryKind.CONTENT, closed, now)
    _journal(session, consultation, actor, "consultation.close", now, reason=reason.strip())


def rules_of(session: Session, consultation: Consultation, step_kinds: Mapping[str, StepKind]) -> dict[str, Any]:
    """All that is frozen at opening, JSON-able: dates, the age asked for if any, each step's seed, settings, rules."""
    return {
        "consultation": str(consultation.id),
        "opens_at": consultation.opens_at.isoformat(),
        "closes_at": consultation.closes_at.isoformat(),
        **ages.rule_of(consultation).told,
        "steps": [
            {
                "id": str(step.id),
                "kind": step.kind,
                "position": step.position,
                "opens_at": step.opens_at.isoformat(),
                "closes_at": step.closes_at.isoformat(),
                "order_seed": step.order_seed,
                "settings": step.settings,
                "rules": dict(_kind(step, step_kinds).rules(session, step)),
            }
            for step in sorted(consultation.steps, key=lambda step: step.position)
        ],
    }


def _kind(step: Step, step_kinds: Mapping[str, StepKind]) -> StepKind:
    if step.kind not in step_kinds:
        raise InvalidError(f"L’étape « {step.title} » est d’un type qui n’est pas installé : {step.kind}.")
    return step_kinds[step.kind]


def _lock(session: Session, consultation: Consultation) -> None:
    session.flush()
    session.refresh(consultation, with_for_update=True)


def _free_slug(session: Session, wanted: str, model: type[Consultation | Step], *scope: Any) -> str:
    base = policy.slug_of(wanted)
    taken = set(session.scalars(select(model.slug).where(model.slug.startswith(base), *scope)))
    taken |= policy.RESERVED_SLUGS
    candidate, number = base, 2
    while candidate in taken:
        suffix = f"-{number}"
        candidate, number = base[: policy.SLUG_LENGTH - len(suffix)] + suffix, number + 1
    return candidate


def _check_draft(consultation: Consultation) -> None:
    if policy.is_public(consultation):
        raise InvalidError("Les étapes sont figées depuis l’ouverture de la consultation.")


def log_rules(
    session: Session, consultation: Consultation, step_kinds: Mapping[str, StepKind], now: dt.datetime
) -> None:
    """Publish the rules as they now are, in the log and by their digest."""
    rules = rules_of(session, consultation, step_kinds)
    consultation.rules_digest = hashlib.sha256(rfc8785.dumps(rules)).hexdigest()
    _log(session, consultation, EntryKind.RULES, {"digest": consultation.rules_digest, "rules": rules}, now)


def _log(
    session: Session, consultation: Consultation, kind: EntryKind, content: Mapping[str, Any], now: dt.datetime
) -> None:
    registry.append(
        session,
        organisation_id=consultation.organisation_id,
        consultation_id=consultation.id,
        kind=kind,
        content={"consultation": str(consultation.id), **content},
        now=now,
    )


def _step_texts(step: Step) -> dict[str, str]:
    return {"step": str(step.id), "texts_sha256": _digest([step.title, step.introduction])}


def _digest(texts: list[str]) -> str:
    return hashlib.sha256(rfc8785.dumps(texts)).hexdigest()


def _journal(
    session: Session,
    consultation: Consultation,
    actor: Actor,
    action: str,
    now: dt.datetime,
    *,
    step: Step | None = None,
    reason: str = "",
    detail: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=consultation.organisation_id,
        action=action,
        target_type="step" if step else "consultation",
        target_id=step.id if step else consultation.id,
        now=now,
        reason=reason,
        detail={"consultation": consultation.slug, **({"step": step.slug} if step else {}), **(detail or {})},
    )
