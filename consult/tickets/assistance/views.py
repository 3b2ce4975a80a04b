"""/assistance: the form, signed in or not, and the page of one request, that its secret link opens."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, TypeAlias

from flask import Blueprint, current_app, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts import policy as accounts
from consult.accounts.notices.views import sender
from consult.accounts.sign_up import service as sign_up
from consult.accounts.sign_up.policy import check_robot, stamp
from consult.consultations.forms import put_errors
from consult.db import survives
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.security import anyone, limiter
from consult.tickets import queries as tickets
from consult.tickets.assistance import links, queries, service
from consult.tickets.assistance.forms import HelpForm, MessageForm, VisitorForm
from consult.tickets.assistance.models import HelpRequest, Topic
from consult.tickets.models import Kind, Side

bp = Blueprint("assistance", __name__, url_prefix="/assistance")
View: TypeAlias = str | Response | tuple[str, int]
UNKNOWN: Final = "Aucune demande n’est à cette adresse. Vérifiez que le lien est complet."


@bp.get("")
@anyone
def show() -> View:
    """The form."""
    topic = request.args.get("sujet", "")
    chosen = {"topic": topic} if topic in set(Topic) else {}
    return _form(VisitorForm(data=chosen) if g.account_id is None else HelpForm(data=chosen))


@bp.post("")
@anyone
@limiter.limit("60/hour")
@limiter.limit("10/hour", exempt_when=lambda: bool(request.form.get("proof")))
def ask() -> View:
    """Open a ticket, or send a link to the address that was typed, whoever holds it."""
    if g.account_id is None:
        return _ask_as_visitor(VisitorForm(request.form))
    form = HelpForm(request.form)
    if not form.validate():
        return _form(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        asked = service.ask(
            g.session, g.account_id, Topic(form.topic.data), form.body.data, sender=sender(), now=g.now
        )  # fmt: skip
    except (InvalidError, ConflictError) as refusal:
        return _refused(form, refusal)
    flash("Votre demande est envoyée. La réponse viendra par courriel et sur cette page.", "success")
    return _unkept(redirect(url_for(".follow", token=links.token(_secret(), asked.id)), 303))


def _ask_as_visitor(form: VisitorForm) -> View:
    acceptable = form.validate()
    try:
        spent = check_robot(proof=form.proof.data or "", stamp=form.stamp.data or "", secret=_secret(), now=g.now)
        survives(g.session, lambda session: sign_up.remember_spent(session, spent))
        if not acceptable:
            return _form(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        sign_up.spend(g.session, spent)
        service.ask_without_account(
            g.session, form.email.data, Topic(form.topic.data), form.body.data,
            mailbox=accounts.mailbox(form.email.data, current_app.extensions["settings"]), sender=sender(), now=g.now,
        )  # fmt: skip
    except InvalidError as refusal:
        return _refused(form, refusal)
    flash(
        "Un message part vers cette adresse\u00a0: suivez le lien qu’il contient pour envoyer votre demande. S’il "
        "n’arrive pas, recommencez demain\u00a0: le nombre d’envois vers une adresse est limité.",
        "success",
    )
    return redirect(url_for(".show"), 303)


@bp.get("/<token>")
@anyone
def follow(token: str) -> View:
    """One request: to confirm, then its thread."""
    return _unkept(_page(_asked(token), token, MessageForm()))


@bp.post("/<token>")
@anyone
@limiter.limit("30/minute")
def confirm(token: str) -> View:
    """Send a visitor's request, the address being proved."""
    service.confirm(g.session, _asked(token, lock=True), sender=sender(), now=g.now)
    return _unkept(redirect(url_for(".follow", token=token), 303))


@bp.post("/<token>/messages")
@anyone
@limiter.limit("20/hour")
def say(token: str) -> View:
    """Add a message to the thread."""
    asked, form = _asked(token), MessageForm(request.form)
    if asked.ticket_id is None:
        raise NotFoundError(UNKNOWN)
    if form.validate():
        try:
            service.say(g.session, tickets.one(g.session, asked.ticket_id), form.body.data, sender=sender(), now=g.now)
        except (InvalidError, ConflictError) as refusal:
            put_errors(form, refusal)
        else:
            flash("Votre message est envoyé.", "success")
            return _unkept(redirect(url_for(".follow", token=token), 303))
    return _unkept((_page(asked, token, form), HTTPStatus.UNPROCESSABLE_ENTITY))


# Parts of a page ----------------------------------------------------------------------------------------------------


def _secret() -> str:
    secret: str = current_app.extensions["settings"].secret_key
    return secret


def _asked(token: str, *, lock: bool = False) -> HelpRequest:
    found = queries.by_token(g.session, _secret(), token, lock=lock)
    if found is None:
        raise NotFoundError(UNKNOWN)
    return found


def _form(form: Any, status: int = HTTPStatus.OK) -> View:
    if isinstance(form, VisitorForm):
        form.stamp.data, form.proof.data = stamp(_secret(), g.now), ""
    return render_template("tickets/assistance/form.html", form=form), status


def _refused(form: Any, refusal: InvalidError | ConflictError) -> View:
    put_errors(form, refusal)
    return _form(form, refusal.status)


def _page(asked: HelpRequest, token: str, form: MessageForm) -> str:
    return render_template(
        "tickets/assistance/follow.html",
        asked=asked,
        ticket=tickets.one(g.session, asked.ticket_id) if asked.ticket_id else None,
        token=token,
        form=form,
        requester=Side.REQUESTER,
        accessibility=Kind.ACCESSIBILITY,
    )


def _unkept(reply: str | Response | tuple[str, int]) -> Response:
    """Whoever uses this browser next must find neither the request nor the link that opens it."""
    response = make_response(reply)
    response.headers["Cache-Control"] = "no-store"
    return response
