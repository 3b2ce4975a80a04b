"""Pages of a questionnaire: its step, the form, the replies published row by row, one's own replies."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from flask import session as browser_session
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from consult import db
from consult.actor import Actor
from consult.consultations import figures
from consult.consultations import policy as consultation_policy
from consult.consultations import queries as consultations
from consult.consultations.labels import ORIGINS, ground_label
from consult.consultations.models import ContentStatus, Step
from consult.disclosure import K
from consult.errors import (
    ClosedError,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    TooManyError,
)
from consult.pagecache import cached_for_visitors
from consult.questionnaires import drafts, forms, labels, policy, queries, service, totals
from consult.questionnaires.builder.views import bp as builder
from consult.questionnaires.models import AnswerVisibility, Question, QuestionKind, Reply
from consult.questionnaires.policy import Given
from consult.registry import queries as registry
from consult.security import account_or_address, address_key, anyone, digest, limiter, new_token, signed_in

bp = Blueprint("questionnaires", __name__)
bp.register_blueprint(builder)
View: TypeAlias = str | AnyResponse | tuple[str, int]
PAGE_SIZE: Final = 20
DRAFT_COOKIE: Final = "draft"  # key of the signed form cookie: the token of what this browser has begun to answer
KEPT: Final = (
    "Vos réponses sont gardées sept jours pour ce navigateur, mais elles ne sont pas encore envoyées. "
    "Connectez-vous ou créez un compte : vous les retrouverez ici, prêtes à partir."
)


def step_page(session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
    """The public page of a questionnaire step: what is asked, who will see the answers, how to take part."""
    del arguments
    reply = queries.own_reply(session, step.id, actor.account_id) if actor.account_id else None
    return render_template(
        "questionnaires/step.html",
        step=step,
        questions=queries.questions(session, step.id),
        state=consultation_policy.step_state(step, step.consultation, now).value,
        reply=reply,
        census=figures.of_step(session, step, service.census),
        position=registry.counted(session),
        labels=labels,
    )


# The form -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Filling:
    """What the form needs on any request: the step, its questions by page, and what was answered so far."""

    step: Step
    questions: list[Question]
    reply: Reply | None
    answers: dict[uuid.UUID, Given]

    @property
    def pages(self) -> list[int]:
        return sorted({question.page for question in self.questions})

    def on(self, page: int) -> list[Question]:
        """The questions of the n-th page, from 1."""
        return [question for question in self.questions if question.page == self.pages[page - 1]]

    def number(self, raw: str) -> int:
        """A page number sent by a browser, brought back among those that exist."""
        asked = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 6 else 1  # noqa: PLR2004  # digits
        return max(1, min(asked, len(self.pages)))

    def page_of(self, refused: Mapping[uuid.UUID, str]) -> int:
        """The first page that holds a refused question."""
        return self.pages.index(min(q.page for q in self.questions if q.id in refused)) + 1


def _filling(slug: str, step_slug: str) -> _Filling:
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    questions = queries.questions(g.session, step.id) if step.kind == "questionnaire" else []
    if not questions:
        raise NotFoundError("Aucun questionnaire n’est publié à cette adresse.")
    reply = queries.own_reply(g.session, step.id, g.account_id) if g.account_id else None
    answers = queries.answers_of(g.session, reply.id) if reply else {}
    kept = queries.merge(queries.drafts(g.session, step.id, account_id=g.account_id, browser=_browser()))
    return _Filling(step, questions, reply, answers | policy.from_json(kept, questions))


def _browser() -> str | None:
    token = browser_session.get(DRAFT_COOKIE)
    return digest(token) if token else None


@bp.get("/consultations/<slug>/<step_slug>/repondre")
@anyone
def reply_form(slug: str, step_slug: str) -> View:
    """A page of the form, filled with what this person has answered so far."""
    filling = _filling(slug, step_slug)
    if not consultation_policy.accepts_acts(filling.step, filling.step.consultation, g.now):
        return redirect(url_for("consultations.step", slug=slug, step_slug=step_slug), 303)
    return _render(filling, filling.number(request.args.get("page", "1")))


@bp.post("/consultations/<slug>/<step_slug>/repondre")
@anyone
@limiter.limit("60/minute", key_func=account_or_address)
def reply(slug: str, step_slug: str) -> View:
    """Take one page of answers: keep it, and go on, come back, or send the whole."""
    filling = _filling(slug, step_slug)
    page = filling.number(request.form.get("page", "1"))
    filling.answers |= forms.read_page(filling.on(page), request.form)
    if not consultation_policy.accepts_acts(filling.step, filling.step.consultation, g.now):
        return _render(filling, page, message=service.CLOSED, closed=True), 403
    action = request.form.get("action", "send")
    if action in {"previous", "save"}:
        told = KEPT if g.account_id is None else "Votre brouillon est enregistré. Il n’est pas encore envoyé."
        return _keep_and_go(filling, page, page - (action == "previous"), told if action == "save" else "")
    here = filling.on(page)
    refused = policy.errors(here if action == "next" or g.account_id is None else filling.questions, filling.answers)
    if refused:
        _keep_anyway(filling)
        return _render(filling, filling.page_of(refused), refused=refused), 422
    if action == "next" and page < len(filling.pages):
        return _keep_and_go(filling, page, page + 1)
    if g.account_id is None:
        return _keep_and_sign_in(filling, page)
    return _send(filling, page)


def _send(filling: _Filling, page: int) -> View:
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
        flash("Votre réponse est enregistrée. Vous pouvez la modifier jusqu’à la fin de l’étape.", "success")
    return redirect(_step_address(filling.step), 303)


def _browser_token() -> str | None:
    """The digest of this browser's draft token, made at the first need when nobody is signed in."""
    if g.account_id is None and DRAFT_COOKIE not in browser_session:
        browser_session[DRAFT_COOKIE] = new_token()
    return _browser()


def _holder() -> drafts.Holder:
    settings = current_app.extensions["settings"]
    return drafts.Holder(g.account_id, _browser_token(), address_key(settings.secret_key))


def _keep_anyway(filling: _Filling) -> None:
    """Keep what was typed although the request is refused."""
    step_id, answers, holder, now = filling.step.id, filling.answers, _holder(), g.now

    def keep(session: Session) -> None:  # another session: nothing of this one's rows may be used
        step = session.get_one(Step, step_id)
        # The account was erased meanwhile, and nothing of it is to be kept; or it is too much.
        with contextlib.suppress(ForbiddenError, InvalidError, TooManyError):
            drafts.save(session, step, answers, holder, now=now)

    db.survives(g.session, keep)


def _keep_and_go(filling: _Filling, page: int, following: int, told: str = "") -> View:
    """Keep what was typed on a page and go to another one; where it cannot be kept, say so and show it again."""
    step = filling.step
    try:
        drafts.save(g.session, step, filling.answers, _holder(), now=g.now)
    except (InvalidError, TooManyError) as error:
        return _render(filling, page, message=error.message), error.status
    if told:
        flash(told, "info")
    target = url_for(".reply_form", slug=step.consultation.slug, step_slug=step.slug, page=max(1, following))
    return redirect(target, 303)


def _keep_and_sign_in(filling: _Filling, page: int) -> View:
    kept = _keep_and_go(filling, page, page, KEPT)
    if not isinstance(kept, AnyResponse):
        return kept
    return redirect(url_for("accounts.sign_in", suite=kept.location), 303)


def _render(
    filling: _Filling,
    page: int,
    *,
    refused: Mapping[uuid.UUID, str] | None = None,
    message: str = "",
    closed: bool = False,
) -> str:
    """A page of the form; closed: what was typed is shown, without a button that could only be refused."""
    numbers = {question.id: rank for rank, question in enumerate(filling.questions, 1)}
    form, asked = forms.page_form(filling.on(page), filling.answers, numbers=numbers, errors=refused or {})
    return render_template(
        "questionnaires/form.html",
        step=filling.step,
        form=form,
        asked=asked,
        page=page,
        pages=len(filling.pages),
        seen=filling.reply.version if filling.reply else 0,
        editing=filling.reply is not None and filling.reply.status is not ContentStatus.WITHDRAWN,
        message=message,
        closed=closed,
        long_text=QuestionKind.LONG_TEXT,
    )


def _step_address(step: Step) -> str:
    return url_for("consultations.step", slug=step.consultation.slug, step_slug=step.slug)


# Replies that everybody may read ------------------------------------------------------------------------------------


@bp.get("/consultations/<slug>/<step_slug>/reponses")
@anyone
@cached_for_visitors
def replies(slug: str, step_slug: str) -> View:
    """The replies of a step, with the answers that are published row by row."""
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "questionnaire":
        raise NotFoundError
    found = queries.public_replies(g.session, step.id, after=_cursor(), limit=PAGE_SIZE + 1)
    following = found[PAGE_SIZE - 1][0].id if len(found) > PAGE_SIZE else None
    return render_template(
        "questionnaires/replies.html",
        step=step,
        replies=found[:PAGE_SIZE],
        questions=_public_questions(step),
        totals=totals.latest(g.session, [each.id for each in queries.questions(g.session, step.id)]),
        origins=ORIGINS,
        smallest=K,
        following=following,
        census=figures.of_step(g.session, step, service.census),
        position=registry.counted(g.session),
    )


@bp.get("/reponses/<uuid:reply_id>")
@anyone
@cached_for_visitors
def one_reply(reply_id: uuid.UUID) -> View:
    """One published reply; where it was hidden, the page says why and never what."""
    found = queries.reply_with_step(g.session, reply_id)
    if found is None or not consultation_policy.may_read(found[1].consultation, g.actor):
        raise NotFoundError("Aucune réponse n’est publiée à cette adresse.")
    reply, step = found
    if reply.status is ContentStatus.HIDDEN:
        why = ground_label(reply.status_reason)
        raise GoneError(f"Cette réponse a été masquée par la modération. Motif\u00a0: {why}.")
    if reply.status is not ContentStatus.PUBLISHED:
        raise NotFoundError("Aucune réponse n’est publiée à cette adresse.")
    return render_template(
        "questionnaires/reply.html",
        step=step,
        reply=reply,
        answers=queries.public_reply(g.session, reply_id),
        questions=_public_questions(step),
    )


def _cursor() -> uuid.UUID | None:
    raw = request.args.get("apres", "")
    try:
        return uuid.UUID(raw) if raw else None
    except ValueError:
        raise NotFoundError("Cette page de la liste n’existe pas.") from None


def _public_questions(step: Step) -> list[Question]:
    asked = queries.questions(g.session, step.id)
    return [question for question in asked if question.visibility is AnswerVisibility.ROWS]


# My replies ---------------------------------------------------------------------------------------------------------


@bp.get("/mon-compte/reponses")
@signed_in
def mine() -> View:
    """The questionnaires that this account has answered."""
    return render_template("questionnaires/mine.html", own=queries.own_replies(g.session, g.account_id))


@bp.get("/mon-compte/reponses/<uuid:reply_id>")
@signed_in
def my_reply(reply_id: uuid.UUID) -> View:
    """All that this account said in one questionnaire, and what it may still do about it."""
    found = queries.reply_with_step(g.session, reply_id)
    if found is None or found[0].account_id != g.account_id:
        raise NotFoundError("Aucune de vos réponses n’est à cette adresse.")
    own, step = found
    return render_template(
        "questionnaires/my_reply.html",
        reply=own,
        step=step,
        open=consultation_policy.accepts_acts(step, step.consultation, g.now),
        questions=queries.questions(g.session, step.id),
        answers=queries.answers_of(g.session, own.id),
        ground=ground_label(own.status_reason),
        labels=labels,
    )


@bp.post("/mon-compte/reponses/<uuid:reply_id>/retirer")
@signed_in
@limiter.limit("30/minute", key_func=account_or_address)
def withdraw(reply_id: uuid.UUID) -> View:
    """Take one's own reply back."""
    service.withdraw(g.session, reply_id, actor=g.actor, now=g.now)
    flash("Votre réponse est retirée : elle n’est plus publiée ni comptée.", "success")
    return redirect(url_for(".mine"), 303)
