"""The second factor of staff: enrolment, then a code at each sign-in."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import pyotp
from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts import policy, queries
from consult.accounts import service as accounts
from consult.accounts.models import Account
from consult.accounts.second_factor import service
from consult.accounts.second_factor.forms import CodeForm, EnrolForm
from consult.accounts.second_factor.policy import provisioning_uri
from consult.accounts.sign_up.views import addresses, local, signed_in_response
from consult.db import survives
from consult.errors import BadRequestError, InvalidError, NotFoundError, TooManyError
from consult.qr import qr_path
from consult.sealing import Keyring, second_factors
from consult.security import account_or_address, limiter, password_suffices
from consult.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

bp = Blueprint("second_factor", __name__, url_prefix="/gestion/second-facteur")
_SIGNED = "totp-secret"


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _keyring() -> Keyring:
    return second_factors(_settings().seal_keys)


def _staff_account() -> Account:
    if not queries.staff_roles(g.session, g.account_id):
        raise NotFoundError
    return queries.own_account(g.session, g.account_id)


@bp.get("")
@password_suffices
def show() -> ResponseReturnValue:
    account = _staff_account()
    given = g.identity.second_factor_at is not None
    if not account.password_for_staff and (given or account.totp_enrolled_at is None):
        flash("Les comptes d’agent demandent un mot de passe plus long : changez-le pour continuer.", "warning")
        return redirect(url_for("accounts.password"), 303)
    if account.totp_enrolled_at is None:
        form = EnrolForm(secret=policy.sign(_settings().secret_key, _kind(), pyotp.random_base32()))
        return _enrol_page(form, account)
    return _code_page(CodeForm())


def _kind() -> str:
    """Binds a proposed secret to this very session."""
    return f"{_SIGNED}:{g.identity.login_session_id}"


def _enrol_page(form: EnrolForm, account: Account, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    secret = policy.unsign(_settings().secret_key, _kind(), form.secret.data or "")
    if secret is None:
        raise BadRequestError
    name = account.email or account.pseudonym
    side, path = qr_path(provisioning_uri(secret, account=name, issuer=g.organisation.name))
    page = render_template(
        "accounts/second_factor_enrol.html",
        form=form,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        side=side,
        path=path,
        suite=request.values.get("suite", ""),
    )
    return page, status


def _code_page(form: CodeForm, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    suite = request.values.get("suite", "")
    return render_template("accounts/second_factor.html", form=form, suite=suite), status


@bp.post("")
@password_suffices
@limiter.limit("30/minute", key_func=account_or_address)
def prove() -> ResponseReturnValue:
    account, form = _staff_account(), CodeForm(request.form)
    key = policy.attempt_key(_settings().secret_key, "second-factor", str(account.id))
    wait = queries.seconds_to_wait(g.session, [key], g.now)
    if wait:
        raise TooManyError("Trop de codes refusés. Patientez avant de recommencer.", retry_after=wait)
    try:
        if not form.validate():
            return _code_page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        service.prove(g.session, account, code=form.code.data, now=g.now, keyring=_keyring())
    except InvalidError as error:
        now = g.now

        def count(session: Session) -> None:
            accounts.record_failure(session, key, policy.SECOND_FACTOR, now)

        survives(g.session, count)
        form.code.errors = [error.message]
        return _code_page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    accounts.forget_failures(g.session, key)
    return signed_in_response(redirect(local(request.form.get("suite"), "/gestion"), 303), _renew_session(account))


def _renew_session(account: Account) -> str:
    """A new session, with the life of staff's, in place of the one that only knew the password."""
    accounts.close_session(g.session, account.id, g.identity.login_session_id)
    token, _ = accounts.open_session(
        g.session,
        account,
        now=g.now,
        life=policy.session_life(queries.staff_roles(g.session, account.id), _settings()),
        browser=policy.browser_name(request.user_agent.string),
        second_factor_at=g.now,
    )
    return token


@bp.post("/enregistrer")
@password_suffices
@limiter.limit("30/minute", key_func=account_or_address)
def enrol() -> ResponseReturnValue:
    account, form = _staff_account(), EnrolForm(request.form)
    secret = policy.unsign(_settings().secret_key, _kind(), form.secret.data or "")
    if secret is None:
        raise BadRequestError
    try:
        if not form.validate():
            return _enrol_page(form, account, HTTPStatus.UNPROCESSABLE_ENTITY)
        codes = service.enrol(g.session, account, secret=secret, code=form.code.data, now=g.now, keyring=_keyring())
    except InvalidError as error:
        form.code.errors = [error.message]
        return _enrol_page(form, account, HTTPStatus.UNPROCESSABLE_ENTITY)
    accounts.notify(g.session, account, g.organisation, what="second_factor", site=addresses().site, now=g.now)
    g.session_token = _renew_session(account)  # the forms of the page belong to the new session
    suite = local(request.form.get("suite"), "/gestion")
    page = render_template("accounts/recovery_codes.html", codes=codes, suite=suite)
    return signed_in_response(page, g.session_token)
