"""/mon-compte/pseudonyme."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult import pagecache
from consult.accounts import queries
from consult.accounts.pseudonyms import service
from consult.accounts.pseudonyms.forms import RenameForm
from consult.errors import InvalidError
from consult.organisations.policy import protected_names
from consult.security import account_or_address, limiter, signed_in

bp = Blueprint("pseudonyms", __name__, url_prefix="/mon-compte/pseudonyme")


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    form = RenameForm(data={"pseudonym": queries.own_account(g.session, g.account_id).pseudonym})
    return render_template("accounts/pseudonym.html", form=form)


@bp.post("")
@signed_in
@limiter.limit("20/hour", key_func=account_or_address)
def rename() -> ResponseReturnValue:
    reserved = protected_names(g.organisation)
    form = RenameForm(request.form, reserved=reserved)
    acceptable = form.validate()
    try:
        if acceptable:
            service.rename(g.session, g.account_id, form.pseudonym.data, reserved=reserved)
    except InvalidError as refusal:
        form.pseudonym.errors = [refusal.message]
    if form.errors:
        return render_template("accounts/pseudonym.html", form=form), HTTPStatus.UNPROCESSABLE_ENTITY
    pagecache.purge()
    flash("Votre pseudonyme est changé partout.", "success")
    return redirect(url_for("accounts.show"), 303)
