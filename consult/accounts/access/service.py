"""Granting and withdrawing roles: each change is journalled and sends the register to the administration."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from consult.accounts.access import queries
from consult.accounts.labels import REGISTER_COLUMNS
from consult.accounts.models import Account, AccountStatus, Membership, PlatformRole
from consult.actor import ORGANISATION_ROLES, PLATFORM_ROLES, SYSTEM, Actor, Role
from consult.audit import service as audit
from consult.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from consult.mail import service as mail
from consult.organisations.models import Organisation

REASON_MAX_LENGTH = 300


def grant(
    session: Session,
    organisation: Organisation,
    account: Account,
    role: Role,
    *,
    actor: Actor,
    now: dt.datetime,
    site: str,
    consultation_id: uuid.UUID | None = None,
    titles: Mapping[uuid.UUID, str] | None = None,
) -> Membership:
    """Give a role on the organisation or on one of its consultations (`titles` lists them).

    Raises ForbiddenError when people raise themselves, InvalidError naming the field, ConflictError when it is held.
    """
    titles = titles or {}
    _refuse_oneself(actor, account.id)
    if role not in ORGANISATION_ROLES:
        reason = "Ce rôle ne se donne pas ici."
        raise InvalidError(reason, fields={"role": reason})
    if account.status != AccountStatus.ACTIVE or account.confirmed_at is None:
        reason = "Cette personne doit d’abord confirmer son adresse."
        raise InvalidError(reason, fields={"email": reason})
    if account.organisation_id != organisation.id or (consultation_id is not None and consultation_id not in titles):
        raise NotFoundError
    membership = Membership(
        organisation_id=organisation.id,
        account_id=account.id,
        role=role,
        consultation_id=consultation_id,
        granted_at=now,
        granted_by_id=actor.account_id,
    )
    try:
        with session.begin_nested():
            session.add(membership)
    except IntegrityError:
        raise ConflictError("Cette personne a déjà ce rôle.") from None
    _record(session, organisation, membership, "access.grant", actor=actor, now=now)
    send_register(session, organisation, titles, site=site, now=now)
    return membership


def revoke(
    session: Session,
    organisation: Organisation,
    membership_id: uuid.UUID,
    *,
    reason: str,
    actor: Actor,
    now: dt.datetime,
    site: str,
    titles: Mapping[uuid.UUID, str] | None = None,
) -> None:
    """Withdraw a role, for a reason that the register keeps. It no longer counts at the next request.

    Raises NotFoundError, ForbiddenError for one's own role, ConflictError when withdrawn already or when no
    administrator would remain, InvalidError without a reason.
    """
    membership = session.get(Membership, membership_id, with_for_update=True)
    if membership is None or membership.organisation_id != organisation.id:
        raise NotFoundError
    _refuse_oneself(actor, membership.account_id)
    reason = reason.strip()
    if not reason or len(reason) > REASON_MAX_LENGTH:
        words = f"Indiquez le motif du retrait, en {REASON_MAX_LENGTH} caractères au plus."
        raise InvalidError(words, fields={"reason": words})
    if membership.revoked_at is not None:
        raise ConflictError("Ce rôle est déjà retiré.")
    whole = membership.role == Role.ADMINISTRATOR and membership.consultation_id is None
    if whole:  # two who withdraw each other at once come one after the other
        session.execute(
            select(Organisation.id).where(Organisation.id == organisation.id).with_for_update(key_share=True)
        )
    if whole and queries.administrators(session, organisation.id) <= {membership.account_id}:
        raise ConflictError("L’organisation doit garder au moins un administrateur.")
    membership.revoked_at, membership.revoked_by_id, membership.revocation_reason = now, actor.account_id, reason
    session.flush()
    _record(session, organisation, membership, "access.revoke", actor=actor, now=now, reason=reason)
    send_register(session, organisation, titles or {}, site=site, now=now)


def grant_platform(session: Session, account: Account, role: Role, *, now: dt.datetime) -> None:
    """Give a platform role: for the command line alone. Raises ConflictError when it is held."""
    if role not in PLATFORM_ROLES:
        raise InvalidError("Ce rôle n’est pas un rôle de plateforme.", fields={"role": "Rôle inattendu."})
    try:
        with session.begin_nested():
            session.add(PlatformRole(account_id=account.id, role=role, granted_at=now))
    except IntegrityError:
        raise ConflictError("Cette personne a déjà ce rôle.") from None
    _record_platform(session, account, role, "access.grant", now)


def revoke_platform(session: Session, account: Account, role: Role, *, now: dt.datetime) -> None:
    """Withdraw a platform role: for the command line alone. Raises NotFoundError when it is not held."""
    held = session.scalar(
        select(PlatformRole).where(
            PlatformRole.account_id == account.id, PlatformRole.role == role, PlatformRole.revoked_at.is_(None)
        )
    )
    if held is None:
        raise NotFoundError("Cette personne n’a pas ce rôle.")
    held.revoked_at = now
    _record_platform(session, account, role, "access.revoke", now)


def send_register(
    session: Session, organisation: Organisation, titles: Mapping[uuid.UUID, str], *, site: str, now: dt.datetime
) -> None:
    """Queue the whole register to the administration's address, when it gave one (AT-4.3)."""
    if not organisation.access_register_email:
        return
    lines = queries.register(session, organisation.id, titles)
    mail.send(
        session,
        organisation_id=organisation.id,
        to=organisation.access_register_email,
        template="accounts_access_register",
        context={
            "organisation_name": organisation.name,
            "site_url": site,
            "at": now,
            "held": sum(line.revoked_at is None for line in lines),
            "csv": queries.as_csv(REGISTER_COLUMNS, (line.cells for line in lines)),
        },
        now=now,
    )


def _refuse_oneself(actor: Actor, account_id: uuid.UUID) -> None:
    if actor.account_id == account_id:
        raise ForbiddenError("Vous ne pouvez pas changer vos propres rôles : demandez-le à un autre administrateur.")


def _record(
    session: Session,
    organisation: Organisation,
    membership: Membership,
    action: str,
    *,
    actor: Actor,
    now: dt.datetime,
    reason: str = "",
) -> None:
    audit.record(
        session,
        actor=actor,
        organisation_id=organisation.id,
        action=action,
        target_type="account",
        target_id=membership.account_id,
        reason=reason,
        detail={
            "role": membership.role.value,
            "consultation": str(membership.consultation_id) if membership.consultation_id else None,
        },
        now=now,
    )


def _record_platform(session: Session, account: Account, role: Role, action: str, now: dt.datetime) -> None:
    audit.record(
        session,
        actor=SYSTEM,
        organisation_id=None,
        action=action,
        target_type="account",
        target_id=account.id,
        detail={"role": role.value},
        now=now,
    )
