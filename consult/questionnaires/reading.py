"""Pages that show replies: those published row by row to everybody, one's own to their author."""

from __future__ import annotations

import uuid
from typing import Final, TypeAlias

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.consultations import figures
from consult.consultations import policy as consultation_policy
from consult.consultations import queries as consultations
from consult.consultations.labels import HELD, ORIGINS, SET_ASIDE, ground_label
from consult.consultations.models import ContentStatus, Step
from consult.disclosure import K
from consult.errors import GoneError, NotFoundError
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.questionnaires import kinds, labels, policy, queries, service, totals
from consult.questionnaires.by_code import service as anonymous
from consult.questionnaires.models import AnswerVisibility, Question
from consult.registry import queries as registry
from consult.security import anyone, signed_in

bp = Blueprint("questionnaires", __name__)
bp.add_app_template_global(kinds.of, "kind_of")
View: TypeAlias = str | Response
PAGE_SIZE: Final = 20


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
        labels=labels,
        access=policy.access(step).value,
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
        if reply.status_reason in HELD and g.account_id is not None and reply.account_id == g.account_id:
            return redirect(url_for(".my_reply", reply_id=reply.id))
        if reply.status_reason in HELD or reply.status_reason in SET_ASIDE:
            raise GoneError(f"Cette réponse n’est plus affichée. {why}.")
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
    return render_template(
        "questionnaires/mine.html",
        own=queries.own_replies(g.session, g.account_id, number=page_number(request.args), size=PAGE_SIZE),
        page_url=lambda n: url_for(".mine", page=n),
        anonymous=anonymous.answered(g.session, g.account_id),
    )


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
        final=policy.is_final(step),
        questions=queries.questions(g.session, step.id),
        answers=queries.answers_of(g.session, own.id),
        ground=ground_label(own.status_reason),
        aside=own.status_reason in SET_ASIDE,
        labels=labels,
    )
