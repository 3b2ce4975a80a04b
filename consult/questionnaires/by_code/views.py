"""Pages of a reply tied to no account, opened by its code: reading it, changing it, withdrawing it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from flask import Blueprint, Response, current_app, g, render_template, request

from consult.consultations.labels import ground_label
from consult.consultations.models import Step
from consult.consultations.policy import accepts_acts, may_read
from consult.errors import ClosedError, InvalidError, NotFoundError
from consult.questionnaires import conditions, forms, labels, policy, queries
from consult.questionnaires.anonymous import urns
from consult.questionnaires.by_code import codes, service
from consult.questionnaires.by_code.forms import CodeForm
from consult.questionnaires.kinds.base import Given
from consult.sealing import Keyring
from consult.security import anyone_unnamed, limiter

bp = Blueprint("by_code", __name__, url_prefix="/reponse-par-code")
View: TypeAlias = str | Response | tuple[str, int]
# By connection: an account is not to be counted beside what it wants nobody to tie to it.
tries = limiter.limit("60/minute")
_TEMPLATES: Final = "questionnaires/by_code"


@bp.get("")
@anyone_unnamed
def ask() -> str:
    """The form that takes a code."""
    return render_template(f"{_TEMPLATES}/code.html", form=CodeForm())


@bp.post("")
@anyone_unnamed
@tries
def show() -> View:
    """The reply of a code, and what its holder may do about it."""
    return _show(_code_or_none())


@bp.post("/fichier")
@anyone_unnamed
@tries
def download() -> Response:
    """The code, as a file to keep: nothing is read nor written here."""
    code = codes.clean(request.form.get("code", "")) or ""
    text = render_template(f"{_TEMPLATES}/code.txt", code=code)
    response = Response(text, content_type="text/plain; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="code-de-reponse.txt"'
    return response


@bp.post("/modifier")
@anyone_unnamed
@tries
def edit() -> View:
    """The form of a change, all questions on one page; sent with `action=save`, the change itself."""
    code = _code_or_none()
    held, step = _held(code)
    questions = queries.questions(g.session, step.id)
    if request.form.get("action") != "save":
        return _form(code, step, policy.from_json(held.answers or {}, questions))
    answers = forms.read_page(questions, request.form)
    if request.form.get("texts", str(policy.texts(questions))) != str(policy.texts(questions)):
        return _form(code, step, answers, message=labels.CORRECTED), 409
    traced = {} if "sure" in request.form else policy.traced(questions, answers)
    if traced:
        return _form(code, step, answers, policy.errors(questions, answers) or traced), 422
    try:
        service.change(g.session, step.organisation_id, code, answers, keys=_keys(), now=g.now)
    except InvalidError as error:
        return _form(code, step, answers, {uuid.UUID(key): why for key, why in error.fields.items()}), error.status
    except ClosedError as error:
        return _form(code, step, answers, message=error.message), error.status
    return _show(code, "Votre modification est enregistrée.")


@bp.post("/retirer")
@anyone_unnamed
@tries
def withdraw() -> View:
    """Take a reply back; asked twice, since it is for ever."""
    code = _code_or_none()
    _, step = _held(code)
    if request.form.get("action") != "confirm":
        shown = {"access": policy.access(step).value, "anonymous": policy.is_anonymous(step), "least": urns.LEAST}
        return render_template(f"{_TEMPLATES}/withdraw.html", step=step, code=code, **shown)
    try:
        out = service.withdraw(g.session, step.organisation_id, code, keys=_keys(), now=g.now)
    except ClosedError as error:
        return _show(code, message=error.message)
    return (
        _show(code, "Votre retrait est enregistré.")
        if out
        else render_template(f"{_TEMPLATES}/withdrawn.html", step=step)
    )


def _show(code: str, told: str = "", message: str = "") -> View:
    try:
        held, step = _held(code)
    except NotFoundError as error:
        form = CodeForm(request.form)
        form.code.errors = [error.message]
        return render_template(f"{_TEMPLATES}/code.html", form=form), error.status
    questions = queries.questions(g.session, step.id)
    reply = held.reply
    stands = not held.withdrawn and (reply is None or reply.status == "published")
    return render_template(
        f"{_TEMPLATES}/reply.html",
        step=step,
        code=code,
        held=held,
        told=told,
        message=message,
        open=stands and accepts_acts(step, step.consultation, g.now),
        final=policy.is_final(step),
        questions=questions,
        answers=policy.from_json(held.answers or {}, questions),
        ground=ground_label(reply.status_reason) if reply is not None else "",
        least=urns.LEAST,
        labels=labels,
    )


def _form(
    code: str,
    step: Step,
    answers: Mapping[uuid.UUID, Given],
    refused: Mapping[uuid.UUID, str] | None = None,
    message: str = "",
) -> str:
    questions = queries.questions(g.session, step.id)
    numbers = policy.numbered(questions)
    form, asked = forms.page_form(
        conditions.in_order(questions), answers, numbers=numbers, errors=refused or {}, sure="sure" in request.form
    )
    traced = refused is not None and "sure" not in request.form and bool(policy.traced(questions, answers))
    shown: dict[str, Any] = {
        "step": step,
        "code": code,
        "anonymous": policy.is_anonymous(step),
        "texts": policy.texts(questions),
        "form": form,
        "asked": asked,
        "message": message,
        "traced": traced,
        "notes": forms.notes(asked, questions, numbers),
        "followed": forms.followed(questions, asked, answers),
        "least": urns.LEAST,
    }
    return render_template(f"{_TEMPLATES}/edit.html", **shown)


def _held(code: str) -> tuple[service.Held, Step]:
    """What a code opens. Raises NotFoundError."""
    held = service.find(g.session, g.organisation.id, code, keys=_keys()) if code else None
    step = g.session.get(Step, held.step_id) if held else None
    if held is None or step is None or not may_read(step.consultation, g.actor):
        raise NotFoundError(service.UNKNOWN)
    return held, step


def _code_or_none() -> str:
    return codes.clean(request.form.get("code", "")) or ""


def _keys() -> Keyring:
    return urns.keyring(current_app.extensions["settings"].seal_keys)
