"""Pages where organisers give pictures to options, and the address that serves each of them."""

from __future__ import annotations

import uuid
from typing import Final, TypeAlias

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import policy as consultation_policy
from consult.consultations import queries as consultations
from consult.consultations.models import Step
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.media.pictures import MEDIA_TYPE, MOST_BYTES
from consult.questionnaires import kinds, policy, queries
from consult.questionnaires.builder.service import FROZEN
from consult.questionnaires.models import OptionKind, Question, QuestionOption
from consult.questionnaires.pictures import service
from consult.questionnaires.pictures.forms import PictureForm, form_of
from consult.security import anyone_lasting, limited, staff, takes_files

bp = Blueprint("pictures", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/gestion/consultations/<slug>/etapes/<step_slug>/questions/<uuid:question_id>/images"
FOREVER: Final = "public, max-age=31536000, immutable"
editors = staff(Role.ORGANISER, Role.ADMINISTRATOR)


@bp.app_template_global()
def picture_address(option: QuestionOption) -> str:
    """Where the picture of an option is served; other bytes would be at another address."""
    assert option.picture is not None
    return url_for("questionnaires.pictures.show", option_id=option.id, digest=option.picture.digest)


@bp.get("/images/<uuid:option_id>/<digest>.webp")
@anyone_lasting
def show(option_id: uuid.UUID, digest: str) -> Response:
    """The bytes of a picture, for whoever may read its consultation."""
    content, consultation = service.served(g.session, option_id, digest)
    if not consultation_policy.may_read(consultation, g.actor):
        raise NotFoundError("Aucune image n’est publiée à cette adresse.")
    response = Response(content, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = FOREVER if consultation_policy.is_public(consultation) else "no-store"
    response.headers["Content-Disposition"] = "inline"
    response.set_etag(digest)
    return response.make_conditional(request)


@bp.get(ROOT)
@editors
def edit(slug: str, step_slug: str, question_id: uuid.UUID) -> View:
    """The options of a question, each with its picture or a place for one."""
    return _page(*_asked(slug, step_slug, question_id))


@bp.post(f"{ROOT}/<uuid:option_id>")
@takes_files(MOST_BYTES)
@editors
@limited
def put(slug: str, step_slug: str, question_id: uuid.UUID, option_id: uuid.UUID) -> View:
    """Give an option its picture, or change its words."""
    step, question = _asked(slug, step_slug, question_id)
    form = PictureForm(request.form, prefix=f"{option_id}-")
    sent, alt = request.files.get(form.file.name), form.alt.data or ""
    raw = sent.stream.read(MOST_BYTES + 1) if sent else b""
    try:
        with g.session.begin_nested():
            service.put(g.session, step, question_id, option_id, alt=alt, raw=raw, actor=g.actor, now=g.now)
    except InvalidError as error:
        for name, why in error.fields.items():
            form[name].errors = [why]
        return _page(step, question, refused=(option_id, form)), error.status
    except ConflictError as error:
        return _page(step, question, error.message), error.status
    flash("L’image est enregistrée.", "success")
    return _back(step, question_id)


@bp.post(f"{ROOT}/<uuid:option_id>/retirer")
@editors
@limited
def remove(slug: str, step_slug: str, question_id: uuid.UUID, option_id: uuid.UUID) -> View:
    """Take the picture of an option back."""
    step, question = _asked(slug, step_slug, question_id)
    try:
        with g.session.begin_nested():
            service.remove(g.session, step, question_id, option_id, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _page(step, question, error.message), error.status
    flash("L’image est retirée.", "success")
    return _back(step, question_id)


def _asked(slug: str, step_slug: str, question_id: uuid.UUID) -> tuple[Step, Question]:
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    asked = queries.questions(g.session, step.id) if step.kind == "questionnaire" else []
    found = next((each for each in asked if each.id == question_id and kinds.of(each).pictured), None)
    if found is None:
        raise NotFoundError("Cette question n’existe pas, ou ne se montre pas en images.")
    return step, found


def _back(step: Step, question_id: uuid.UUID) -> Response:
    return redirect(url_for(".edit", slug=step.consultation.slug, step_slug=step.slug, question_id=question_id), 303)


def _page(
    step: Step, question: Question, message: str = "", refused: tuple[uuid.UUID, PictureForm] | None = None
) -> str:
    """The page; `refused`: the option whose form came back, and that form with its errors."""
    editable = policy.editable(step.consultation)
    plain = [option for option in question.options if option.kind is OptionKind.NORMAL]
    forms = {option.id: form_of(option) for option in plain} | dict([refused] if refused else [])
    return render_template(
        "questionnaires/pictures.html",
        step=step,
        question=question,
        options=plain,
        forms=forms,
        refused=refused[1] if refused else None,
        editable=editable,
        message=message or ("" if editable else FROZEN),
    )
