"""Public pages of consultations: the list, one consultation, one step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from flask import Blueprint, current_app, g, render_template, request, url_for
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.consultations import figures, labels, policy, queries, reading
from consult.consultations.age.views import bp as age
from consult.consultations.manage.views import bp as manage
from consult.consultations.models import Consultation, Step
from consult.consultations.pseudonym.views import bp as pseudonym
from consult.errors import NotFoundError
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.protocols import StepKind
from consult.registry import queries as registry
from consult.security import anyone, anyone_indexable

bp = Blueprint("consultations", __name__)
for part in (manage, pseudonym, age):
    bp.register_blueprint(part)
HOME_LISTED: Final = 12  # consultations of each phase on the home page
FEATURED: Final = 3  # consultations of the home page whose figures are counted


@bp.app_context_processor
def _words() -> dict[str, Any]:
    return {"readings": labels.READINGS, "off_hours": labels.OFF_HOURS, "moderators_hours": reading.HOURS}


@bp.get("/")
@anyone_indexable
@cached_for_visitors
def home() -> str:
    """The home page: what is open, what comes, what is over."""
    phases = queries.first_public(g.session, g.now, HOME_LISTED)
    current = [*phases[policy.Phase.OPEN], *phases[policy.Phase.CLOSED]][:FEATURED]
    counts = figures.of_steps(g.session, [step for each in current for step in each.steps], step_kinds())
    return render_template(
        "consultations/home.html",
        phases=phases,
        figures=labels.figures(figures.totals(counts.values())),
        position=registry.counted(g.session),
        home_listed=HOME_LISTED,
    )


@bp.get("/consultations")
@anyone_indexable
@cached_for_visitors
def listing() -> str:
    """Every public consultation, by pages."""
    listed = queries.public_consultations(g.session, g.now, page=page_number(request.args))
    return render_template(
        "consultations/list.html",
        listed=listed,
        phases=queries.by_phase(listed.rows, g.now),
        page_url=lambda n: url_for(".listing", page=n),
    )


@bp.get("/consultations/<slug>")
@anyone_indexable
@cached_for_visitors
def show(slug: str) -> str:
    """One consultation: why, who decides, what will be done, its calendar and live counts."""
    consultation = queries.consultation_or_404(g.session, slug, g.actor)
    counts = figures.of_steps(g.session, consultation.steps, step_kinds())
    return render_template(
        "consultations/show.html",
        consultation=consultation,
        phase=policy.phase(consultation, g.now).value,
        steps=calendar(consultation, g.now),
        figures=labels.figures(figures.totals(counts.values())),
        position=registry.counted(g.session),
        draft=not policy.is_public(consultation),
        closing_reason=queries.closing_reason(g.session, consultation),
    )


@bp.get("/consultations/<slug>/<step_slug>")
@anyone
@cached_for_visitors
def step(slug: str, step_slug: str) -> str:
    """One step, drawn by its kind."""
    found = queries.step_or_404(g.session, slug, step_slug, g.actor)
    kind = step_kinds().get(found.kind)
    if kind is None:
        raise NotFoundError("Cette étape est d’un type qui n’est pas installé.")
    return kind.render(g.session, found, g.actor, g.now, request.args)


def presentation_page(
    session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]
) -> str:
    """The page of a presentation step."""
    del session, actor, arguments
    state = policy.step_state(step, step.consultation, now).value
    return render_template("consultations/presentation.html", step=step, state=state)


def step_kinds() -> Mapping[str, StepKind]:
    """The kinds of steps that are installed."""
    kinds: Mapping[str, StepKind] = current_app.extensions["bindings"].step_kinds
    return kinds


def calendar(consultation: Consultation, now: dt.datetime) -> list[dict[str, Any]]:
    """The steps as the timeline shows them."""
    kinds = step_kinds()
    return [
        {
            "title": step.title,
            "href": url_for("consultations.step", slug=consultation.slug, step_slug=step.slug),
            "state": policy.step_state(step, consultation, now).value,
            "kind": kinds[step.kind].label if step.kind in kinds else "",
            "starts": step.opens_at,
            "ends": step.ends_at,
            "summary": "",
        }
        for step in sorted(consultation.steps, key=lambda each: each.position)
    ]
