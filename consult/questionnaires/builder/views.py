"""Staff pages of a questionnaire: its questions while it is a draft, its figures afterwards."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import queries as consultations
from consult.consultations.labels import ORIGINS
from consult.consultations.models import Step
from consult.disclosure import K
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.pagecache import purge
from consult.questionnaires import conditions, kinds, labels, policy, queries, wording
from consult.questionnaires.builder import corrections, exchange, service
from consult.questionnaires.builder.forms import CHOOSE, CorrectionForm, ModeForm, QuestionForm, filled_from
from consult.questionnaires.kinds.draft import QuestionDraft
from consult.questionnaires.models import Question
from consult.questionnaires.pictures import service as pictures
from consult.security import limited, staff, takes_files

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
    """Choose a kind, then add a question of that kind at the end."""
    step = _step(slug, step_slug)
    if request.method == "GET":
        if request.args.get("type") not in kinds.every():
            return render_template("questionnaires/kinds.html", step=step, kinds=kinds.every().values())
        asked = queries.questions(g.session, step.id)
        form = QuestionForm(data={"kind": request.args["type"], "page": asked[-1].page if asked else 1})
        return _form(step, form, "Nouvelle question")
    return _save(step, "Nouvelle question", lambda draft: service.add(g.session, step, draft, actor=g.actor, now=g.now))


@bp.route(f"{ROOT}/questions/<uuid:question_id>", methods=["GET", "POST"])
@editors
@limited
def change(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """Change a question, or its kind."""
    step = _step(slug, step_slug)
    found = next((each for each in queries.questions(g.session, step.id) if each.id == question_id), None)
    if found is None:
        raise NotFoundError("Cette question n’existe pas ou a été supprimée.")
    if request.method == "GET":
        if request.args.get("type", found.kind) not in kinds.every():
            return render_template("questionnaires/kinds.html", step=step, kinds=kinds.every().values())
        form = filled_from(found, _others(step, found))
        form.kind.data = request.args.get("type", form.kind.data)
        return _form(step, form, "Modifier la question", question=found)

    def save(draft: QuestionDraft) -> Question:
        return service.change(g.session, step, question_id, draft, actor=g.actor, now=g.now)

    return _save(step, "Modifier la question", save, found)


@bp.route(f"{ROOT}/questions/<uuid:question_id>/corriger", methods=["GET", "POST"])
@editors
@limited
def correct(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """Correct the text of a question once the consultation is open."""
    step = _step(slug, step_slug)
    found = next((each for each in queries.questions(g.session, step.id) if each.id == question_id), None)
    if found is None:
        raise NotFoundError("Cette question n’existe pas ou a été supprimée.")
    form = CorrectionForm(request.form, data={"wording": found.wording, "help": found.help, "seen": found.version})
    if request.method == "GET":
        return render_template("questionnaires/correct.html", step=step, form=form, message="")
    if not form.validate():
        return render_template("questionnaires/correct.html", step=step, form=form, message=""), 422
    try:
        corrections.correct(
            g.session,
            step,
            question_id,
            wording=form.wording.data or "",
            help=form.help.data or "",
            seen=form.seen.data or 0,
            actor=g.actor,
            step_kinds=current_app.extensions["bindings"].step_kinds,
            now=g.now,
        )
    except (ConflictError, InvalidError) as error:
        return render_template("questionnaires/correct.html", step=step, form=form, message=error.message), error.status
    purge()
    flash("La question est corrigée. Son énoncé précédent reste lisible de tous.", "success")
    return redirect(url_for(".questions", slug=slug, step_slug=step_slug), 303)


@bp.post(f"{ROOT}/questions/<uuid:question_id>/deplacer")
@editors
@limited
def move(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """Move a question up or down by one."""
    step = _step(slug, step_slug)
    try:
        up = request.form.get("sens") == "haut"
        with g.session.begin_nested():  # the page of a refusal shows the questions as they stay
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
        with g.session.begin_nested():
            service.delete(g.session, step, question_id, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error.message), error.status
    flash("La question est supprimée.", "success")
    return redirect(url_for(".questions", slug=slug, step_slug=step_slug), 303)


@bp.get(f"{ROOT}/questions/export.json")
@readers
def export(slug: str, step_slug: str) -> Response:
    """The questionnaire as a file, to be read by `bring` here or elsewhere."""
    step = _step(slug, step_slug)
    document = exchange.exported(step, queries.questions(g.session, step.id), pictures.contents(g.session, step.id))
    response = Response(json.dumps(document, ensure_ascii=False, indent=2) + "\n", content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="questionnaire-{step.slug}.json"'
    return response


@bp.post(f"{ROOT}/questions/importer")
@takes_files(exchange.MOST_BYTES)
@editors
@limited
def bring(slug: str, step_slug: str) -> View:
    """Add the questions of a file after those of the step."""
    step = _step(slug, step_slug)
    sent = request.files.get("file")
    raw = sent.stream.read(exchange.MOST_BYTES + 1) if sent else b""
    if not raw:
        return _list(step, "Choisissez un fichier de questionnaire, puis envoyez-le."), 422
    try:
        with g.session.begin_nested():
            count = exchange.imported(g.session, step, raw, actor=g.actor, now=g.now)
    except (InvalidError, ConflictError) as error:
        return _list(step, error.message), error.status
    flash("La question est ajoutée." if count == 1 else f"Les {count} questions sont ajoutées.", "success")
    return redirect(url_for(".questions", slug=slug, step_slug=step_slug), 303)


@bp.post(f"{ROOT}/mode")
@editors
@limited
def mode(slug: str, step_slug: str) -> View:
    """Say who may reply, and whether replies are anonymous."""
    step = _step(slug, step_slug)
    form = ModeForm(request.form)
    if not form.validate():
        return _list(step, mode=form), 422
    try:
        anonymous = form.mode.data == policy.ANONYMOUS
        final = form.edits.data == policy.FINAL
        who = {"access": policy.Access(form.access.data), "anonymous": anonymous}
        service.set_mode(g.session, step, **who, final=final, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error.message), error.status
    flash("Le mode de réponse est enregistré.", "success")
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
            kind, withheld = kinds.of(question), policy.suppressed(question.visibility, tally.answered)
            groups = [] if withheld else kind.groups(question)
            charts.append(
                {
                    "question": question,
                    "origin": words,
                    "base": tally.answered,
                    "withheld": withheld,
                    "several": kind.several,
                    "groups": [
                        (group.label, [(text, tally.options.get(cell, 0)) for cell, text in group.cells.items()])
                        for group in groups
                    ],
                    "summary": kind.summary(question, tally.options) if groups else [],
                }
            )
    return render_template("questionnaires/figures.html", step=step, charts=charts, labels=labels, smallest=K)


def _list(step: Step, message: str = "", mode: ModeForm | None = None) -> str:
    chosen = policy.ANONYMOUS if policy.is_anonymous(step) else "attributed"
    access = policy.access(step)
    edits = policy.FINAL if policy.is_final(step) else "open"
    return render_template(
        "questionnaires/builder.html",
        step=step,
        mode=mode or ModeForm(data={"access": access.value, "mode": chosen, "edits": edits}),
        access=labels.ACCESSES[access],
        edits=labels.EDITS[edits],
        chosen=labels.MODES[chosen],
        questions=(asked := queries.questions(g.session, step.id)),
        conditions={
            each.id: wording.sentence(condition, asked, policy.numbered(asked))
            for each in asked
            if (condition := conditions.of(each))
        },
        editable=policy.editable(step.consultation),
        anonymous=policy.is_anonymous(step),
        frozen=message or service.FROZEN,
        message=message,
        labels=labels,
        obstacle=policy.obstacle(asked),
        unpictured=policy.unpictured,
    )


def _others(step: Step, question: Question | None) -> list[Question]:
    """What a condition may look at: the service refuses what does not come before."""
    return [each for each in queries.questions(g.session, step.id) if question is None or each.id != question.id]


def _form(step: Step, form: QuestionForm, title: str, message: str = "", question: Question | None = None) -> str:
    kind = kinds.every()[form.kind.data]
    numbers = policy.numbered(queries.questions(g.session, step.id))
    form.suit(kind, _others(step, question), numbers)
    return render_template(
        "questionnaires/question.html", step=step, form=form, kind=kind, heading=title, message=message
    )


def _save(step: Step, title: str, save: Callable[[QuestionDraft], Question], question: Question | None = None) -> View:
    form, others = QuestionForm(request.form), _others(step, question)
    if form.kind.data not in kinds.every():
        form.kind.data = next(iter(kinds.every()))
        return _form(step, form, title, CHOOSE, question), 422
    form.suit(kinds.every()[form.kind.data], others, policy.numbered(queries.questions(g.session, step.id)))
    if not form.validate():
        return _form(step, form, title, question=question), 422
    try:
        draft = form.draft(others, conditions.of(question) if question else None)
        with g.session.begin_nested():
            saved = save(draft)
    except InvalidError as error:
        for name, reason in error.fields.items():
            (form.condition.form.how if name == "condition" else form[name]).errors = [reason]
        return _form(step, form, title, "" if error.fields else error.message, question), error.status
    except ConflictError as error:
        return _form(step, form, title, error.message, question), error.status
    slugs: dict[str, Any] = {"slug": step.consultation.slug, "step_slug": step.slug}
    if policy.unpictured(saved):
        flash("La question est enregistrée. Donnez une image à chaque réponse.", "success")
        return redirect(url_for("questionnaires.pictures.edit", question_id=saved.id, **slugs), 303)
    flash("La question est enregistrée.", "success")
    return redirect(url_for(".questions", **slugs), 303)
