"""Asking for a right, signed in or not, following it; and, for the administration, answering."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, TypeAlias

from flask import Blueprint, current_app, flash, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import Form

from consult import pagecache
from consult.accounts import policy as accounts
from consult.accounts import queries as account_queries
from consult.accounts.models import Account
from consult.accounts.sign_up import service as sign_up
from consult.accounts.sign_up.policy import check_robot, stamp
from consult.accounts.sign_up.views import addresses
from consult.actor import Role
from consult.db import survives
from consult.errors import ConsultError, InvalidError, NotFoundError
from consult.labels import date
from consult.paging import page_number
from consult.privacy.rights import labels, policy, queries, service
from consult.privacy.rights.forms import AnswerForm, ExtendForm, LiftForm, RequestForm, VisitorForm
from consult.privacy.rights.models import Outcome, Right, RightsRequest
from consult.protocols import ContentType
from consult.security import account_or_address, anyone, limited, limiter, signed_in, staff
from consult.settings import Settings

bp = Blueprint("rights", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ANSWERED: Final = "traitees"
administrator = staff(Role.ADMINISTRATOR)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _content_types() -> Mapping[str, ContentType]:
    types: Mapping[str, ContentType] = current_app.extensions["bindings"].content_types
    return types


def _words() -> dict[str, Any]:
    """What every page of a request names."""
    return {
        "names": labels.NAMES,
        "meanings": labels.MEANINGS,
        "states": labels.STATES,
        "state": lambda each: policy.state(each, g.now),
        "in_force": policy.in_force,
        "cnil": labels.CNIL,
    }


def _put(form: Form, refusal: ConsultError) -> int:
    form.form_errors.append(refusal.message)
    return refusal.status


# A person with an account -------------------------------------------------------------------------------------------


@bp.get("/mon-compte/droits")
@signed_in
def mine() -> View:
    """What each right is, what can be done at once, the form, and what became of earlier requests."""
    return _mine(RequestForm())


@bp.post("/mon-compte/droits")
@signed_in
@limiter.limit("20/hour", key_func=account_or_address)
def ask() -> View:
    """Send a request."""
    form = RequestForm(request.form)
    if not form.validate():
        return _mine(form, HTTPStatus.UNPROCESSABLE_ENTITY)
    right, site = Right(form.right.data), addresses().site
    try:
        sent = service.ask(g.session, g.organisation, g.account_id, right, form.statement.data, site=site, now=g.now)
    except ConsultError as refusal:
        return _mine(form, _put(form, refusal))
    until = date(sent.due_on or g.now)
    flash(f"Votre demande est enregistrée. La réponse vous parviendra au plus tard le {until}.", "success")
    return redirect(url_for(".mine"), 303)


@bp.post("/mon-compte/droits/<uuid:request_id>/lever")
@signed_in
@limited
def lift_mine(request_id: uuid.UUID) -> View:
    """End one's own limitation or objection: the texts are shown again."""
    if not queries.is_of(g.session, request_id, g.account_id):
        raise NotFoundError(service.UNKNOWN)
    _lift(request_id, "")
    flash("La mesure est levée.", "success")
    return redirect(url_for(".mine"), 303)


def _mine(form: RequestForm, status: int = HTTPStatus.OK) -> View:
    asked = queries.of_account(g.session, g.account_id, page=page_number(request.args))
    account = account_queries.own_account(g.session, g.account_id)
    page = render_template(
        "privacy/rights/mine.html",
        form=form,
        requests=asked,
        account=account,
        page_url=lambda n: url_for(".mine", page=n),
        **_words(),
    )
    return page, status


def _lift(request_id: uuid.UUID, words: str) -> None:
    service.lift(
        g.session,
        g.organisation,
        _content_types(),
        request_id,
        site=addresses().site,
        now=g.now,
        actor=g.actor,
        words=words,
    )
    pagecache.purge()


# Somebody without account -------------------------------------------------------------------------------------------


@bp.get("/droits")
@anyone
def visitor() -> View:
    """The form of those who have no account."""
    if g.account_id is not None:
        return redirect(url_for(".mine"), 303)
    return _visitor(VisitorForm())


@bp.post("/droits")
@anyone
@limiter.limit("60/hour")
@limiter.limit("10/hour", exempt_when=lambda: bool(request.form.get("proof")))
def ask_as_visitor() -> View:
    """Send a link to the address that was typed, whoever holds it."""
    settings, form = _settings(), VisitorForm(request.form)
    acceptable = form.validate()
    try:
        spent = check_robot(
            proof=form.proof.data or "", stamp=form.stamp.data or "", secret=settings.secret_key, now=g.now
        )
        survives(g.session, lambda session: sign_up.remember_spent(session, spent))
        if not acceptable:
            return _visitor(form, HTTPStatus.UNPROCESSABLE_ENTITY)
        sign_up.spend(g.session, spent)
        service.ask_without_account(
            g.session,
            g.organisation,
            email=form.email.data,
            right=Right(form.right.data),
            statement=form.statement.data,
            mailbox=accounts.mailbox(form.email.data, settings),
            site=addresses().site,
            now=g.now,
        )
    except InvalidError as refusal:
        return _visitor(form, _put(form, refusal))
    flash(
        "Un message part vers cette adresse\u00a0: suivez le lien qu’il contient pour envoyer votre demande. S’il "
        "n’arrive pas, recommencez demain\u00a0: le nombre d’envois vers une adresse est limité.",
        "success",
    )
    return redirect(url_for(".visitor"), 303)


@bp.get("/droits/<token>")
@anyone
def follow(token: str) -> View:
    """A visitor's request: to confirm, then to follow."""
    found = queries.by_token(g.session, token)
    if found is None:
        raise NotFoundError(service.UNKNOWN)
    return _unkept(render_template("privacy/rights/follow.html", asked=found, token=token, **_words()))


@bp.post("/droits/<token>")
@anyone
@limiter.limit("30/minute")
def confirm(token: str) -> View:
    """Send the request, the address being proved."""
    service.confirm(g.session, g.organisation, token, site=addresses().site, now=g.now)
    return _unkept(redirect(url_for(".follow", token=token), 303))


def _unkept(reply: str | Response) -> Response:
    """Whoever uses this browser next must find neither the request nor the link that opens it."""
    response = make_response(reply)
    response.headers["Cache-Control"] = "no-store"
    return response


def _visitor(form: VisitorForm, status: int = HTTPStatus.OK) -> View:
    form.stamp.data, form.proof.data = stamp(_settings().secret_key, g.now), ""
    return render_template("privacy/rights/visitor.html", form=form, **_words()), status


# The administration -------------------------------------------------------------------------------------------------


@bp.get("/gestion/droits")
@administrator
def listing() -> View:
    """The requests that wait, the first due first; or those answered, the last first."""
    answered = request.args.get("etat") == ANSWERED
    read = queries.answered if answered else queries.waiting
    return render_template(
        "privacy/rights/listing.html",
        answered=answered,
        listed=read(g.session, page=page_number(request.args)),
        page_url=lambda n: url_for(".listing", etat=ANSWERED if answered else None, page=n),
        answered_url=url_for(".listing", etat=ANSWERED),
        **_words(),
    )


@bp.get("/gestion/droits/<uuid:request_id>")
@administrator
def examine(request_id: uuid.UUID) -> View:
    """One request, and what may be done of it."""
    return _examine(request_id, {})


@bp.post("/gestion/droits/<uuid:request_id>")
@administrator
@limited
def decide(request_id: uuid.UUID) -> View:
    """Answer, take more time, or lift."""
    act = request.form.get("act", "")
    form = _FORMS.get(act, AnswerForm)(request.form, prefix=act if act in _FORMS else "answer")
    if not form.validate():
        return _examine(request_id, {act: form}, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        done = _decide(request_id, act, form)
    except ConsultError as refusal:
        if isinstance(refusal, NotFoundError):
            raise
        return _examine(request_id, {act: form}, _put(form, refusal))
    flash(done, "success")
    return redirect(url_for(".examine", request_id=request_id), 303)


_FORMS: Mapping[str, type[Form]] = {"answer": AnswerForm, "extend": ExtendForm, "lift": LiftForm}


def _decide(request_id: uuid.UUID, act: str, form: Form) -> str:
    words, site = form.words.data, addresses().site
    if act == "lift":
        _lift(request_id, words)
        return "La mesure est levée, la personne en est informée."
    if act == "extend":
        extended = service.extend(g.session, g.organisation, request_id, words, actor=g.actor, site=site, now=g.now)
        return f"Le délai court jusqu’au {date(extended.due_on or g.now)}\u00a0; la personne en est informée."
    service.answer(
        g.session,
        g.organisation,
        _content_types(),
        request_id,
        Outcome(form.outcome.data),
        words,
        actor=g.actor,
        site=site,
        now=g.now,
    )
    pagecache.purge()
    return "La réponse est partie."


def _examine(request_id: uuid.UUID, forms: Mapping[str, Form], status: int = HTTPStatus.OK) -> View:
    found = g.session.get(RightsRequest, request_id)
    if found is None or found.due_on is None:
        raise NotFoundError(service.UNKNOWN)
    possible = {
        "answer": found.outcome is None,
        "extend": policy.may_extend(found, g.now),
        "lift": policy.in_force(found),
    }
    page = render_template(
        "privacy/rights/examine.html",
        asked=found,
        account=g.session.get(Account, found.account_id) if found.account_id else None,
        forms={act: forms.get(act) or _FORMS[act](prefix=act) for act, may in possible.items() if may},
        refused=next(iter(forms.values()), None),
        **_words(),
    )
    return page, status
