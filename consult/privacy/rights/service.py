"""Asking, answering, extending, lifting. Each change of a request is told to its person by mail."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy.orm import Session

from consult.accounts import policy as accounts
from consult.accounts.models import Account
from consult.accounts.service import lock_active, mailing
from consult.actor import Actor
from consult.audit import service as audit
from consult.errors import ConflictError, GoneError, InvalidError, NotFoundError
from consult.labels import date
from consult.mail import service as mail
from consult.organisations.models import Organisation
from consult.privacy.rights import labels, policy, queries, setting_aside
from consult.privacy.rights.models import Outcome, Right, RightsRequest
from consult.protocols import ContentType
from consult.security import digest, new_token

UNKNOWN: Final = "Aucune demande n’est à cette adresse."


def ask(
    session: Session,
    organisation: Organisation,
    account_id: uuid.UUID,
    right: Right,
    statement: str,
    *,
    site: str,
    now: dt.datetime,
) -> RightsRequest:
    """Record the request of an account, and acknowledge it with its due date; sent twice it is recorded once.

    Raises ConflictError when one of the same right waits already, or while the account's address is not confirmed.
    """
    account = lock_active(session, account_id)
    if account.confirmed_at is None:
        raise ConflictError("Confirmez d’abord votre adresse\u00a0: c’est là que la réponse vous sera envoyée.")
    waiting = queries.waiting_of(session, account_id, right)
    if waiting is not None:
        if waiting.statement == statement:
            return waiting
        raise ConflictError(
            f"Une demande de ce type attend déjà sa réponse, avant le {date(waiting.due_on or now)}. "
            "Attendez-la, ou écrivez au délégué à la protection des données pour la compléter."
        )
    request = RightsRequest(
        id=uuid.uuid4(),
        organisation_id=organisation.id,
        account_id=account_id,
        right=right,
        statement=statement,
        asked_at=now,
    )
    session.add(request)
    _receive(session, organisation, request, f"{site}/mon-compte/droits", site, now)
    return request


def ask_without_account(
    session: Session,
    organisation: Organisation,
    *,
    email: str,
    right: Right,
    statement: str,
    mailbox: accounts.Mailbox,
    site: str,
    now: dt.datetime,
) -> None:
    """Keep the request of a visitor until the address is confirmed by the link of a mail; no account is looked for.

    Nothing is kept nor sent once the mailbox got its share of mails. Raises InvalidError for an impossible address.
    """
    token = new_token()
    request = RightsRequest(
        id=uuid.uuid4(),
        organisation_id=organisation.id,
        email=accounts.clean_email(email),
        token_digest=digest(token),
        right=right,
        statement=statement,
        asked_at=now,
    )
    with mailing(session, mailbox, now):
        session.add(request)
        link = f"{site}/droits/{token}"
        _tell(session, organisation, request, "rights_confirm", site, now, link=link, until=now + policy.LINK_LIFE)


def confirm(session: Session, organisation: Organisation, token: str, *, site: str, now: dt.datetime) -> RightsRequest:
    """Begin the delay of a visitor's request, whose address is proved; a second time changes nothing.

    Raises NotFoundError for an unknown link, GoneError for one that expired.
    """
    request = queries.by_token(session, token, lock=True)
    if request is None:
        raise NotFoundError(UNKNOWN)
    if request.confirmed_at is None:
        if now > request.asked_at + policy.LINK_LIFE:
            raise GoneError("Ce lien a expiré. Faites votre demande de nouveau\u00a0: un autre lien vous sera envoyé.")
        _receive(session, organisation, request, f"{site}/droits/{token}", site, now)
    return request


def extend(
    session: Session,
    organisation: Organisation,
    request_id: uuid.UUID,
    reason: str,
    *,
    actor: Actor,
    site: str,
    now: dt.datetime,
) -> RightsRequest:
    """Take two more months, and tell the person why, before the first one is over.

    Raises NotFoundError, ConflictError when it is answered, extended already or too late.
    """
    request = _locked(session, request_id)
    if request.confirmed_at is None or not policy.may_extend(request, now):
        raise ConflictError(
            "Le délai ne peut être prolongé qu’une fois, avant la fin du premier mois, et tant que la demande attend."
        )
    request.extended_at, request.extension_reason = now, reason
    request.due_on, request.reminded_on = policy.due_on(request.confirmed_at, policy.EXTENDED_MONTHS), None
    _tell(session, organisation, request, "rights_extended", site, now)
    _journal(session, request, "rights.extend", actor, now)
    return request


def answer(
    session: Session,
    organisation: Organisation,
    content_types: Mapping[str, ContentType],
    request_id: uuid.UUID,
    outcome: Outcome,
    words: str,
    *,
    actor: Actor,
    site: str,
    now: dt.datetime,
) -> RightsRequest:
    """Grant or refuse, with words for the person. A limitation or an objection that is granted sets the texts aside.

    Raises NotFoundError, ConflictError when it is answered already or is not confirmed.
    """
    request = _locked(session, request_id)
    if request.confirmed_at is None or request.outcome is not None:
        raise ConflictError("Cette demande a déjà reçu une réponse, ou son adresse n’est pas confirmée.")
    request.outcome, request.answer = outcome, words
    request.answered_at, request.answered_by_id = now, actor.account_id
    session.flush()
    if policy.in_force(request):
        account = session.get_one(Account, request.account_id, with_for_update=True)
        setting_aside.set_aside(session, content_types, account, request.right.value, now)
    _tell(session, organisation, request, "rights_answered", site, now)
    _journal(session, request, "rights.answer", actor, now)
    return request


def lift(
    session: Session,
    organisation: Organisation,
    content_types: Mapping[str, ContentType],
    request_id: uuid.UUID,
    *,
    site: str,
    now: dt.datetime,
    actor: Actor,
    words: str = "",
) -> RightsRequest:
    """End what was granted: the texts are shown again, unless another request keeps them aside.

    Its person may, and the administration with words for them, told before (article 18.3). Raises NotFoundError,
    ConflictError when nothing is in force.
    """
    request = _locked(session, request_id)
    theirs = request.account_id == actor.account_id
    if not policy.in_force(request):
        raise ConflictError("Cette demande n’a plus d’effet\u00a0: il n’y a rien à lever.")
    if not theirs and not words:
        raise InvalidError("Dites à la personne pourquoi la mesure est levée.")
    request.lifted_at = now
    session.flush()
    account = session.get_one(Account, request.account_id, with_for_update=True)
    shown = not queries.keeps_aside(session, account.id)
    if shown:
        setting_aside.show_again(session, content_types, account, now)
    _tell(session, organisation, request, "rights_lifted", site, now, theirs=theirs, words=words, shown=shown)
    if not theirs:
        _journal(session, request, "rights.lift", actor, now)
    return request


def _receive(
    session: Session, organisation: Organisation, request: RightsRequest, link: str, site: str, now: dt.datetime
) -> None:
    request.confirmed_at, request.due_on = now, policy.due_on(now, policy.ANSWER_MONTHS)
    session.flush()
    _tell(session, organisation, request, "rights_received", site, now, link=link)
    remind(session, organisation, request, site=site, now=now)


def remind(
    session: Session, organisation: Organisation, request: RightsRequest, *, site: str, now: dt.datetime
) -> None:
    """Tell who must answer that the request waits: the administrators, and the delegate whose address is known."""
    context = {
        **_context(organisation, request, site),
        "overdue": policy.state(request, now) is policy.State.OVERDUE,
        "link": f"{site}/gestion/droits/{request.id}",
    }
    for to in queries.who_answers(session, organisation):
        mail.send(session, organisation_id=organisation.id, to=to, template="rights_waiting", context=context, now=now)


def _locked(session: Session, request_id: uuid.UUID) -> RightsRequest:
    request = session.get(RightsRequest, request_id, with_for_update=True, populate_existing=True)
    if request is None:
        raise NotFoundError(UNKNOWN)
    return request


def _context(organisation: Organisation, request: RightsRequest, site: str) -> dict[str, Any]:
    return {
        "organisation_name": organisation.name,
        "site_url": site,
        "dpo": organisation.dpo_email,
        "cnil": labels.CNIL,
        "right": labels.NAMES[request.right],
        "request": request,
    }


def _tell(
    session: Session,
    organisation: Organisation,
    request: RightsRequest,
    template: str,
    site: str,
    now: dt.datetime,
    **more: Any,
) -> None:
    account = session.get(Account, request.account_id) if request.account_id else None
    to = account.email if account else request.email
    if to is None:  # the account was erased meanwhile
        return
    context = {**_context(organisation, request, site), "aside": policy.in_force(request), **more}
    mail.send(session, organisation_id=organisation.id, to=to, template=template, context=context, now=now)


def _journal(session: Session, request: RightsRequest, action: str, actor: Actor, now: dt.datetime) -> None:
    outcome = request.outcome.value if request.outcome else None
    audit.record(
        session,
        actor=actor,
        organisation_id=request.organisation_id,
        action=action,
        target_type="rights_request",
        target_id=request.id,
        # Not the words, which tell of a person: the journal never changes.
        detail={"right": request.right.value, "outcome": outcome, "due_on": str(request.due_on)},
        now=now,
    )
