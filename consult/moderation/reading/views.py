"""Staff page that says when the texts of a step are read."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult import pagecache
from consult.actor import Role
from consult.consultations import policy as consultations
from consult.consultations import queries as steps
from consult.consultations.forms import put_errors
from consult.consultations.models import OffHours, Reading
from consult.errors import InvalidError, NotFoundError
from consult.moderation import queries
from consult.moderation.reading import service
from consult.moderation.reading.forms import ReadingForm
from consult.security import limited, staff

bp = Blueprint("reading", __name__)
PATH: Final = "/gestion/consultations/<slug>/etapes/<step_slug>/moderation"


@bp.route(PATH, methods=["GET", "POST"])
@staff(Role.ORGANISER, Role.ADMINISTRATOR)
@limited
def choose(slug: str, step_slug: str) -> Response | str | tuple[str, int]:
    """When the texts of a step are read, and every change of it."""
    step = steps.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind not in service.KINDS:
        raise NotFoundError("Cette étape se modère après publication.")
    form = ReadingForm(
        request.form if request.method == "POST" else None,
        data={"reading": step.reading.value, "off_hours": step.off_hours.value, "charter": step.charter},
    )
    if request.method == "POST" and form.validate():
        try:
            changed = service.choose(
                g.session,
                step,
                actor=g.actor,
                how=Reading(form.reading.data),
                off_hours=OffHours(form.off_hours.data),
                charter=form.charter.data or "",
                now=g.now,
            )
        except InvalidError as error:
            put_errors(form, error)
        else:
            if changed:
                pagecache.purge()
            flash("La modération de l’étape est enregistrée." if changed else "Rien n’a changé.", "success")
            return redirect(url_for(".choose", slug=slug, step_slug=step_slug), 303)
    page = render_template(
        "moderation/reading.html",
        step=step,
        consultation=step.consultation,
        public=consultations.is_public(step.consultation),
        changes=queries.reading_changes(g.session, step_id=step.id),
        form=form,
    )
    return (page, 422) if form.errors else page
