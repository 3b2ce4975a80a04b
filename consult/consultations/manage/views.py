"""Staff pages of consultations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult.actor import Role
from consult.consultations import figures, labels, policy, queries, service
from consult.consultations.forms import CloseForm, ConsultationForm, StepForm, put_errors
from consult.consultations.models import Consultation, Step
from consult.errors import InvalidError, NotFoundError
from consult.organisations import policy as organisations
from consult.paging import page_number
from consult.protocols import StepKind
from consult.registry import queries as registry
from consult.security import access_of, limited, staff

bp = Blueprint("manage", __name__)
View: TypeAlias = str | Response | tuple[str, int]
ROOT: Final = "/gestion/consultations/<slug>"
readers = staff(*policy.DRAFT_READERS)
editors = staff(Role.ORGANISER, Role.ADMINISTRATOR)


@bp.get("/gestion")
@staff(*policy.DRAFT_READERS, Role.OPERATOR, anywhere=True)
def home() -> View:
    """The consultations that this person manages or reads."""
    listed = queries.staff_consultations(g.session, g.actor, page=page_number(request.args))
    may_create = g.actor.holds(Role.ORGANISER, Role.ADMINISTRATOR)
    phases = {each.id: policy.phase(each, g.now).value for each in listed.rows}
    return render_template(
        "consultations/manage/home.html",
        listed=listed,
        phases=phases,
        may_create=may_create,
        page_url=lambda n: url_for(".home", page=n),
    )


@bp.route("/gestion/consultations/nouvelle", methods=["GET", "POST"])
@editors
@limited
def create() -> View:
    """Start a draft."""
    form = ConsultationForm(request.form)
    if request.method == "POST" and form.validate():
        try:
            made = service.create_consultation(
                g.session,
                organisation_id=g.organisation.id,
                actor=g.actor,
                opens_at=form.opens_at.instant,
                closes_at=form.closes_at.instant,
                now=g.now,
                title=form.title.data,
                summary=form.summary.data or "",
                description=form.description.data or "",
                outcome=form.outcome.data or "",
                age=form.age,
            )
        except InvalidError as error:
            put_errors(form, error)
        else:
            flash("Le brouillon est créé. Ajoutez ses étapes, puis ouvrez la consultation.", "success")
            return redirect(url_for(".show", slug=made.slug), 303)
    page = render_template("consultations/manage/form.html", form=form, consultation=None)
    return (page, 422) if form.errors else page


@bp.get(ROOT)
@readers
def show(slug: str) -> View:
    """One consultation: its state, its steps, their figures."""
    consultation = _consultation(slug)
    counts = figures.of_steps(g.session, consultation.steps, _kinds())
    return render_template(
        "consultations/manage/show.html",
        consultation=consultation,
        phase=policy.phase(consultation, g.now).value,
        states={step.id: policy.step_state(step, consultation, g.now).value for step in consultation.steps},
        kinds=_kinds(),
        pages={step.id: _staff_pages(step) for step in consultation.steps},
        figures={step_id: labels.figures(each) for step_id, each in counts.items()},
        position=registry.counted(g.session),
        may_edit=g.actor.holds(Role.ORGANISER, Role.ADMINISTRATOR, consultation_id=consultation.id),
        draft=not policy.is_public(consultation),
    )


def _staff_pages(step: Step) -> list[tuple[str, str]]:
    """The pages that the kind of a step adds for staff, those that this person may open."""
    slug, allowed = step.consultation.slug, []
    routes = current_app.url_map.bind("")
    for path, label in getattr(_kinds().get(step.kind), "staff_pages", ()):
        endpoint, _ = routes.match(f"/gestion/consultations/{slug}/etapes/{step.slug}/{path}", method="GET")
        access = access_of(current_app.view_functions[endpoint])
        if access is not None and g.actor.holds(*access.roles, consultation_id=step.consultation_id):
            allowed.append((path, label))
    return allowed


@bp.route(f"{ROOT}/modifier", methods=["GET", "POST"])
@editors
@limited
def edit(slug: str) -> View:
    """Change a consultation's texts and dates."""
    consultation = _consultation(slug)
    form = ConsultationForm(request.form, obj=consultation)

    def save() -> None:
        service.update_consultation(
            g.session,
            consultation,
            actor=g.actor,
            title=form.title.data,
            summary=form.summary.data or "",
            description=form.description.data or "",
            outcome=form.outcome.data or "",
            age=None if policy.is_public(consultation) else form.age,
            opens_at=form.opens_at.instant,
            closes_at=form.closes_at.instant,
            step_kinds=_kinds(),
            now=g.now,
        )

    return _save(consultation, form, "consultations/manage/form.html", save, "La consultation est modifiée.")


@bp.route(f"{ROOT}/etapes/nouvelle", methods=["GET", "POST"])
@editors
@limited
def add_step(slug: str) -> View:
    """Add a step to a draft."""
    consultation = _consultation(slug)
    dates = {"opens_at": consultation.opens_at, "closes_at": consultation.closes_at}
    form = StepForm(request.form, data=dates)
    form.kind.choices = [(name, kind.label) for name, kind in _kinds().items()]

    def save() -> None:
        service.add_step(
            g.session,
            consultation,
            actor=g.actor,
            kind=_kinds()[form.kind.data],
            title=form.title.data,
            introduction=form.introduction.data or "",
            opens_at=form.opens_at.instant,
            closes_at=form.closes_at.instant,
            now=g.now,
        )

    return _save(consultation, form, "consultations/manage/step_form.html", save, "L’étape est ajoutée.")


@bp.route(f"{ROOT}/etapes/<step_slug>", methods=["GET", "POST"])
@editors
@limited
def edit_step(slug: str, step_slug: str) -> View:
    """Change a step."""
    step = _step(slug, step_slug)
    form = StepForm(request.form, obj=step)
    del form.kind

    def save() -> None:
        service.update_step(
            g.session,
            step,
            actor=g.actor,
            title=form.title.data,
            introduction=form.introduction.data or "",
            opens_at=form.opens_at.instant,
            closes_at=form.closes_at.instant,
            step_kinds=_kinds(),
            now=g.now,
        )

    return _save(step.consultation, form, "consultations/manage/step_form.html", save, "L’étape est modifiée.")


@bp.post(f"{ROOT}/etapes/<step_slug>/deplacer")
@editors
@limited
def move_step(slug: str, step_slug: str) -> View:
    """Move a step up or down by one."""
    step = _step(slug, step_slug)
    up = request.form.get("sens") == "haut"
    return _act(
        slug, lambda: service.move_step(g.session, step, actor=g.actor, up=up, now=g.now), "L’étape est déplacée."
    )


@bp.post(f"{ROOT}/etapes/<step_slug>/supprimer")
@editors
@limited
def remove_step(slug: str, step_slug: str) -> View:
    """Remove a step of a draft."""
    step = _step(slug, step_slug)
    return _act(slug, lambda: service.remove_step(g.session, step, actor=g.actor, now=g.now), "L’étape est supprimée.")


@bp.route(f"{ROOT}/ouvrir", methods=["GET", "POST"])
@editors
@limited
def open_(slug: str) -> View:
    """Check, then open: the rules are frozen."""
    consultation = _consultation(slug)
    refusal = ""
    if request.method == "POST":
        try:
            with g.session.begin_nested():
                service.open_consultation(
                    g.session, consultation, organisation=g.organisation, actor=g.actor, step_kinds=_kinds(), now=g.now
                )
        except InvalidError as error:
            refusal = error.message
        else:
            flash("La consultation est publique et ses règles sont figées.", "success")
            return redirect(url_for(".show", slug=slug), 303)
    page = render_template(
        "consultations/manage/open.html",
        consultation=consultation,
        gaps=organisations.legal_notice_gaps(g.organisation),
        past=consultation.closes_at <= g.now,
        draft=not policy.is_public(consultation),
        missing=service.missing(g.session, consultation, organisation=g.organisation, step_kinds=_kinds(), now=g.now),
        refusal=refusal,
    )
    return (page, 422) if refusal else page


@bp.route(f"{ROOT}/fermer", methods=["GET", "POST"])
@editors
@limited
def close(slug: str) -> View:
    """Close for ever, with a public reason."""
    consultation = _consultation(slug)
    form = CloseForm(request.form)

    def save() -> None:
        service.close_consultation(g.session, consultation, actor=g.actor, reason=form.reason.data, now=g.now)

    return _save(consultation, form, "consultations/manage/close.html", save, "La consultation est fermée.")


def _kinds() -> Mapping[str, StepKind]:
    kinds: Mapping[str, StepKind] = current_app.extensions["bindings"].step_kinds
    return kinds


def _consultation(slug: str) -> Consultation:
    return queries.consultation_or_404(g.session, slug, g.actor)


def _step(slug: str, step_slug: str) -> Step:
    found = [step for step in _consultation(slug).steps if step.slug == step_slug]
    if not found:
        raise NotFoundError("Cette étape n’existe pas dans cette consultation.")
    return found[0]


def _save(consultation: Consultation, form: Any, template: str, save: Callable[[], None], done: str) -> View:
    """Show a form, or save it and go back to the consultation; what was typed stays on the page when refused."""
    if request.method == "POST" and form.validate():
        try:
            with g.session.begin_nested():
                save()
        except InvalidError as error:
            put_errors(form, error)
        else:
            flash(done, "success")
            return redirect(url_for(".show", slug=consultation.slug), 303)
    draft = not policy.is_public(consultation)
    page = render_template(template, form=form, consultation=consultation, draft=draft)
    return (page, 422) if form.errors else page


def _act(slug: str, act: Callable[[], None], done: str) -> View:
    try:
        act()
    except InvalidError as error:
        flash(error.message, "error")
    else:
        flash(done, "success")
    return redirect(url_for(".show", slug=slug), 303)
