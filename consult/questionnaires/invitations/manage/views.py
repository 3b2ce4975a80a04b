"""Staff pages of the invitations of a questionnaire: issued, reminded, revoked, in numbers alone."""

from __future__ import annotations

import csv
import io
import uuid
from typing import Any, Final, TypeAlias

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.accounts.sign_up.views import addresses
from consult.actor import Role
from consult.consultations import policy as consultations
from consult.consultations import queries as consultation_queries
from consult.consultations.forms import put_errors
from consult.consultations.models import Step
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.labels import number
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.anonymous import urns
from consult.questionnaires.invitations import queries, service
from consult.questionnaires.invitations.forms import CountForm, MailForm
from consult.security import limited, staff

bp = Blueprint("invitations_desk", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/gestion/consultations/<slug>/etapes/<step_slug>/invitations"
MOST_BYTES: Final = 1_000_000
LONGEST_COUNT: Final = 9  # digits
organisers = staff(Role.ORGANISER, Role.ADMINISTRATOR)


def _step(slug: str, step_slug: str) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind != "questionnaire":
        raise NotFoundError("Cette étape n’est pas un questionnaire.")
    return step


@bp.get(ROOT)
@organisers
def listing(slug: str, step_slug: str) -> View:
    """The batches, in numbers."""
    return _list(_step(slug, step_slug))


@bp.route(f"{ROOT}/courriels", methods=["GET", "POST"])
@organisers
@limited
def by_mail(slug: str, step_slug: str) -> View:
    """Invite addresses, pasted or in a file."""
    step = _step(slug, step_slug)
    form = MailForm(request.form)
    if request.method == "GET":
        return _form(step, "mail", form)
    sent = request.files.get("file")
    raw = sent.stream.read(MOST_BYTES + 1) if sent else b""
    if len(raw) > MOST_BYTES:
        form.file.errors = ["Ce fichier dépasse un mégaoctet\u00a0: faites plusieurs envois."]
        return _form(step, "mail", form), 422
    text = f"{form.addresses.data or ''}\n{_decoded(raw)}"
    try:
        with g.session.begin_nested():
            batch, known = service.issue_by_mail(
                g.session, step, name=form.name.data or "", text=text, actor=g.actor, now=g.now
            )
    except (InvalidError, ConflictError) as error:
        put_errors(form, error)
        return _form(step, "mail", form), error.status
    told = f"{number(batch.issued)} invitations partent par courriel."
    flash(f"{told} {number(known)} adresses étaient déjà invitées." if known else told, "success")
    return _back(step)


@bp.route(f"{ROOT}/codes", methods=["GET", "POST"])
@organisers
@limited
def by_code(slug: str, step_slug: str) -> View:
    """Draw codes, given once as a file: the database keeps none."""
    step = _step(slug, step_slug)
    form = CountForm(request.form)
    if request.method == "GET":
        return _form(step, "codes", form)
    typed = "".join((form.count.data or "").split())
    count = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < LONGEST_COUNT else 0
    try:
        with g.session.begin_nested():
            drawn = service.issue_codes(
                g.session, step, name=form.name.data or "", count=count, actor=g.actor, now=g.now
            )
    except (InvalidError, ConflictError) as error:
        put_errors(form, error)
        return _form(step, "codes", form), error.status
    written = io.StringIO()
    writer = csv.writer(written, delimiter=";", lineterminator="\r\n")
    writer.writerow(["code", "lien"])
    writer.writerows((code, f"{addresses().site}/invitation?code={code}") for code in drawn)
    response = Response(written.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="invitations-{step.slug}.csv"'
    return response


@bp.post(f"{ROOT}/<uuid:batch_id>/rappel")
@organisers
@limited
def remind(slug: str, step_slug: str, batch_id: uuid.UUID) -> View:
    """Write once more to those whose invitation did not serve."""
    step = _step(slug, step_slug)
    try:
        with g.session.begin_nested():
            service.remind(g.session, step, batch_id, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error.message), error.status
    flash("Le rappel part aux personnes dont l’invitation n’a pas servi.", "success")
    return _back(step)


@bp.route(f"{ROOT}/<uuid:batch_id>/revoquer", methods=["GET", "POST"])
@organisers
@limited
def revoke(slug: str, step_slug: str, batch_id: uuid.UUID) -> View:
    """Take back the invitations of a batch that did not serve; asked first, since it is for ever."""
    step = _step(slug, step_slug)
    if request.method == "GET":
        batch = queries.batch(g.session, step.id, batch_id)
        return render_template("questionnaires/invitations/revoke.html", step=step, batch=batch)
    try:
        with g.session.begin_nested():
            gone = service.revoke(g.session, step, batch_id, actor=g.actor, now=g.now)
    except ConflictError as error:
        return _list(step, error.message), error.status
    flash(f"Invitations révoquées\u00a0: {number(gone)}. Celles qui avaient servi restent comptées.", "success")
    return _back(step)


def _list(step: Step, message: str = "") -> str:
    return render_template("questionnaires/invitations/list.html", message=message, **_shown(step))


def _form(step: Step, name: str, form: Any) -> str:
    return render_template(f"questionnaires/invitations/{name}.html", form=form, **_shown(step))


def _shown(step: Step) -> dict[str, Any]:
    return {
        "step": step,
        "inviting": questionnaires.access(step) is questionnaires.Access.INVITATIONS,
        "opened": consultations.is_public(step.consultation),
        "over": consultations.step_state(step, step.consultation, g.now) is consultations.Phase.CLOSED,
        "anonymous": questionnaires.is_anonymous(step),
        "least": urns.LEAST,
        "tallies": queries.tallies(g.session, step.id),
    }


def _back(step: Step) -> Response:
    return redirect(url_for(".listing", slug=step.consultation.slug, step_slug=step.slug), 303)


def _decoded(raw: bytes) -> str:
    """The text of a file, as spreadsheets write it."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")
