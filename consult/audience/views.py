"""/gestion/audience: the reports of traffic."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consult import clock, office, pdf
from consult.actor import Role
from consult.audience import files, forms, labels, queries, service
from consult.audience.figures import Span
from consult.audience.models import Period, TrafficReport
from consult.audience.pages import Told
from consult.consultations.forms import put_errors
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.jobs import queries as job_queries
from consult.paging import page_number
from consult.security import account_or_address, limited, limiter, staff

bp = Blueprint("audience", __name__, url_prefix="/gestion/audience")
WRITERS: Final = (Role.ADMINISTRATOR, Role.ORGANISER, Role.ANALYST)
READERS: Final = (*WRITERS, Role.DECISION_MAKER, Role.READER, Role.DITP)
readers, writers = staff(*READERS), staff(*WRITERS)
View = str | AnyResponse | tuple[str, int]


@bp.get("")
@readers
def listing() -> View:
    """The reports that there are, and the form that asks for one."""
    return _listing(forms.ReportForm(data={"period": "week"}))


@bp.post("")
@writers
@limiter.limit("60/hour", key_func=account_or_address)
def make() -> View:
    """Ask for a report, or for its figures again."""
    form = forms.ReportForm(request.form)
    if form.validate():
        span = Span.of(Period(form.period.data), form.day.data)
        try:
            with g.session.begin_nested():
                report = service.request(g.session, g.organisation.id, span, actor=g.actor, now=g.now)
        except InvalidError as error:
            put_errors(form, error)
        except ConflictError as error:
            form.form_errors = [error.message]
        else:
            flash("Le bilan est en préparation\u00a0: cette page dira quand il sera prêt.", "success")
            return redirect(url_for(".show", report_id=report.id), 303)
    return _listing(form), 422


@bp.get("/<uuid:report_id>")
@readers
def show(report_id: uuid.UUID) -> View:
    """One report."""
    report = queries.report_or_404(g.session, report_id)
    data = {"recommendations": report.recommendations, "edits": str(report.edits)}
    return _show(report, forms.RecommendationsForm(data=data))


@bp.post("/<uuid:report_id>/recommandations")
@writers
@limited
def recommend(report_id: uuid.UUID) -> View:
    """Write what is recommended."""
    report, form = queries.report_or_404(g.session, report_id), forms.RecommendationsForm(request.form)
    raw = form.edits.data or ""
    seen = int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 9 else -1  # noqa: PLR2004  # digits of a count
    try:
        with g.session.begin_nested():
            service.recommend(g.session, report, form.recommendations.data or "", seen=seen, actor=g.actor, now=g.now)
    except InvalidError as error:
        put_errors(form, error)
        return _show(report, form), 422
    except ConflictError as error:
        form.form_errors = [error.message]
        form.edits.data = str(report.edits)
        return _show(report, form), error.status
    flash("Les recommandations sont enregistrées.", "success")
    return redirect(url_for(".show", report_id=report.id), 303)


@bp.get("/<uuid:report_id>/bilan.<kind>")
@readers
@limiter.limit("30/minute", key_func=account_or_address)
def download(report_id: uuid.UUID, kind: str) -> Response:
    """The report as a file."""
    report = queries.report_or_404(g.session, report_id)
    if report.made_at is None:
        raise NotFoundError("Ce bilan est encore en préparation.")
    paper = files.paper(g.organisation.name, report)
    if kind == "docx":
        content, media = files.docx(paper), office.MEDIA_TYPE
    elif kind == "xlsx":
        content, media = files.xlsx(paper), files.XLSX
    elif kind == "pdf":
        page = render_template("audience/print.html", paper=paper, columns=files.FIGURES, none_yet=files.NONE_YET)
        content, media = pdf.written(page), pdf.MEDIA_TYPE
    else:
        raise NotFoundError("Un bilan se prend en DOCX, en PDF ou en XLSX.")
    name = f"frequentation-{report.period.value}-{report.first_day.isoformat()}.{kind}"
    return Response(content, mimetype=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _listing(form: Any) -> str:
    return render_template(
        "audience/list.html",
        form=form,
        listed=queries.reports(g.session, page=page_number(request.args)),
        may_write=g.actor.holds(*WRITERS),
        today=clock.day(g.now),
        labels=labels,
        period=lambda report: labels.period(Span(report.period, report.first_day)),
        page_url=lambda n: url_for(".listing", page=n),
    )


def _show(report: TrafficReport, form: Any) -> str:
    span = Span(report.period, report.first_day)
    return render_template(
        "audience/show.html",
        report=report,
        told=Told.of(report) if report.made_at else None,
        waiting=report.job_id is not None and not job_queries.is_over(g.session, report.job_id),
        form=form,
        may_write=g.actor.holds(*WRITERS),
        labels=labels,
        title=f"{labels.PERIODS[report.period]} de fréquentation",
        period=labels.period(span),
        span=span,
        columns=files.FIGURES,
        none_yet=files.NONE_YET,
    )
