"""What the link of an invitation opens: a page that confirms, then the form, in whatever browser it is followed."""

from __future__ import annotations

import uuid
from typing import Final, TypeAlias

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask import session as browser_session
from werkzeug.wrappers import Response

from consult.consultations import policy as consultations
from consult.errors import NotFoundError
from consult.questionnaires import labels, policy
from consult.questionnaires.anonymous import urns
from consult.questionnaires.by_code import codes
from consult.questionnaires.invitations import queries
from consult.questionnaires.invitations.forms import InvitationForm
from consult.questionnaires.invitations.queries import Opened
from consult.security import anyone_unnamed, limiter

bp = Blueprint("invitations", __name__, url_prefix="/invitation")
View: TypeAlias = str | Response | tuple[str, int]
CAME_WITH: Final = "invited"  # key of the signed form cookie: the codes that this browser came with, by step
MOST_REMEMBERED: Final = 5
UNKNOWN: Final = (
    "Aucune invitation ne correspond à ce code, ou elle a été retirée. Vérifiez-le\u00a0: il compte huit groupes de "
    "quatre signes."
)
NOT_FOUND: Final = 404
# A code is guessed one time in 10⁴⁸: a connection shared by many people is only stopped when it tries at random.
guesses = limiter.limit("20/minute;200/hour", deduct_when=lambda response: response.status_code == NOT_FOUND)


@bp.get("")
@anyone_unnamed
@guesses
def show() -> View:
    """The page that confirms, for the code of the link or typed here; nothing is written before the button."""
    if not request.args.get("code"):
        return render_template("questionnaires/invitations/code.html", form=InvitationForm())
    try:
        code, opened = _opened(request.args["code"])
    except NotFoundError:
        return _unknown(request.args["code"])
    step = opened.step
    return render_template(
        "questionnaires/invitations/confirm.html",
        step=step,
        code=code,
        used=opened.used,
        state=consultations.step_state(step, step.consultation, g.now).value,
        anonymous=policy.is_anonymous(step),
        access=policy.access(step).value,
        least=urns.LEAST,
        labels=labels,
    )


@bp.post("")
@anyone_unnamed
@guesses
def begin() -> View:
    """Have this browser hold the invitation, and open the form."""
    try:
        code, opened = _opened(request.form.get("code", ""))
    except NotFoundError:
        return _unknown(request.form.get("code", ""))
    step = opened.step
    held = {key: kept for key, kept in browser_session.get(CAME_WITH, {}).items() if key != step.id.hex}
    browser_session[CAME_WITH] = dict([*held.items(), (step.id.hex, code)][-MOST_REMEMBERED:])
    if opened.used:
        return redirect(url_for(".show", code=code), 303)
    return redirect(url_for("questionnaires.reply_form", slug=step.consultation.slug, step_slug=step.slug), 303)


def held_here(step_id: uuid.UUID) -> str:
    """The code with which this browser came to a step; empty without."""
    return str(browser_session.get(CAME_WITH, {}).get(step_id.hex, ""))


def _opened(typed: str) -> tuple[str, Opened]:
    """The code as it is kept, and what it opens. Raises NotFoundError."""
    code = codes.clean(typed)
    opened = queries.opened(g.session, g.organisation.id, code) if code else None
    if code is None or opened is None or not consultations.may_read(opened.step.consultation, g.actor):
        raise NotFoundError(UNKNOWN)
    return code, opened


def _unknown(typed: str) -> View:
    form = InvitationForm(data={"code": typed[:200]})
    form.code.errors = [UNKNOWN]
    return render_template("questionnaires/invitations/code.html", form=form), NOT_FOUND
