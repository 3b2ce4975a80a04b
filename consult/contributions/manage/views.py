"""Staff pages of a step of proposals or of a bill: its rules and its themes, until they are frozen."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.audit import service as audit
from consult.consultations import policy as consultations
from consult.consultations import queries as consultation_queries
from consult.consultations.forms import put_errors
from consult.consultations.models import Step
from consult.contributions import queries
from consult.contributions.forms import ThemeForm, chosen_rules, rules_form
from consult.contributions.manage import service
from consult.errors import InvalidError, NotFoundError
from consult.security import limited, staff

bp = Blueprint("manage", __name__)
STEP: Final = "/gestion/consultations/<slug>/etapes/<step_slug>"
ROOT: Final = f"{STEP}/themes"
editors = staff(Role.ORGANISER, Role.ADMINISTRATOR)


@bp.get(ROOT)
@editors
def themes(slug: str, step_slug: str) -> str:
    """The themes of a step."""
    return _page(_step(slug, step_slug), ThemeForm())


@bp.post(ROOT)
@editors
@limited
def add_theme(slug: str, step_slug: str) -> Response | tuple[str, int]:
    """Add a theme."""
    step = _step(slug, step_slug)
    form = ThemeForm(request.form)
    return _act(step, "theme.add", form, lambda: service.add_theme(g.session, step, title=form.title.data or ""))


@bp.post(f"{ROOT}/<uuid:theme_id>/supprimer")
@editors
@limited
def remove_theme(slug: str, step_slug: str, theme_id: uuid.UUID) -> Response | tuple[str, int]:
    """Remove a theme."""
    step = _step(slug, step_slug)
    return _act(step, "theme.remove", ThemeForm(), lambda: service.remove_theme(g.session, step, theme_id))


@bp.route(f"{STEP}/regles", methods=["GET", "POST"])
@editors
@limited
def rules(slug: str, step_slug: str) -> Response | str | tuple[str, int]:
    """How people take part in a step."""
    step = _step(slug, step_slug, kinds=("proposals", "bill"))
    form = rules_form(step.kind, step.settings, request.form if request.method == "POST" else None)
    if request.method == "POST" and form.validate():
        try:
            service.set_rules(g.session, step, chosen_rules(form))
        except InvalidError as error:
            put_errors(form, error)
        else:
            _record(step, "step.rules", step.settings)
            flash("Les règles de l’étape sont enregistrées.", "success")
            return redirect(url_for(".rules", slug=slug, step_slug=step_slug), 303)
    frozen = consultations.is_public(step.consultation)
    page = render_template(
        "contributions/rules.html", step=step, consultation=step.consultation, frozen=frozen, form=form
    )
    return (page, 422) if form.errors else page


def _act(step: Step, action: str, form: ThemeForm, act: Callable[[], Any]) -> Response | tuple[str, int]:
    try:
        act()
    except InvalidError as error:
        put_errors(form, error)
        return _page(step, form), 422
    _record(step, action)
    flash("Les thèmes sont modifiés.", "success")
    return redirect(url_for(".themes", slug=step.consultation.slug, step_slug=step.slug), 303)


def _record(step: Step, action: str, detail: Mapping[str, Any] | None = None) -> None:
    audit.record(
        g.session,
        actor=g.actor,
        organisation_id=step.organisation_id,
        action=action,
        target_type="step",
        target_id=step.id,
        now=g.now,
        detail=detail,
    )


def _page(step: Step, form: ThemeForm) -> str:
    return render_template(
        "contributions/themes.html",
        step=step,
        consultation=step.consultation,
        themes=queries.themes(g.session, step.id),
        frozen=consultations.is_public(step.consultation),
        form=form,
    )


def _step(slug: str, step_slug: str, kinds: Collection[str] = ("proposals",)) -> Step:
    step = consultation_queries.step_or_404(g.session, slug, step_slug, g.actor)
    if step.kind not in kinds:
        raise NotFoundError("Cette étape ne recueille pas de propositions.")
    return step
