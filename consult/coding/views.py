"""The analyst's page: codebooks, approvals, runs."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consult import seam
from consult.actor import Role
from consult.coding import queries, service
from consult.coding.forms import CodebookForm, RunForm
from consult.coding.quality import service as samples
from consult.consultations import queries as consultations
from consult.consultations.models import Consultation
from consult.errors import InvalidError
from consult.security import account_or_address, limited, limiter, staff

bp = Blueprint("coding", __name__)
READERS: Final = (Role.ANALYST, Role.ORGANISER, Role.ADMINISTRATOR, Role.DITP, Role.DECISION_MAKER, Role.READER)
WITHOUT_CODEBOOK: Final = "0"


def _page(
    consultation: Consultation, *, codebook_form: CodebookForm | None = None, run_form: RunForm | None = None
) -> str:
    books = queries.codebooks(g.session, consultation.id)
    if codebook_form is None:
        codebook_form = CodebookForm(source=books[0].source if books else "")
    return render_template(
        "coding/analysis.html",
        consultation=consultation,
        codebooks=books,
        runs=queries.runs(g.session, consultation.id),
        to_code=[
            each
            for each in queries.samples(g.session, consultation.id)
            if each.measured_at is None and samples.coder_of(each, g.actor)
        ],
        codebook_form=codebook_form,
        run_form=run_form or _run_form(consultation),
        party=service.party_of(g.actor),
        may_write=g.actor.holds(Role.ANALYST, Role.DITP, consultation_id=consultation.id),
    )


def _run_form(consultation: Consultation) -> RunForm:
    form = RunForm(request.form)
    form.codebook.choices = [
        *(
            (str(book.number), f"Version {book.number} – {book.title}{'' if book.approved else ' (non approuvée)'}")
            for book in queries.codebooks(g.session, consultation.id)
        ),
        (WITHOUT_CODEBOOK, "Sans plan de codification"),
    ]
    return form


@bp.get("/gestion/consultations/<slug>/analyse")
@staff(*READERS)
def analysis(slug: str) -> str:
    """Codebooks, approvals and runs of a consultation."""
    return _page(consultations.consultation_or_404(g.session, slug, g.actor))


@bp.post("/gestion/consultations/<slug>/analyse/plans")
@staff(Role.ANALYST, Role.DITP)
@limiter.limit("30/minute", key_func=account_or_address)
def save_codebook(slug: str) -> AnyResponse | tuple[str, int]:
    """Keep a new version of the codebook; a refused one comes back as it was typed."""
    form, checked = CodebookForm(request.form), None
    if form.validate():
        try:
            checked = seam.read_codebook(form.source.data)
        except InvalidError as refused:
            form.source.errors = [refused.fields["source"]]
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    if checked is None:
        return _page(consultation, codebook_form=form), 422
    codebook = service.save_codebook(g.session, consultation, checked, actor=g.actor, now=g.now)
    flash(f"La version {codebook.number} du plan est enregistrée. La DITP et l’administration peuvent l’approuver.")
    return redirect(url_for(".analysis", slug=slug), 303)


@bp.post("/gestion/consultations/<slug>/analyse/plans/<int:number>/approuver")
@staff(Role.DITP, Role.ADMINISTRATOR)
@limited
def approve_codebook(slug: str, number: int) -> AnyResponse:
    """Approve a version for one's party."""
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    codebook = queries.codebook(g.session, consultation.id, number)
    service.approve(g.session, codebook, consultation, actor=g.actor, now=g.now)
    flash(f"Vous avez approuvé la version {number} du plan de codification.")
    return redirect(url_for(".analysis", slug=slug), 303)


@bp.post("/gestion/consultations/<slug>/analyse/lancer")
@staff(Role.ANALYST, Role.DITP)
@limiter.limit("10/minute", key_func=account_or_address)
def request_run(slug: str) -> AnyResponse | tuple[str, int]:
    """Ask the worker for an analysis."""
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    form = _run_form(consultation)
    if not form.validate():
        return _page(consultation, run_form=form), 422
    chosen = form.codebook.data
    codebook = None if chosen == WITHOUT_CODEBOOK else queries.codebook(g.session, consultation.id, int(chosen))
    run = service.request_run(g.session, consultation, codebook=codebook, seed=form.seed.data, actor=g.actor, now=g.now)
    flash("L’analyse est demandée. Cette page montre son avancement ; vous pouvez la quitter.")
    return redirect(url_for("reporting.run_page", slug=slug, run_id=run.id), 303)
