"""Staff pages of a bill: its parts in order, and the form of one of them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import policy as consultations
from consult.consultations import queries as consultation_queries
from consult.consultations.forms import put_errors
from consult.consultations.models import Step
from consult.contributions.bill import queries
from consult.contributions.bill.builder import service
from consult.contributions.bill.builder.forms import PartForm, draft_of
from consult.contributions.bill.builder.service import PartDraft, Way
from consult.contributions.bill.labels import FROZEN
from consult.contributions.bill.numbering import Line, outline
from consult.contributions.models import Article, Level
from consult.errors import BadRequestError, ConflictError, ConsultError, InvalidError, NotFoundError
from consult.security import limited, staff

bp = Blueprint("builder", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/gestion/consultations/<slug>/etapes/<step_slug>/texte"
editors = staff(Role.ORGANISER, Role.ADMINISTRATOR)


@bp.get(ROOT)
@editors
def parts(slug: str, step_slug: str) -> View:
    """The parts in order, with what may be done about them."""
    return _list(_step(slug, step_slug))


@bp.route(f"{ROOT}/nouveau", methods=["GET", "POST"])
@editors
@limited
def add(slug: str, step_slug: str) -> View:
    """Add a part at the end of the bill, or of the division that the address names."""
    step = _step(slug, step_slug)
    parent = _parent(step)
    form = PartForm(request.form, data={"level": Level.ARTICLE.value})

    def save(draft: PartDraft) -> None:
        parent_id = parent.id if parent else None
        service.add(g.session, step, draft, parent_id=parent_id, actor=g.actor, now=g.now)

    if request.method == "GET":
        return _form(step, form, parent)
    return _save(step, form, save, "La partie est ajoutée.", parent)


@bp.route(f"{ROOT}/<uuid:part_id>", methods=["GET", "POST"])
@editors
@limited
def change(slug: str, step_slug: str, part_id: uuid.UUID) -> View:
    """Change a part."""
    step = _step(slug, step_slug)
    part = next((each for each in queries.parts(g.session, step.id) if each.id == part_id), None)
    if part is None:
        raise NotFoundError("Cette partie n’existe pas dans ce texte, ou elle a été supprimée.")
    text = queries.texts(g.session, step.id).get(part_id)
    values = {"level": part.level.value, "number": part.number, "heading": part.heading}
    form = PartForm(request.form, data=values | {"body": text.body if text else ""})

    def save(draft: PartDraft) -> None:
        service.change(g.session, step, part_id, draft, actor=g.actor, now=g.now)

    if request.method == "GET":
        return _form(step, form, part=part)
    return _save(step, form, save, "La partie est modifiée.", part=part)


@bp.post(f"{ROOT}/<uuid:part_id>/deplacer")
@editors
@limited
def move(slug: str, step_slug: str, part_id: uuid.UUID) -> View:
    """Move a part by one."""
    step = _step(slug, step_slug)
    way = request.form.get("sens", "")
    if way not in set(Way):
        raise BadRequestError("Choisissez dans quel sens déplacer cette partie.")
    try:
        service.move(g.session, step, part_id, way=Way(way), actor=g.actor, now=g.now)
    except (ConflictError, InvalidError) as error:
        return _list(step, error), error.status
    return redirect(url_for(".parts", slug=slug, step_slug=step_slug, _anchor=f"partie-{part_id}"), 303)


@bp.route(f"{ROOT}/<uuid:part_id>/supprimer", methods=["GET", "POST"])
@editors
@limited
def remove(slug: str, step_slug: str, part_id: uuid.UUID) -> View:
    """Delete a part and what it holds, after a page that says what goes."""
    step = _step(slug, step_slug)
    lines = outline(queries.parts(g.session, step.id))
    line = next((each for each in lines if each.id == part_id), None)
    if line is None:
        raise NotFoundError("Cette partie n’existe pas dans ce texte, ou elle a été supprimée.")
    if request.method == "GET":
        held = [each for each in lines if line.title in each.path and each.path[: line.depth] == line.path]
        return render_template(
            "contributions/bill/remove.html", step=step, consultation=step.consultation, line=line, held=held
        )
    try:
        service.remove(g.session, step, part_id, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error), error.status
    flash("La partie est supprimée.", "success")
    return redirect(url_for(".parts", slug=slug, step_slug=step_slug), 303)


def _save(
    step: Step,
    form: Any,
    save: Callable[[PartDraft], None],
    done: str,
    parent: Article | None = None,
    part: Article | None = None,
) -> View:
    try:
        save(draft_of(form))
    except InvalidError as error:
        put_errors(form, error)
        return _form(step, form, parent, part), 422
    except ConflictError as error:
        form.form_errors = [error.message]
        return _form(step, form, parent, part), error.status
    flash(done, "success")
    return redirect(url_for(".parts", slug=step.consultation.slug, step_slug=step.slug), 303)


def _list(step: Step, error: ConsultError | None = None) -> str:
    lines = outline(queries.parts(g.session, step.id))
    return render_template(
        "contributions/bill/builder.html",
        step=step,
        consultation=step.consultation,
        lines=lines,
        ways=_ways(lines),
        frozen=FROZEN if consultations.is_public(step.consultation) else "",
        error=error.message if error else "",
    )


def _ways(lines: list[Line]) -> dict[uuid.UUID, list[Way]]:
    """Where each part may be moved, as far as one can tell without its depth."""
    beside: dict[uuid.UUID | None, list[Line]] = {}
    for line in lines:
        beside.setdefault(line.parent_id, []).append(line)
    found: dict[uuid.UUID, list[Way]] = {}
    for line in lines:
        around = beside[line.parent_id]
        place = around.index(line)
        possible = {
            Way.UP: place > 0,
            Way.DOWN: place < len(around) - 1,
            Way.INTO: place > 0 and around[place - 1].level is not Level.ARTICLE,
            Way.OUT: line.parent_id is not None,
        }
        found[line.id] = [way for way, may in possible.items() if may]
    return found


def _form(step: Step, form: Any, parent: Article | None = None, part: Article | None = None) -> str:
    return render_template(
        "contributions/bill/part.html",
        step=step,
        consultation=step.consultation,
        form=form,
        parent=parent,
        part=part,
        frozen=FROZEN if consultations.is_public(step.consultation) else "",
    )


def _parent(step: Step) -> Article | None:
    named = request.args.get("dans", "")
    if not named:
        return None
    found = next((each for each in queries.parts(g.session, step.id) if str(each.id) == named), None)
    if found is None or found.level is Level.ARTICLE:
        raise NotFoundError("Cette division n’existe pas dans ce texte, ou elle a été supprimée.")
    return found


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "bill":
        raise NotFoundError("Cette étape n’est pas un texte de loi.")
    return step
