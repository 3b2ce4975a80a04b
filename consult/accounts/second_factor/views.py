"""The second factors of staff: enrolment, proof at each sign-in, and the page where they are changed."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts import policy, queries
from consult.accounts.entry import renew
from consult.accounts.second_factor import attempts, pages, service
from consult.accounts.second_factor.forms import CodeForm, EnrolForm
from consult.accounts.second_factor.pages import SECRET, bound, settings, staff_account
from consult.accounts.sign_up.views import local, signed_in_response
from consult.actor import STAFF_ROLES
from consult.errors import BadRequestError, InvalidError
from consult.sealing import Keyring, second_factors
from consult.security import account_or_address, limited, limiter, password_suffices, staff

bp = Blueprint("second_factor", __name__, url_prefix="/gestion")
holder = staff(*STAFF_ROLES, anywhere=True, fresh=True)


def _keyring() -> Keyring:
    return second_factors(settings().seal_keys)


@bp.get("/second-facteur")
@password_suffices
def show() -> ResponseReturnValue:
    account = staff_account()
    given, has = g.identity.second_factor_at is not None, queries.has_second_factor(g.session, account.id)
    if not account.password_for_staff and (given or not has):
        flash("Les comptes d’agent demandent un mot de passe plus long : changez-le pour continuer.", "warning")
        return redirect(url_for("accounts.password"), 303)
    return pages.proof_page(account) if has else pages.enrol_page(account, pages.new_secret())


@bp.post("/second-facteur")
@password_suffices
@limiter.limit("30/minute", key_func=account_or_address)
def prove() -> ResponseReturnValue:
    account, form = staff_account(), CodeForm(request.form)
    attempts.refuse_while_waiting(account)
    try:
        if not form.validate():
            return pages.proof_page(account, code=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        service.prove(g.session, account, code=form.code.data, now=g.now, keyring=_keyring())
    except InvalidError as error:
        attempts.count_failure(account)
        form.code.errors = [error.message]
        return pages.proof_page(account, code=form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    attempts.forget_failures(account)
    return signed_in_response(redirect(local(request.form.get("suite"), "/gestion"), 303), renew(account))


@bp.get("/second-facteur/enregistrer")
@holder
def application() -> ResponseReturnValue:
    """Enrol an application of codes beside a key."""
    account = staff_account()
    if account.totp_enrolled_at is not None:
        return redirect(url_for(".means"), 303)
    return pages.enrol_page(account, pages.new_secret())


@bp.post("/second-facteur/enregistrer")
@password_suffices
@limiter.limit("30/minute", key_func=account_or_address)
def enrol() -> ResponseReturnValue:
    account, form = staff_account(), EnrolForm(request.form)
    if not pages.may_enrol(account):
        return redirect(url_for(".show", suite=url_for(".means")), 303)
    secret = policy.unsign(settings().secret_key, bound(SECRET), form.secret.data or "")
    if secret is None:
        raise BadRequestError
    try:
        if not form.validate():
            return pages.enrol_page(account, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        codes = service.enrol(g.session, account, secret=secret, code=form.code.data, now=g.now, keyring=_keyring())
    except InvalidError as error:
        form.code.errors = [error.message]
        return pages.enrol_page(account, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    pages.tell(account, "second_factor")
    return pages.enrolled(account, codes)


@bp.get("/seconds-facteurs")
@holder
def means() -> ResponseReturnValue:
    return pages.means_page(staff_account())


@bp.post("/second-facteur/application/retirer")
@holder
@limited
def remove_application() -> ResponseReturnValue:
    account = staff_account()
    service.remove_application(g.session, account, now=g.now)
    pages.tell(account, "application_removed")
    flash("L’application de codes est retirée.", "success")
    return redirect(url_for(".means"), 303)


@bp.post("/second-facteur/codes-de-secours")
@holder
@limited
def renew_codes() -> ResponseReturnValue:
    account = staff_account()
    codes = service.renew_recovery_codes(g.session, account, now=g.now)
    pages.tell(account, "recovery_codes")
    return pages.codes_page(codes, url_for(".means"))
