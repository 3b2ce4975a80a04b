"""Staff pages of a questionnaire: its questions while it is a draft, its figures afterwards."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import queries as consultations
from consult.consultations.labels import ORIGINS
from consult.consultations.models import Step
from consult.disclosure import K
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.questionnaires import labels, policy, queries
from consult.questionnaires.builder import service
from consult.questionnaires.builder.forms import QuestionForm, filled_from
from consult.questionnaires.builder.service import QuestionDraft
from consult.security import limited, staff

bp = Blueprint("builder", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/gestion/consultations/<slug>/etapes/<step_slug>"
editors = staff(Role.ORGANISER, Role.ADMINISTRATOR)
readers = staff(Role.ORGANISER, Role.ADMINISTRATOR, Role.ANALYST, Role.DECISION_MAKER, Role.READER, Role.DITP)


def _step(slug: str, step_slug: str) -> Step:
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "questionnaire":
        raise NotFoundError("Cette étape n’est pas un questionnaire.")
    return step


@bp.get(f"{ROOT}/questions")
@editors
def questions(slug: str, step_slug: str) -> View:
    """The questions in order, with what may be done about them."""
    step = _step(slug, step_slug)
    return _list(step)


@bp.route(f"{ROOT}/questions/nouvelle", methods=["GET", "POST"])
@editors
@limited
def add(slug: str, step_slug: str) -> View:
    """Add a question at the end."""
    step = _step(slug, step_slug)
    if request.method == "GET":
        asked = queries.questions(g.session, step.id)
        return _form(step, QuestionForm(data={"page": asked[-1].page if asked else 1}), "Nouvelle question")
    return _save(step, "Nouvelle question", lambda draft: service.add(g.session, step, draft, actor=g.actor, now=g.now))


@bp.route(f"{ROOT}/questions/<uuid:question_id>", methods=["GET", "POST"])
@editors
@limited
def change(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """Change a question."""
    step = _step(slug, step_slug)
    if request.method == "GET":
        found = [each for each in queries.questions(g.session, step.id) if each.id == question_id]
        if not found:
            raise NotFoundError("Cette question n’existe pas ou a été supprimée.")
        return _form(step, filled_from(found[0]), "Modifier la question")

    def save(draft: QuestionDraft) -> None:
        service.change(g.session, step, question_id, draft, actor=g.actor, now=g.now)

    return _save(step, "Modifier la question", save)


@bp.post(f"{ROOT}/questions/<uuid:question_id>/deplacer")
@editors
@limited
def move(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """Move a question up or down by one."""
    step = _step(slug, step_slug)
    try:
        up = request.form.get("sens") == "haut"
        service.move(g.session, step, question_id, up=up, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error.message), error.status
    return redirect(url_for(".questions", slug=slug, step_slug=step_slug), 303)


@bp.post(f"{ROOT}/questions/<uuid:question_id>/supprimer")
@editors
@limited
def delete(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """Delete a question of a draft."""
    step = _step(slug, step_slug)
    try:
        service.delete(g.session, step, question_id, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error.message), error.status
    flash("La question est supprimée.", "success")
    return redirect(url_for(".questions", slug=slug, step_slug=step_slug), 303)


@bp.get(f"{ROOT}/chiffres")
@readers
def figures(slug: str, step_slug: str) -> View:
    """Live counts of each question, by origin; small ones are withheld where only totals are published."""
    step = _step(slug, step_slug)
    tallies = queries.tallies(g.session, step.id)
    charts: list[dict[str, Any]] = []
    for question in queries.questions(g.session, step.id):
        for origin, words in ORIGINS.items():
            tally = tallies.get((question.id, origin))
            if tally is None:
                continue
            withheld = policy.suppressed(question.visibility, tally.answered)
            rows = [] if withheld else [(o.label, tally.options.get(str(o.id), 0)) for o in question.options]
            charts.append(
                {"question": question, "origin": words, "base": tally.answered, "withheld": withheld, "rows": rows}
            )
    return render_template("questionnaires/figures.html", step=step, charts=charts, labels=labels, smallest=K)


def _list(step: Step, message: str = "") -> str:
    return render_template(
        "questionnaires/builder.html",
        step=step,
        questions=queries.questions(g.session, step.id),
        editable=policy.editable(step.consultation),
        frozen=message or service.FROZEN,
        labels=labels,
    )


def _form(step: Step, form: QuestionForm, title: str, message: str = "") -> str:
    return render_template("questionnaires/question.html", step=step, form=form, heading=title, message=message)


def _save(step: Step, title: str, save: Callable[[QuestionDraft], object]) -> View:
    form = QuestionForm(request.form)
    if not form.validate():
        return _form(step, form, title), 422
    try:
        save(form.draft())
    except InvalidError as error:
        for name, reason in error.fields.items():
            form[name].errors = [reason]
        return _form(step, form, title, "" if error.fields else error.message), error.status
    except ConflictError as error:
        return _form(step, form, title, error.message), error.status
    flash("La question est enregistrée.", "success")
    return redirect(url_for(".questions", slug=step.consultation.slug, step_slug=step.slug), 303)
