"""/mon-compte/adresse."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts import policy, queries
from consult.accounts.passwords import service as passwords
from consult.accounts.profile import service
from consult.accounts.profile.forms import AddressForm
from consult.accounts.sign_up.views import addresses
from consult.db import Database
from consult.errors import ConflictError
from consult.sealing import Keyring
from consult.security import account_or_address, limiter, signed_in
from consult.settings import Settings

bp = Blueprint("profile", __name__)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _keys() -> Keyring:
    return service.keyring(_settings().secret_key)


@bp.get("/mon-compte/adresse")
@signed_in
def address() -> ResponseReturnValue:
    return render_template("accounts/address.html", form=AddressForm())


@bp.post("/mon-compte/adresse")
@signed_in
@limiter.limit("10/hour", key_func=account_or_address)
def ask_address() -> ResponseReturnValue:
    form = AddressForm(request.form)
    database: Database = current_app.extensions["database"]
    # A reading transaction of its own: the password is compared before the writer is taken.
    with database.transaction(tenant=g.organisation.id, write=False) as reading:
        kept = queries.own_account(reading, g.account_id).password_hash
    if form.validate() and not passwords.matches(kept, form.password.data):
        form.password.errors = ["Ce n’est pas votre mot de passe."]
    if form.errors:
        return render_template("accounts/address.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    site = addresses().site
    try:
        service.ask_address(
            g.session,
            g.organisation,
            g.account_id,
            form.email.data,
            keys=_keys(),
            link=lambda token: site + url_for(".confirm_address", token=token).removeprefix(request.script_root),
            mailbox=policy.mailbox(form.email.data, _settings()),
            site=site,
            now=g.now,
        )
    except ConflictError as refusal:
        form.form_errors.append(refusal.message)
        return render_template("accounts/address.html", form=form), refusal.status
    flash(
        "Un lien part vers la nouvelle adresse\u00a0: elle change quand vous l’avez suivi. S’il n’arrive pas, "
        "recommencez demain\u00a0: le nombre d’envois vers une adresse est limité.",
        "success",
    )
    return redirect(url_for("accounts.show"), 303)


@bp.get("/mon-compte/adresse/<token>")
@signed_in
def confirm_address(token: str) -> ResponseReturnValue:
    change = service.asked(g.session, g.account_id, token, keys=_keys(), now=g.now)
    return render_template("accounts/address_confirm.html", email=change.email, token=token)


@bp.post("/mon-compte/adresse/<token>")
@signed_in
@limiter.limit("30/hour", key_func=account_or_address)
def change_address(token: str) -> ResponseReturnValue:
    settings, site = _settings(), addresses().site
    service.change_address(
        g.session,
        g.organisation,
        g.account_id,
        token,
        keys=_keys(),
        tags_differ=settings.email_tags,
        site=site,
        now=g.now,
    )
    flash("Votre adresse est changée. L’ancienne en est informée.", "success")
    return redirect(url_for("accounts.show"), 303)
