"""Staff pages of official answers, commitments and cases: the same pages at each desk."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from consult import pagecache
from consult.accounts.notices.views import sender
from consult.consultations import policy as consultations
from consult.consultations import queries as consultation_queries
from consult.consultations.forms import put_errors
from consult.consultations.models import Consultation
from consult.errors import ConflictError, GoneError, InvalidError
from consult.followup import forms, labels, pages, policy, queries, service
from consult.followup.manage.desks import DESKS, Desk
from consult.followup.models import Commitment, Stage, Status
from consult.paging import page_number
from consult.security import limited, staff

bp = Blueprint("manage", __name__)
View: TypeAlias = str | Response | tuple[str, int]
CONSULTATION: Final = "/gestion/consultations/<slug>"
ROOT: Final = f"{CONSULTATION}/<any({', '.join(repr(path) for path in DESKS)}):desk>"
ITEM: Final = f"{ROOT}/<uuid:item_id>"
COMMITMENTS: Final = "engagements"
readers = staff(*consultations.DRAFT_READERS)
writers = staff(*policy.WRITERS)


@bp.get(ROOT)
@readers
def listing(slug: str, desk: str) -> View:
    """Those of a consultation, in any state."""
    consultation, here = _consultation(slug), DESKS[desk]
    listed = queries.listed(g.session, here.model, consultation.id, page=page_number(request.args))
    return _page(
        "list",
        here,
        consultation,
        listed=listed,
        titles=pages.target_titles(consultation.id, listed.rows),
        page_url=lambda n: url_for(".listing", slug=slug, desk=desk, page=n),
    )


@bp.route(f"{ROOT}/nouveau", methods=["GET", "POST"])
@writers
@limited
def create(slug: str, desk: str) -> View:
    """Start a draft."""
    return _edit(DESKS[desk], _consultation(slug), None)


@bp.get(ITEM)
@readers
def show(slug: str, desk: str, item_id: uuid.UUID) -> View:
    """One, as the public reads it or will, and what may be done with it."""
    consultation = _consultation(slug)
    return _show(DESKS[desk], consultation, _item(desk, consultation, item_id))


@bp.route(f"{ITEM}/modifier", methods=["GET", "POST"])
@writers
@limited
def edit(slug: str, desk: str, item_id: uuid.UUID) -> View:
    """Rewrite a draft; correct what is published."""
    consultation = _consultation(slug)
    return _edit(DESKS[desk], consultation, _item(desk, consultation, item_id))


@bp.post(f"{ITEM}/publier")
@writers
@limited
def publish(slug: str, desk: str, item_id: uuid.UUID) -> View:
    """Make it public."""
    consultation = _consultation(slug)
    item = _item(desk, consultation, item_id)
    try:
        with g.session.begin_nested():
            service.publish(
                g.session, item, consultation=consultation, seen=forms.edits_in(request.form.get("edits", "")),
                actor=g.actor, sender=sender(), now=g.now,
            )  # fmt: skip
    except (InvalidError, ConflictError) as error:
        return _show(DESKS[desk], consultation, item, refusal=error.message), error.status
    return _done(desk, slug, "published", item.id)


@bp.post(f"{ITEM}/supprimer")
@writers
@limited
def remove(slug: str, desk: str, item_id: uuid.UUID) -> View:
    """Throw a draft away."""
    service.remove(g.session, _item(desk, _consultation(slug), item_id), actor=g.actor, now=g.now)
    return _done(desk, slug, "removed")


@bp.route(f"{ITEM}/retirer", methods=["GET", "POST"])
@writers
@limited
def withdraw(slug: str, desk: str, item_id: uuid.UUID) -> View:
    """Take it back, with a public reason."""
    consultation = _consultation(slug)
    item, form = _item(desk, consultation, item_id), forms.WithdrawForm(request.form)

    def save() -> None:
        reason = form.reason.data or ""
        service.withdraw(g.session, item, reason=reason, actor=g.actor, sender=sender(), now=g.now)

    if request.method == "POST" and form.validate() and _saved(form, save):
        return _done(desk, slug, "withdrawn", item.id)
    page = _page("withdraw", DESKS[desk], consultation, item=item, form=form)
    return (page, 422) if form.errors else page


@bp.route(f"{CONSULTATION}/engagements/<uuid:item_id>/point-d-etape", methods=["GET", "POST"])
@writers
@limited
def follow_up(slug: str, item_id: uuid.UUID) -> View:
    """Say in public how far a commitment has come."""
    consultation = _consultation(slug)
    commitment = queries.one(g.session, Commitment, item_id, consultation_id=consultation.id)
    form = forms.UpdateForm(request.form, data={"stage": commitment.stage.value, "edits": commitment.edits})

    def save() -> None:
        service.follow_up(
            g.session, commitment, stage=Stage(form.stage.data), body=form.body.data or "", seen=forms.seen(form),
            actor=g.actor, now=g.now,
        )  # fmt: skip

    if request.method == "POST" and form.validate() and _saved(form, save):
        pagecache.purge()
        flash("Le point d’étape est publié.", "success")
        return redirect(url_for(".show", slug=slug, desk=COMMITMENTS, item_id=item_id), 303)
    page = _page("update", DESKS[COMMITMENTS], consultation, item=commitment, form=form)
    return (page, 422) if form.errors else page


# Parts of a page ----------------------------------------------------------------------------------------------------


def _consultation(slug: str) -> Consultation:
    return consultation_queries.consultation_or_404(g.session, slug, g.actor)


def _item(desk: str, consultation: Consultation, item_id: uuid.UUID) -> Any:
    return queries.one(g.session, DESKS[desk].model, item_id, consultation_id=consultation.id)


def _page(name: str, desk: Desk, consultation: Consultation, **context: Any) -> str:
    return render_template(
        f"followup/manage/{name}.html",
        desk=desk,
        consultation=consultation,
        may_write=g.actor.holds(*policy.WRITERS, consultation_id=consultation.id),
        is_overdue=lambda item: policy.is_overdue(item, g.now),
        here=lambda act, **values: url_for(f".{act}", slug=consultation.slug, desk=desk.path, **values),
        **({"outcomes": labels.OUTCOMES, "stages": labels.STAGES} | context),
    )


def _show(desk: Desk, consultation: Consultation, item: Any, *, refusal: str = "") -> str:
    return _page("show", desk, consultation, item=item, refusal=refusal, **pages.told(item))


def _edit(desk: Desk, consultation: Consultation, item: Any) -> View:
    """A form, saved or shown: a draft is saved at once, a correction can be looked at first."""
    form = desk.form(g.session, consultation, item, request.form, forms.about_in(request.args))
    saved: list[Any] = [item]

    def save() -> None:
        acting = {"actor": g.actor, "now": g.now}
        if item is None:
            saved[0] = service.create(g.session, desk.model, consultation, desk.values(form), **acting)
        else:
            service.change(
                g.session, item, desk.values(form), consultation=consultation, seen=forms.seen(form), sender=sender(),
                **acting,
            )  # fmt: skip

    preview = request.form.get("action") == "preview"
    if request.method == "POST" and form.validate() and not preview and _saved(form, save):
        corrected = saved[0].status is Status.PUBLISHED
        return _done(desk.path, consultation.slug, "corrected" if corrected else "saved", saved[0].id)
    page = _page("form", desk, consultation, item=item, form=form, preview=preview and not form.errors)
    return (page, 422) if form.errors else page


def _saved(form: Any, save: Callable[[], None]) -> bool:
    """Whether it could be done; a refusal goes on the form, which keeps what was typed."""
    try:
        with g.session.begin_nested():
            save()
    except (InvalidError, ConflictError, GoneError) as error:
        put_errors(form, InvalidError(error.message, fields=error.fields))
        return False
    return True


def _done(desk: str, slug: str, act: str, item_id: uuid.UUID | None = None) -> Response:
    pagecache.purge()
    flash(DESKS[desk].done(act), "success")
    if item_id is None:
        return redirect(url_for(".listing", slug=slug, desk=desk), 303)
    return redirect(url_for(".show", slug=slug, desk=desk, item_id=item_id), 303)
