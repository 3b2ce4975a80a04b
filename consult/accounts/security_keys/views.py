"""/gestion/second-facteur/cles: enrolling a security key, giving it as a second factor, removing it."""

from __future__ import annotations

import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts.entry import renew
from consult.accounts.second_factor import attempts, pages
from consult.accounts.second_factor.pages import ENROL, PROVE, bound, settings, staff_account
from consult.accounts.second_factor.views import holder
from consult.accounts.security_keys import service
from consult.accounts.security_keys.forms import NewKeyForm, ProofForm
from consult.accounts.security_keys.policy import Challenge, RelyingParty, read_challenge
from consult.accounts.sign_up.views import local, signed_in_response
from consult.db import survives
from consult.errors import BadRequestError, InvalidError
from consult.security import account_or_address, limited, limiter, password_suffices

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from consult.accounts.models import Account

bp = Blueprint("security_keys", __name__, url_prefix="/gestion/second-facteur/cles")


def _party() -> RelyingParty:
    here = pages.party()
    if here is None:
        raise BadRequestError("Les clés de sécurité ne servent pas à cette adresse du site.")
    return here


def _challenge(form: ProofForm, purpose: str) -> Challenge:
    return read_challenge(settings().secret_key, bound(purpose), form.challenge.data or "", g.now)


@bp.post("")
@password_suffices
@limiter.limit("30/minute", key_func=account_or_address)
def enrol() -> ResponseReturnValue:
    account, form, party = staff_account(), NewKeyForm(request.form), _party()
    if not pages.may_enrol(account):
        return redirect(url_for("accounts.second_factor.show", suite=url_for("accounts.second_factor.means")), 303)
    if not form.validate():
        return _enrol_again(account, form)
    try:
        codes = _enrol(account, form, party, _challenge(form, ENROL))
    except InvalidError as error:
        field = form.name if "name" in error.fields else form.credential
        field.errors = [error.message]
        return _enrol_again(staff_account(), form)
    pages.tell(account, "key", name=form.name.data)
    return pages.enrolled(account, codes)


def _enrol(account: Account, form: NewKeyForm, party: RelyingParty, challenge: Challenge) -> list[str]:
    """Keep the key; its challenge is used up even when it is refused."""
    name, credential = form.name.data, form.credential.data
    try:
        return service.enrol(
            g.session, account, name=name, credential=credential, party=party, challenge=challenge, now=g.now
        )
    except InvalidError:
        g.session.rollback()
        survives(g.session, lambda session: service.remember_spent(session, challenge))
        raise


def _enrol_again(account: Account, form: NewKeyForm) -> ResponseReturnValue:
    """The page that the form came from: that of a first second factor, or that of them all."""
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if g.identity.second_factor_at is None:
        return pages.enrol_page(account, pages.new_secret(), key=form, status=status)
    return pages.means_page(account, key=form, status=status)


@bp.post("/preuve")
@password_suffices
@limiter.limit("30/minute", key_func=account_or_address)
def prove() -> ResponseReturnValue:
    account, form, party = staff_account(), ProofForm(request.form), _party()
    attempts.refuse_while_waiting(account)
    if not form.validate():
        return pages.proof_page(account, key=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        _prove(account, form, party, _challenge(form, PROVE))
    except InvalidError as error:
        form.credential.errors = [error.message]
        return pages.proof_page(account, key=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    attempts.forget_failures(account)
    return signed_in_response(redirect(local(request.form.get("suite"), "/gestion"), 303), renew(account))


def _prove(account: Account, form: ProofForm, party: RelyingParty, challenge: Challenge) -> None:
    """Check the answer; count it, and use its challenge up, when it is refused."""
    account_id, now = account.id, g.now
    try:
        service.prove(g.session, account, credential=form.credential.data, party=party, challenge=challenge, now=now)
    except InvalidError as error:
        copied = error.key_id if isinstance(error, service.CopiedKeyError) else None

        def note(session: Session) -> None:
            service.remember_spent(session, challenge)
            if copied is not None:
                service.suspect_copy(session, account_id, copied, now)

        attempts.count_failure(account, note)
        raise


@bp.post("/<uuid:key_id>/retirer")
@holder
@limited
def remove(key_id: uuid.UUID) -> ResponseReturnValue:
    account = staff_account()
    removed = service.remove(g.session, account, key_id, now=g.now)
    pages.tell(account, "key_removed", name=removed.name)
    flash(f"La clé «\u00a0{removed.name}\u00a0» est retirée.", "success")
    return redirect(url_for("accounts.second_factor.means"), 303)
