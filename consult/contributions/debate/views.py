"""The staff page of a debate: its question, until the rules are frozen."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final, TypeAlias

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import policy as consultations
from consult.consultations import queries as consultation_queries
from consult.consultations.forms import put_errors
from consult.consultations.models import Step
from consult.contributions.debate import queries, service
from consult.contributions.debate.forms import QuestionForm, draft_of
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.security import limited, staff

bp = Blueprint("debate", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/gestion/consultations/<slug>/etapes/<step_slug>/debat"


@bp.route(ROOT, methods=["GET", "POST"])
@staff(Role.ORGANISER, Role.ADMINISTRATOR)
@limited
def question(slug: str, step_slug: str) -> View:
    """The question, to write or to read again once it is frozen."""
    step = _step(slug, step_slug)
    asked = queries.question(g.session, step.id)
    form = QuestionForm(request.form, data=asdict(service.draft_of(asked)) if asked else {})
    if request.method == "GET":
        return _page(step, form)
    try:
        with g.session.begin_nested():
            service.ask(g.session, step, draft_of(form), actor=g.actor, now=g.now)
    except InvalidError as error:
        put_errors(form, error)
        return _page(step, form), 422
    except ConflictError as error:
        form.form_errors = [error.message]
        return _page(step, form), error.status
    flash("La question est enregistrée.", "success")
    return redirect(url_for("consultations.manage.show", slug=slug), 303)


def _page(step: Step, form: Any) -> str:
    return render_template(
        "contributions/debate/question.html",
        step=step,
        consultation=step.consultation,
        form=form,
        frozen=service.FROZEN if consultations.is_public(step.consultation) else "",
    )


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "debate":
        raise NotFoundError("Cette étape n’est pas un débat.")
    return step
