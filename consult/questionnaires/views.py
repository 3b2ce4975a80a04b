"""Pages of a questionnaire on which one acts: its step, the form, the withdrawal of one's own reply."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Final, TypeAlias

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask import session as browser_session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from consult import db
from consult.actor import Actor
from consult.consultations import figures
from consult.consultations import policy as consultation_policy
from consult.consultations import queries as consultations
from consult.consultations.models import ContentStatus, Step
from consult.errors import (
    ClosedError,
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    TooManyError,
)
from consult.pagecache import purge
from consult.questionnaires import conditions, drafts, forms, kinds, labels, policy, queries, reading, service
from consult.questionnaires.anonymous import urns
from consult.questionnaires.builder.views import bp as builder
from consult.questionnaires.by_code import sending
from consult.questionnaires.by_code import service as held
from consult.questionnaires.by_code.views import bp as by_code
from consult.questionnaires.filling import Filling
from consult.questionnaires.invitations.manage.views import bp as invitations_desk
from consult.questionnaires.invitations.views import bp as invitations
from consult.questionnaires.invitations.views import held_here
from consult.questionnaires.pictures.views import bp as pictures
from consult.questionnaires.policy import Access
from consult.questionnaires.printing.views import bp as printing
from consult.registry import queries as registry
from consult.sealing import Keyring
from consult.security import account_or_address, address_key, anyone, digest, limiter, new_token, signed_in

bp = reading.bp  # one blueprint: those pages and these
bp.register_blueprint(builder)
bp.register_blueprint(by_code)
bp.register_blueprint(pictures)
bp.register_blueprint(invitations)
bp.register_blueprint(invitations_desk)
bp.register_blueprint(printing)
View: TypeAlias = str | AnyResponse | tuple[str, int]
DRAFT_COOKIE: Final = "draft"  # key of the signed form cookie: the token of what this browser has begun to answer


def step_page(session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
    """The public page of a questionnaire step: what is asked, who will see the answers, how to take part."""
    del arguments
    reply = queries.own_reply(session, step.id, actor.account_id) if actor.account_id else None
    questions = queries.questions(session, step.id)
    return render_template(
        "questionnaires/step.html",
        step=step,
        questions=questions,
        earlier=queries.earlier_texts(session, [each.id for each in questions if each.version > 1]),
        state=consultation_policy.step_state(step, step.consultation, now).value,
        reply=reply,
        anonymous=policy.is_anonymous(step),
        access=policy.access(step).value,
        final=policy.is_final(step),
        replied=actor.account_id is not None and held.has_replied(session, step.id, actor.account_id),
        least=urns.LEAST,
        census=figures.of_step(session, step, service.census),
        position=registry.counted(session),
        obstacle=policy.obstacle(questions),
        labels=labels,
    )


# The form -----------------------------------------------------------------------------------------------------------


def _filling(slug: str, step_slug: str) -> Filling:
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    questions = queries.questions(g.session, step.id) if step.kind == "questionnaire" else []
    if not questions:
        raise NotFoundError("Aucun questionnaire n’est publié à cette adresse.")
    reply = queries.own_reply(g.session, step.id, g.account_id) if g.account_id else None
    answers = queries.answers_of(g.session, reply.id) if reply else {}
    kept = drafts.kept(g.session, step, _holder(step))
    return Filling(step, questions, reply, answers | policy.from_json(kept, questions))


@bp.get("/consultations/<slug>/<step_slug>/repondre")
@anyone
def reply_form(slug: str, step_slug: str) -> View:
    """A page of the form, filled with what this person has answered so far."""
    filling = _filling(slug, step_slug)
    replied = held.has_replied(g.session, filling.step.id, g.account_id)
    if (
        replied
        or filling.settled
        or policy.obstacle(filling.questions)
        or not consultation_policy.accepts_acts(filling.step, filling.step.consultation, g.now)
    ):
        return redirect(_step_address(filling.step), 303)
    if filling.access is Access.INVITATIONS:
        invited = sending.invitation(filling)
        if invited is None or invited.used:
            return redirect(url_for(".invitations.show", code=held_here(filling.step.id) or None), 303)
    return _render(filling, filling.reached(request.args.get("page", "1")))


@bp.post("/consultations/<slug>/<step_slug>/repondre")
@anyone
@limiter.limit("60/minute", key_func=account_or_address)
@limiter.limit("300/hour", exempt_when=sending.proves_nothing)
@limiter.limit("30/hour", exempt_when=lambda: sending.proves_nothing() or bool(request.form.get("proof")))
def reply(slug: str, step_slug: str) -> View:
    """Take one page of answers: keep it, and go on, come back, or send the whole."""
    filling = _filling(slug, step_slug)
    page = filling.number(request.form.get("page", "1"))
    here = filling.shown(page)
    filling.answers |= forms.read_page(here, request.form)
    unfit = _unfit(filling, page)
    if unfit is not None:
        return unfit
    action = request.form.get("action", "send")
    if action in {"previous", "save"}:
        back = filling.previous(page) if action == "previous" else page
        return _keep_and_go(filling, page, back, _kept(filling) if action == "save" else "")
    following = filling.following(page)
    refused = policy.errors(filling.questions, filling.answers)
    if following or action == "next" or _must_sign_in(filling):
        refused = {question.id: refused[question.id] for question in here if question.id in refused}
    traced = {} if refused or "sure" in request.form else policy.traced(here, filling.answers)
    if refused or traced:
        _keep_anyway(filling)
        shown = filling.page_of(refused) if refused else page
        return _render(filling, shown, refused=refused or traced, traced=bool(traced)), 422
    if following or (action == "next" and page <= len(filling.pages)):
        return _keep_and_go(filling, page, following or len(filling.pages) + 1)
    if _must_sign_in(filling):
        return _keep_and_sign_in(filling, page)
    return _send_by_code(filling, page) if filling.by_code else _send(filling, page)


def _must_sign_in(filling: Filling) -> bool:
    return filling.access is Access.ACCOUNTS and g.account_id is None


def _kept(filling: Filling) -> str:
    """What to tell whoever keeps a draft."""
    if filling.access is Access.INVITATIONS:
        return labels.KEPT_BY_LINK
    if filling.anonymous:
        return labels.KEPT_SEALED
    if _must_sign_in(filling):
        return labels.KEPT
    return labels.KEPT_HERE if filling.by_code else labels.KEPT_BY_ACCOUNT


def _unfit(filling: Filling, page: int) -> View | None:
    """What is answered to a page that cannot be taken as it is, whatever it says: too late, sent already, stale."""
    if not consultation_policy.accepts_acts(filling.step, filling.step.consultation, g.now):
        return _render(filling, page, message=service.CLOSED, closed=True), 403
    if obstacle := policy.obstacle(filling.questions):
        _keep_anyway(filling)
        return _render(filling, page, message=obstacle, closed=True), 403
    if filling.access is Access.INVITATIONS and sending.invitation(filling) is None:
        return _render(filling, page, message=labels.NOT_INVITED, closed=True), 403
    if filling.by_code and sending.sent_already(filling):
        return _replied_already(filling, page)
    if request.form.get("texts", str(filling.texts)) != str(filling.texts):
        _keep_anyway(filling)
        return _render(filling, page, message=labels.CORRECTED), 409
    return None


def _send_by_code(filling: Filling, page: int) -> View:
    """Take the reply and show its code: on this page alone, since nobody here keeps it."""
    try:
        code = sending.send(filling)
    except (ConflictError, ClosedError, ForbiddenError, InvalidError) as error:
        _keep_anyway(filling)
        return _render(filling, page, message=error.message, closed=isinstance(error, ClosedError)), error.status
    drafts.forget(g.session, filling.step, _holder(filling.step))
    return _sent(filling, code)


def _replied_already(filling: Filling, page: int) -> View:
    """Acknowledge again the same page sent again with its code: the first acknowledgement may have been lost."""
    here = [each for each in filling.shown(page) if kinds.of(each).asks and not conditions.of(each)]
    if sending.is_same(filling, {each.id: filling.answers[each.id] for each in here}):
        return _sent(filling, sending.code())
    why = {Access.ACCOUNTS: held.ALREADY, Access.INVITATIONS: held.USED}.get(filling.access, held.SENT_ALREADY)
    return _render(filling, page, message=why, closed=True), 409


def _sent(filling: Filling, code: str) -> str:
    shown = {"step": filling.step, "code": code, "least": urns.LEAST, "anonymous": filling.anonymous}
    return render_template("questionnaires/by_code/sent.html", **shown, final=policy.is_final(filling.step))


def _send(filling: Filling, page: int) -> View:
    seen = request.form.get("seen", "0")
    try:
        sent = service.submit(
            g.session,
            filling.step,
            filling.questions,
            filling.answers,
            actor=g.actor,
            seen=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else 0,  # noqa: PLR2004  # digits
            now=g.now,
        )
    except InvalidError as error:
        refused = {uuid.UUID(key): reason for key, reason in error.fields.items()}
        return _render(filling, filling.page_of(refused), refused=refused), 422
    except (ConflictError, ClosedError) as error:
        _keep_anyway(filling)
        return _render(filling, page, message=error.message, closed=isinstance(error, ClosedError)), error.status
    if sent.status is ContentStatus.PENDING:
        flash(
            "Votre réponse est enregistrée. Elle sera publiée dès que vous aurez confirmé votre adresse électronique, "
            "par le lien du courriel que nous vous avons envoyé.",
            "warning",
        )
    else:
        flash(labels.SENT_FOR_GOOD if policy.is_final(filling.step) else labels.SENT, "success")
    return redirect(_step_address(filling.step), 303)


def _holder(step: Step, *, begins: bool = False) -> drafts.Holder:
    """Who holds a draft of the step; `begins`: give this browser a token, where drafts are its own, if it has none.

    Where replies are tied to no account, the browser alone, or the invitation it came with, whoever is signed in; of an
    anonymous step, its token alone opens what it holds.
    """
    account_id = None if policy.by_code(step) else g.account_id
    invited = held_here(step.id)
    if begins and account_id is None and not invited and DRAFT_COOKIE not in browser_session:
        browser_session[DRAFT_COOKIE] = new_token()
    token = f"invitation\n{invited}" if invited else browser_session.get(DRAFT_COOKIE)
    address = address_key(current_app.extensions["settings"].secret_key)
    seal = Keyring([token or ""], "anonymous draft") if policy.is_anonymous(step) else None
    return drafts.Holder(account_id, digest(token) if token else None, address, seal)


def _keep_anyway(filling: Filling) -> None:
    """Keep what was typed although the request is refused."""
    step_id, answers, holder, now = filling.step.id, filling.answers, _holder(filling.step, begins=True), g.now

    def keep(session: Session) -> None:  # another session: nothing of this one's rows may be used
        step = session.get_one(Step, step_id)
        # The account was erased meanwhile, and nothing of it is to be kept; or it is too much.
        with contextlib.suppress(ForbiddenError, InvalidError, TooManyError):
            drafts.save(session, step, answers, holder, now=now)

    db.survives(g.session, keep)


def _keep_and_go(filling: Filling, page: int, following: int, told: str = "") -> View:
    """Keep what was typed on a page and go to another one; where it cannot be kept, say so and show it again."""
    step = filling.step
    try:
        drafts.save(g.session, step, filling.answers, _holder(step, begins=True), now=g.now)
    except (InvalidError, TooManyError) as error:
        return _render(filling, page, message=error.message), error.status
    if told:
        flash(told, "info")
    target = url_for(".reply_form", slug=step.consultation.slug, step_slug=step.slug, page=max(1, following))
    return redirect(target, 303)


def _keep_and_sign_in(filling: Filling, page: int) -> View:
    kept = _keep_and_go(filling, page, page, labels.KEPT)
    if not isinstance(kept, AnyResponse):
        return kept
    return redirect(url_for("accounts.sign_in", suite=kept.location), 303)


def _render(
    filling: Filling,
    page: int,
    *,
    refused: Mapping[uuid.UUID, str] | None = None,
    message: str = "",
    closed: bool = False,
    traced: bool = False,
) -> str:
    """A page of the form; closed: what was typed is shown, without a button that could only be refused.

    `traced`: its answers seem to hold personal data, and their author may insist.
    """
    numbers = policy.numbered(filling.questions)
    form, asked = forms.page_form(
        filling.shown(page), filling.answers, numbers=numbers, errors=refused or {}, sure="sure" in request.form
    )
    notes = forms.notes(asked, filling.questions, numbers)
    return render_template(
        "questionnaires/form.html",
        step=filling.step,
        form=form,
        asked=asked,
        page=page,
        texts=filling.texts,
        pages=len(filling.pages),
        goes_on=(goes_on := filling.may_go_on(page)),
        notes=notes,
        followed=forms.followed(filling.questions, asked, filling.answers) if notes else "",
        seen=filling.reply.version if filling.reply else 0,
        editing=filling.reply is not None and filling.reply.status is not ContentStatus.WITHDRAWN,
        message=message,
        closed=closed,
        traced=traced,
        anonymous=filling.anonymous,
        final=policy.is_final(filling.step),
        access=filling.access.value,
        code=sending.code() if filling.by_code and not _must_sign_in(filling) else "",
        stamp=sending.stamp() if filling.access is Access.EVERYONE and not goes_on else "",
        again=filling.access is Access.EVERYONE and sending.replied_here(filling.step.id),
        least=urns.LEAST,
    )


def _step_address(step: Step) -> str:
    return url_for("consultations.step", slug=step.consultation.slug, step_slug=step.slug)


# Taking a reply back --------------------------------------------------------------------------------------------------


@bp.post("/mon-compte/reponses/<uuid:reply_id>/retirer")
@signed_in
@limiter.limit("30/minute", key_func=account_or_address)
def withdraw(reply_id: uuid.UUID) -> View:
    """Take one's own reply back."""
    service.withdraw(g.session, reply_id, actor=g.actor, now=g.now)
    purge()
    flash("Votre réponse est retirée : elle n’est plus publiée ni comptée.", "success")
    return redirect(url_for(".mine"), 303)
