"""Signing in and out, sessions, passwords, « mon compte »."""

from __future__ import annotations

import uuid
from http import HTTPStatus

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from consult.accounts import policy, queries, service
from consult.accounts.access.views import bp as access
from consult.accounts.entry import enter
from consult.accounts.forms import ChangePasswordForm, EmailForm, NewPasswordForm, SignInForm
from consult.accounts.identities.views import bp as identities
from consult.accounts.identities.views import farewell
from consult.accounts.mailed_link.views import bp as mailed_link
from consult.accounts.models import TokenPurpose
from consult.accounts.notices.views import bp as notices
from consult.accounts.passwords import service as passwords
from consult.accounts.profile.views import bp as profile
from consult.accounts.pseudonyms.views import bp as pseudonyms
from consult.accounts.second_factor.views import bp as second_factor
from consult.accounts.security_keys.views import bp as security_keys
from consult.accounts.sign_up.views import addresses, local, mail_way_back
from consult.accounts.sign_up.views import bp as sign_up
from consult.accounts.unsent.views import bp as unsent
from consult.accounts.unsent.views import forget
from consult.db import Database, survives
from consult.errors import GoneError, NotFoundError, TooManyError
from consult.security import account_or_address, anyone, client_address, limited, limiter, password_suffices, signed_in
from consult.settings import Settings

bp = Blueprint("accounts", __name__)
PARTS = (sign_up, second_factor, security_keys, access, profile, pseudonyms, mailed_link, notices, unsent, identities)
for part in PARTS:
    bp.register_blueprint(part)

WRONG = "Adresse électronique ou mot de passe incorrect, ou adresse pas encore confirmée."


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _reading() -> Database:
    database: Database = current_app.extensions["database"]
    return database


@bp.get("/connexion")
@anyone
def sign_in() -> ResponseReturnValue:
    if g.account_id is not None:
        return redirect(local(request.args.get("suite"), "/mon-compte"), 303)
    return _sign_in_page(SignInForm())


def _sign_in_page(form: SignInForm, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    return render_template("accounts/sign_in.html", form=form, suite=request.values.get("suite", "")), status


@bp.post("/connexion")
@anyone
@limiter.limit("60/minute")
def sign_in_now() -> ResponseReturnValue:
    form = SignInForm(request.form)
    if not form.validate():
        return _sign_in_page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    settings = _settings()
    email_key = policy.typed_email_key(form.email.data, tags_differ=settings.email_tags)
    attempts = _attempt_keys(email_key)
    # A reading transaction of its own: the password is compared before the writer is taken.
    with _reading().transaction(tenant=g.organisation.id, write=False) as reading:
        wait = queries.seconds_to_wait(reading, attempts, g.now)
        known = queries.credentials(reading, email_key)
    if wait:
        raise TooManyError("Trop d’essais de connexion. Patientez avant de recommencer.", retry_after=wait)
    account = None
    if passwords.matches(known.password_hash if known else None, form.password.data) and known is not None:
        renewed = passwords.renewed(known.password_hash, form.password.data)
        account = service.enter(g.session, known, renewed=renewed)
    if account is None:
        _count_failure(attempts)
        form.form_errors.append(WRONG)
        return _sign_in_page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    service.forget_failures(g.session, attempts[0])
    return enter(account, request.form.get("suite"))


def _attempt_keys(email_key: str) -> list[str]:
    """Failures count for the pair of account and browser's address, and more leniently for the account alone."""
    secret, organisation = _settings().secret_key, str(g.organisation.id)
    return [
        policy.attempt_key(secret, "login", organisation, email_key, client_address()),
        policy.attempt_key(secret, "login", organisation, email_key),
    ]


def _count_failure(attempts: list[str]) -> None:
    now = g.now

    def record(session: Session) -> None:
        for key, throttle in zip(attempts, (policy.LOGIN_FROM_ADDRESS, policy.LOGIN_OF_ACCOUNT), strict=True):
            service.record_failure(session, key, throttle, now)

    survives(g.session, record)


@bp.post("/deconnexion")
@password_suffices
@limited
def sign_out() -> ResponseReturnValue:
    service.close_session(g.session, g.account_id, g.identity.login_session_id)
    forget()
    response = redirect(farewell() or local("/"), 303)
    response.delete_cookie(**policy.session_cookie(_settings()).absent())
    return response


@bp.get("/mot-de-passe-oublie")
@anyone
def forgotten() -> ResponseReturnValue:
    return render_template("accounts/forgotten.html", form=EmailForm())


@bp.post("/mot-de-passe-oublie")
@anyone
@limiter.limit("20/hour")
def send_reset() -> ResponseReturnValue:
    form = EmailForm(request.form)
    if not form.validate():
        return render_template("accounts/forgotten.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    mail_way_back(form.email.data, TokenPurpose.RESET_PASSWORD)
    flash(
        "Un message part vers cette adresse\u00a0: suivez le lien qu’il contient. S’il n’arrive pas, suivez celui du "
        "dernier message reçu\u00a0: le nombre d’envois vers une adresse est limité.",
        "success",
    )
    return redirect(url_for(".sign_in"), 303)


@bp.get("/mot-de-passe/<token>")
@anyone
def reset(token: str) -> ResponseReturnValue:
    account = queries.token_account(g.session, token, TokenPurpose.RESET_PASSWORD, g.now)
    if account is None:
        raise GoneError("Ce lien a déjà servi ou a expiré. Demandez-en un autre depuis « Mot de passe oublié ».")
    staff = bool(queries.staff_roles(g.session, account.id))
    return render_template("accounts/reset.html", form=NewPasswordForm(staff=staff), token=token)


@bp.post("/mot-de-passe/<token>")
@anyone
@limiter.limit("30/hour")
def reset_now(token: str) -> ResponseReturnValue:
    with _reading().transaction(tenant=g.organisation.id, write=False) as reading:
        account = queries.token_account(reading, token, TokenPurpose.RESET_PASSWORD, g.now)
        if account is None:
            raise GoneError("Ce lien a déjà servi ou a expiré. Demandez-en un autre depuis « Mot de passe oublié ».")
        context = (account.pseudonym, account.email or "", g.organisation.name)
        staff = bool(queries.staff_roles(reading, account.id))
    form = NewPasswordForm(request.form, context=context, staff=staff)
    if not form.validate():
        return render_template("accounts/reset.html", form=form, token=token), HTTPStatus.UNPROCESSABLE_ENTITY
    kept = passwords.keep(form.password.data, staff=staff, context=context)
    account = service.spend_link(g.session, token, TokenPurpose.RESET_PASSWORD, g.now)
    service.set_password(g.session, account, kept)
    service.notify(g.session, account, g.organisation, what="password", site=addresses().site, now=g.now)
    flash("Votre mot de passe est changé et toutes vos sessions sont fermées. Connectez-vous.", "success")
    return redirect(url_for(".sign_in"), 303)


@bp.get("/mon-compte")
@signed_in
def show() -> ResponseReturnValue:
    account = queries.own_account(g.session, g.account_id)
    return render_template("accounts/show.html", account=account)


def _second_factor_first(session: Session, account_id: uuid.UUID) -> ResponseReturnValue | None:
    """Staff who enrolled a second factor give it before their password may be changed."""
    if not g.actor.second_factor_due or g.identity.second_factor_at is not None:
        return None
    enrolled = queries.has_second_factor(session, account_id)
    return redirect(url_for(".second_factor.show"), 303) if enrolled else None


@bp.get("/mon-compte/mot-de-passe")
@password_suffices
def password() -> ResponseReturnValue:
    first = _second_factor_first(g.session, g.account_id)
    if first is not None:
        return first
    staff = bool(queries.staff_roles(g.session, g.account_id))
    return render_template("accounts/password.html", form=ChangePasswordForm(staff=staff))


@bp.post("/mon-compte/mot-de-passe")
@password_suffices
@limiter.limit("20/hour", key_func=account_or_address)
def change_password() -> ResponseReturnValue:
    with _reading().transaction(tenant=g.organisation.id, write=False) as reading:
        account = queries.own_account(reading, g.account_id)
        context = (account.pseudonym, account.email or "", g.organisation.name)
        staff = bool(queries.staff_roles(reading, account.id))
        current_hash, first = account.password_hash, _second_factor_first(reading, account.id)
    if first is not None:
        return first
    form = ChangePasswordForm(request.form, context=context, staff=staff)
    acceptable = form.validate()
    if acceptable and not passwords.matches(current_hash, form.current.data):
        form.current.errors = ["Ce n’est pas votre mot de passe actuel."]
        acceptable = False
    if not acceptable:
        return render_template("accounts/password.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    kept = passwords.keep(form.password.data, staff=staff, context=context)
    account = queries.own_account(g.session, g.account_id)
    service.set_password(g.session, account, kept, keep=g.identity.login_session_id)
    service.notify(g.session, account, g.organisation, what="password", site=addresses().site, now=g.now)
    flash("Votre mot de passe est changé ; vos autres sessions sont fermées.", "success")
    return redirect(url_for(".show"), 303)


@bp.get("/mon-compte/sessions")
@signed_in
def sessions() -> ResponseReturnValue:
    opened = queries.open_sessions(g.session, g.account_id, g.now)
    return render_template("accounts/sessions.html", sessions=opened, current=g.identity.login_session_id)


@bp.post("/mon-compte/sessions/<uuid:session_id>/fermer")
@signed_in
@limited
def close_session(session_id: uuid.UUID) -> ResponseReturnValue:
    if not service.close_session(g.session, g.account_id, session_id):
        raise NotFoundError("Cette session est déjà fermée.")
    flash("La session est fermée.", "success")
    return redirect(url_for(".sessions"), 303)


@bp.post("/mon-compte/sessions/fermer")
@signed_in
@limited
def close_sessions() -> ResponseReturnValue:
    service.close_sessions(g.session, g.account_id)
    forget()
    flash("Vous êtes déconnecté partout.", "success")
    response = redirect(url_for(".sign_in"), 303)
    response.delete_cookie(**policy.session_cookie(_settings()).absent())
    return response
