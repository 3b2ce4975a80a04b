"""The person's own pages: what is held, as a page and as a file; the end of the account."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, TypeAlias

from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consult import pagecache
from consult.accounts import policy as accounts_policy
from consult.accounts import queries as accounts
from consult.accounts.access import service as access
from consult.accounts.passwords import service as passwords
from consult.accounts.sign_up.views import addresses
from consult.actor import ORGANISATION_ROLES
from consult.consultations import queries as consultations
from consult.db import Database
from consult.errors import ConflictError
from consult.labels import PARIS
from consult.privacy import queries, service
from consult.privacy.forms import EraseForm
from consult.privacy.models import ErasureMode
from consult.protocols import Bindings
from consult.security import account_or_address, anyone, limiter, signed_in
from consult.settings import Settings

bp = Blueprint("privacy", __name__)
View: TypeAlias = str | AnyResponse | tuple[str, int]


def _bindings() -> Bindings:
    found: Bindings = current_app.extensions["bindings"]
    return found


@bp.get("/mon-compte/donnees")
@signed_in
def show() -> View:
    """What is held about this person, why and how long."""
    exported = service.export_account(g.session, _bindings(), g.account_id, g.now)
    held: list[dict[str, Any]] = []
    empty: list[dict[str, Any]] = []
    for each in reversed(exported["tables"].values()):  # the account first
        (held if each["rows"] else empty).append(each)
    return render_template("privacy/show.html", held=held, empty=empty)


@bp.get("/mon-compte/donnees.json")
@signed_in
@limiter.limit("60/hour", key_func=account_or_address)
def download() -> View:
    """All of it, as a file."""
    exported = service.export_account(g.session, _bindings(), g.account_id, g.now)
    document = {"organisation": g.organisation.name, **exported}
    response = Response(json.dumps(document, ensure_ascii=False, indent=2) + "\n", mimetype="application/json")
    day = g.now.astimezone(PARIS).date().isoformat()
    response.headers["Content-Disposition"] = f'attachment; filename="mes-donnees-{day}.json"'
    return response


@bp.get("/mon-compte/supprimer")
@signed_in
def erase() -> View:
    """What will happen, and the form."""
    return _erase_page(EraseForm())


@bp.post("/mon-compte/supprimer")
@signed_in
@limiter.limit("10/hour", key_func=account_or_address)
def erase_now() -> View:
    """Erase the account, once its password is given again."""
    form = EraseForm(request.form)
    database: Database = current_app.extensions["database"]
    # A reading transaction of its own: the password is compared before the writer is taken.
    with database.transaction(tenant=g.organisation.id, write=False) as reading:
        kept = accounts.own_account(reading, g.account_id).password_hash
        roles = accounts.staff_roles(reading, g.account_id)
    if form.validate() and not passwords.matches(kept, form.password.data):
        form.password.errors = ["Ce n’est pas votre mot de passe."]
    if form.errors:
        return _erase_page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    account = accounts.own_account(g.session, g.account_id)
    mode, address = ErasureMode(form.mode.data), account.email
    try:
        service.erase_account(g.session, _bindings(), account, mode=mode, now=g.now)
    except ConflictError as refusal:
        form.form_errors.append(refusal.message)
        return _erase_page(form, refusal.status)
    if roles & ORGANISATION_ROLES and account.organisation_id == g.organisation.id:
        titles = consultations.titles(g.session)
        access.send_register(g.session, g.organisation, titles, site=addresses().site, now=g.now)
    if address and account.organisation_id == g.organisation.id:
        service.tell_erased(g.session, g.organisation, address, mode, site=addresses().site, now=g.now)
    pagecache.purge()
    response = redirect(url_for(".erased"), 303)
    settings: Settings = current_app.extensions["settings"]
    response.delete_cookie(**accounts_policy.session_cookie(settings).absent())
    return response


def _erase_page(form: EraseForm, status: int = HTTPStatus.OK) -> View:
    counts = queries.counts(g.session, g.account_id)
    return render_template("privacy/erase.html", form=form, counts=counts, staff=g.actor.is_staff), status


@bp.get("/compte-supprime")
@anyone
def erased() -> View:
    """The end."""
    return render_template("privacy/erased.html")
