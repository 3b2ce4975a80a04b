"""/mon-compte/courriels: every mail there is, those that are wanted; and where the link of a mail leads."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts import queries
from consult.accounts.models import Account
from consult.accounts.notices import policy, service
from consult.accounts.notices.forms import choices_form
from consult.accounts.notices.policy import Notice
from consult.accounts.sign_up.views import addresses
from consult.security import account_or_address, anyone, limiter, signed_in
from consult.settings import Settings

bp = Blueprint("notices", __name__, url_prefix="/mon-compte/courriels")
KEPT: Final = "Vos choix sont enregistrés."


def sender() -> service.Sender:
    """Who writes, in this request."""
    return service.Sender(g.organisation, addresses().site, _secret())


def _secret() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.secret_key


def _concerning(account: Account) -> list[Notice]:
    """The notices that this person may ever receive, by the roles they hold."""
    roles = queries.staff_roles(g.session, account.id)
    return [notice for notice in policy.NOTICES if notice.concerns(roles)]


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    account = queries.own_account(g.session, g.account_id)
    notices = _concerning(account)
    form = choices_form([notice for notice in notices if notice.column], obj=account)
    return render_template(
        "accounts/notices.html", form=form, account=account, always=[each for each in notices if not each.column]
    )


@bp.post("")
@signed_in
@limiter.limit("60/hour", key_func=account_or_address)
def choose() -> ResponseReturnValue:
    account = queries.own_account(g.session, g.account_id)
    offered = [notice for notice in _concerning(account) if notice.column]
    form = choices_form(offered, request.form)
    service.choose(g.session, g.account_id, offered, [field.name for field in form if field.data])
    flash(KEPT, "success")
    return redirect(url_for(".show"), 303)


@bp.get("/<token>")
@anyone
def ask(token: str) -> ResponseReturnValue:
    """Where the link of a mail leads: nothing changes before the button is pressed."""
    account, notice = service.declined_by(g.session, _secret(), token)
    return render_template("accounts/decline.html", token=token, notice=notice, told=policy.wants(account, notice))


@bp.post("/<token>")
@anyone
@limiter.limit("30/hour")
def decline(token: str) -> ResponseReturnValue:
    """Send these mails no more, whoever is signed in."""
    account, notice = service.declined_by(g.session, _secret(), token)
    service.choose(g.session, account.id, [notice], [])
    flash("Ces courriels ne vous seront plus envoyés.", "success")
    return redirect(url_for(".ask", token=token), 303)
