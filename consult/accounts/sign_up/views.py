"""Creating an account and confirming its address."""

from __future__ import annotations

from collections import Counter
from typing import Any

from flask import Blueprint, Response, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from consult.accounts import labels, policy, queries
from consult.accounts import service as accounts
from consult.accounts.forms import JoinForm, SignUpForm, TakeOverForm
from consult.accounts.models import Account, TokenPurpose
from consult.accounts.passwords import service as passwords
from consult.accounts.passwords.service import KeptPassword
from consult.accounts.sign_up import service
from consult.accounts.sign_up.policy import challenge, check_robot, stamp
from consult.db import Database, survives
from consult.errors import InvalidError
from consult.logs import security_event
from consult.organisations.policy import protected_names, site_url
from consult.security import account_or_address, anyone, client_address, limiter, signed_in
from consult.settings import Settings

bp = Blueprint("sign_up", __name__)


def addresses(suite: str | None = None) -> service.Addresses:
    """The absolute addresses that mails of this organisation name; `suite`: where a link that signs in leads next."""
    site = site_url(_settings(), g.organisation.slug, at_root=not request.script_root)

    def absolute(endpoint: str, **values: Any) -> str:
        return site + url_for(endpoint, **values).removeprefix(request.script_root)

    return service.Addresses(
        site=site,
        sign_in=absolute("accounts.sign_in"),
        forgotten=absolute("accounts.forgotten"),
        confirm=lambda token: absolute("accounts.sign_up.confirm", token=token),
        way_back={
            TokenPurpose.RESET_PASSWORD: lambda token: absolute("accounts.reset", token=token),
            TokenPurpose.SIGN_IN: lambda token: absolute("accounts.mailed_link.confirm", token=token, suite=suite),
        },
    )


def local(wanted: str | None, default: str = "/") -> str:
    """Where to go next, within this organisation's addresses."""
    path = policy.local_path(wanted, default)
    return path if path.startswith(f"{request.script_root}/") else f"{request.script_root}{path}"


def mail_way_back(email: str, purpose: TokenPurpose, *, suite: str | None = None) -> None:
    """Mail to the address that was typed what lets its holder in; `suite`: where a link that signs in leads next."""
    settings = _settings()
    service.send_way_back(
        g.session,
        g.organisation,
        email=email,
        addresses=addresses(suite=local(suite) if suite else None),
        purpose=purpose,
        mailbox=policy.mailbox(email, settings),
        tags_differ=settings.email_tags,
        now=g.now,
    )


def signed_in_response(response: Any, token: str) -> Response:
    """The reply with the cookie of a new session."""
    settings = _settings()
    kept: Response = current_app.make_response(response)
    kept.set_cookie(**policy.session_cookie(settings).holding(token, days=settings.session_days))
    return kept


def join(form: JoinForm, password: KeptPassword | None) -> Account:
    """Create the account that a form asks for, and mail to its address. Raises InvalidError naming the field."""
    settings = _settings()
    return service.sign_up(
        g.session,
        g.organisation,
        email=form.email.data,
        pseudonym=form.pseudonym.data,
        password=password,
        addresses=addresses(),
        mailbox=policy.mailbox(form.email.data, settings),
        tags_differ=settings.email_tags,
        now=g.now,
    )


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _form() -> SignUpForm:
    return SignUpForm(request.form, reserved=protected_names(g.organisation))


def _page(form: SignUpForm, status: int = 200) -> ResponseReturnValue:
    settings = _settings()
    form.stamp.data, form.proof.data = stamp(settings.secret_key, g.now), ""
    suite = request.values.get("suite", "")
    return render_template("accounts/sign_up.html", form=form, suite=suite), status


@bp.get("/inscription")
@anyone
def show() -> ResponseReturnValue:
    if g.account_id is not None:
        return redirect(local(request.args.get("suite"), "/mon-compte"), 303)
    return _page(_form())


@bp.get("/inscription/defi")
@anyone
@limiter.limit("120/minute")
def ask_proof() -> ResponseReturnValue:
    settings = _settings()
    response = jsonify(challenge(settings.secret_key, max_number=settings.altcha_max_number, now=g.now))
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.post("/inscription")
@anyone
@limiter.limit("60/hour")
@limiter.limit("10/hour", exempt_when=lambda: bool(request.form.get("proof")))
def create() -> ResponseReturnValue:
    settings, form = _settings(), _form()
    acceptable = form.validate()
    try:
        spent = check_robot(
            proof=form.proof.data or "", stamp=form.stamp.data or "", secret=settings.secret_key, now=g.now
        )
        survives(g.session, lambda session: service.remember_spent(session, spent))
        if not acceptable:
            return _page(form, 422)
        password = passwords.keep(form.password.data)
        service.spend(g.session, spent)
        account = join(form, password)
    except InvalidError as error:
        return _refused(form, error)
    token, _ = accounts.open_session(
        g.session,
        account,
        now=g.now,
        life=policy.session_life((), settings),
        browser=policy.browser_name(request.user_agent.string),
    )
    return signed_in_response(redirect(url_for(".sent", suite=request.form.get("suite") or None), 303), token)


def _refused(form: SignUpForm, error: InvalidError) -> ResponseReturnValue:
    for name, reason in error.fields.items():
        form[name].errors = [reason]
    if not error.fields:
        form.form_errors.append(error.message)
    return _page(form, 422)


@bp.get("/inscription/envoyee")
@signed_in
def sent() -> ResponseReturnValue:
    suite = local(request.args.get("suite"), "/consultations")
    return render_template("accounts/confirmation_sent.html", suite=suite)


@bp.post("/inscription/renvoyer")
@signed_in
@limiter.limit("10/hour", key_func=account_or_address)
def send_again() -> ResponseReturnValue:
    account = queries.own_account(g.session, g.account_id)
    if account.confirmed_at is None and account.email_key:
        known = queries.confirmed_account(g.session, account.email_key) is not None
        service.send_confirmation(
            g.session,
            g.organisation,
            account,
            addresses=addresses(),
            mailbox=policy.mailbox(account.email_key, _settings()),
            known=known,
            now=g.now,
        )
    flash(
        "Un nouveau lien part vers votre adresse. S’il n’arrive pas, suivez le dernier reçu\u00a0: le nombre d’envois "
        "vers une adresse est limité.",
        "success",
    )
    return redirect(url_for(".sent"), 303)


@bp.get("/inscription/confirmer/<token>")
@anyone
def confirm(token: str) -> ResponseReturnValue:
    account = service.waiting(g.session, token, g.now)
    form = None if g.account_id == account.id else _take_over_form(g.session, account, None)
    return render_template("accounts/confirm.html", token=token, pseudonym=account.pseudonym, form=form)


@bp.post("/inscription/confirmer/<token>")
@anyone
@limiter.limit("30/minute")
def confirm_now(token: str) -> ResponseReturnValue:
    database: Database = current_app.extensions["database"]
    # A reading transaction of its own: the password is hashed before the writer is taken.
    with database.transaction(tenant=g.organisation.id, write=False) as reading:
        account = service.waiting(reading, token, g.now)
        form = None if g.account_id == account.id else _take_over_form(reading, account, request.form)
        pseudonym = account.pseudonym
    if form is None:
        account = service.confirm(g.session, token, g.now)
        _confirmed(account)
        flash("Votre adresse est confirmée. Les votes déjà donnés viennent d’être comptés.", "success")
        return redirect(url_for("accounts.show"), 303)
    if not form.validate():
        return render_template("accounts/confirm.html", token=token, pseudonym=pseudonym, form=form), 422
    return _take_over(token, form)


def _take_over_form(session: Session, account: Account, typed: Any) -> TakeOverForm:
    """What is asked of a browser that is not signed in to the account: anyone may have signed up with that address."""
    prepared: Counter[str] = Counter()
    for count in current_app.extensions["prepared_before_confirmation"]:
        prepared.update(count(session, account.id))
    context = (account.pseudonym, account.email or "", g.organisation.name)
    return TakeOverForm(typed, context=context, prepared=labels.prepared(prepared))


def _take_over(token: str, form: TakeOverForm) -> ResponseReturnValue:
    account = service.take_over(
        g.session,
        token,
        password=passwords.keep(form.password.data, context=form.context),
        erasures=() if form.publishes else current_app.extensions["erased_before_confirmation"],
        now=g.now,
    )
    if g.account_id is None:
        g.signed_in_as = account.id  # for the security journal: this request began anonymous
    security_event(
        "accounts.taken_over",
        account=str(account.id),
        address=client_address(),
        organisation=g.organisation.slug,
        prepared="published" if form.publishes else "deleted",
    )
    _confirmed(account)
    accounts.notify(g.session, account, g.organisation, what="password", site=addresses().site, now=g.now)
    flash(
        f"L’adresse du compte «\u202f{account.pseudonym}\u202f» est confirmée, son mot de passe est enregistré. "
        f"{form.outcome} Connectez-vous.",
        "success",
    )
    return redirect(url_for("accounts.sign_in"), 303)


def _confirmed(account: Account) -> None:
    """Have the layers above publish and count what waited for the address."""
    for hook in current_app.extensions["on_account_confirmed"]:
        hook(g.session, account.id, g.now)
