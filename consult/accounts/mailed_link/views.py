"""/connexion/lien: ask for a link, then open it and press a button: programs that read mails spend none."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts import queries, service
from consult.accounts.entry import enter
from consult.accounts.forms import EmailForm
from consult.accounts.models import TokenPurpose
from consult.accounts.sign_up.views import mail_way_back
from consult.errors import GoneError
from consult.security import anyone, limiter

bp = Blueprint("mailed_link", __name__, url_prefix="/connexion/lien")
OVER = "Ce lien a déjà servi ou a expiré. Demandez-en un autre depuis la page de connexion."


@bp.get("")
@anyone
def show() -> ResponseReturnValue:
    return _page(EmailForm())


def _page(form: EmailForm, status: HTTPStatus = HTTPStatus.OK) -> ResponseReturnValue:
    page = render_template("accounts/link.html", form=form, suite=request.values.get("suite", ""))
    return page, status


@bp.post("")
@anyone
@limiter.limit("20/hour")
def send() -> ResponseReturnValue:
    """The same reply whether an account has the address or not (AT-18.6)."""
    form = EmailForm(request.form)
    if not form.validate():
        return _page(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    mail_way_back(form.email.data, TokenPurpose.SIGN_IN, suite=request.form.get("suite"))
    flash(
        "Un message part vers cette adresse\u00a0: suivez son lien dans le quart d’heure. S’il n’arrive pas, suivez "
        "celui du dernier message reçu\u00a0: le nombre d’envois vers une adresse est limité.",
        "success",
    )
    return redirect(url_for("accounts.sign_in"), 303)


@bp.get("/<token>")
@anyone
def confirm(token: str) -> ResponseReturnValue:
    account = queries.token_account(g.session, token, TokenPurpose.SIGN_IN, g.now)
    if account is None:
        raise GoneError(OVER)
    suite = request.args.get("suite", "")
    return render_template("accounts/link_confirm.html", pseudonym=account.pseudonym, token=token, suite=suite)


@bp.post("/<token>")
@anyone
@limiter.limit("30/hour")
def sign_in(token: str) -> ResponseReturnValue:
    account = service.spend_link(g.session, token, TokenPurpose.SIGN_IN, g.now)
    return enter(account, request.form.get("suite"))
