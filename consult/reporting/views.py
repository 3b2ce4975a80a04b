"""Result pages: for staff as soon as a run is done, for all once it is published on the results step."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, current_app, flash, g, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from consult import seam
from consult.actor import Actor, Role
from consult.coding import queries as coding
from consult.coding import service
from consult.coding.jobs import run_folder
from consult.coding.models import AnalysisRun, RunStatus
from consult.coding.texts import verbatims
from consult.consultations import queries as consultations
from consult.consultations.models import Consultation, Step
from consult.errors import NotFoundError
from consult.pagecache import cached_for_visitors, purge
from consult.protocols import Bindings
from consult.questionnaires import policy as questionnaires
from consult.questionnaires.labels import BASES
from consult.questionnaires.policy import Access
from consult.reporting import queries
from consult.security import anyone, limited, staff

bp = Blueprint("reporting", __name__)
READERS: Final = (Role.ANALYST, Role.ORGANISER, Role.ADMINISTRATOR, Role.DITP, Role.DECISION_MAKER, Role.READER)

# Files of a run, by the name that addresses use. The public ones hold figures and identifiers, no verbatim: a text
# hidden or erased later must not stay in a file.
PUBLIC_FILES: Final = {
    "results.json": "report/results.json",
    "assignments.ndjson": "report/assignments.ndjson",
    "manifest.json": "report/manifest.json",
    "plan.yaml": "plan.yaml",
}
STAFF_FILES: Final = {**PUBLIC_FILES, "report.xlsx": "report/report.xlsx"}


def _folder(run: AnalysisRun) -> Path:
    return run_folder(current_app.extensions["settings"].data_path.resolve(), run.id)


# For all ------------------------------------------------------------------------------------------------------------


def step_page(session: Session, step: Step, actor: Actor, now: dt.datetime, arguments: Mapping[str, str]) -> str:
    """The results step: the last published run, or the reason why there is none yet."""
    del actor, now, arguments
    run = coding.published_run(session, step.consultation_id)
    later = _later(session, run) if run else {}
    return render_template(
        "reporting/step.html",
        step=step,
        run=run,
        results=queries.judged(seam.results(_folder(run) / "report"), later) if run else None,
        measures={**seam.measures(_folder(run) / "report"), **later} if run else {},
        outdated=bool(later),
        bases=_bases(step.consultation),
        files=sorted(_files(run, PUBLIC_FILES)) if run else [],
    )


def _later(session: Session, run: AnalysisRun) -> dict[str, dict[str, Any]]:
    """What was measured of the codes of a run since it was asked for, by corpus."""
    return {each.corpus: json.loads(each.measure or "") for each in coding.unread_measures(session, run)}


def _files(run: AnalysisRun, names: Mapping[str, str]) -> dict[str, str]:
    """The files of a run: these, and the measures that it read, without which nobody could make it again."""
    measures = sorted((_folder(run) / "report" / "quality").glob("*.json"))
    return {**names, **{f"quality-{path.name}": f"report/quality/{path.name}" for path in measures}}


def _bases(consultation: Consultation) -> list[tuple[str, str]]:
    """The questionnaires that were not open to accounts alone, each with who could answer it."""
    asked = [each for each in consultation.steps if each.kind == "questionnaire"]
    open_to = [(each.title, questionnaires.access(each)) for each in asked]
    return [(title, BASES[access]) for title, access in open_to if access is not Access.ACCOUNTS]


def _published(slug: str, step_slug: str) -> tuple[Step, AnalysisRun]:
    step = consultations.step_or_404(g.session, slug, step_slug, g.actor)
    run = coding.published_run(g.session, step.consultation_id) if step.kind == "results" else None
    if run is None:
        raise NotFoundError("Aucun résultat n’est publié à cette adresse.")
    return step, run


@bp.get("/consultations/<slug>/<step_slug>/chiffres")
@anyone
@cached_for_visitors
def behind(slug: str, step_slug: str) -> str:
    """The contributions behind one published figure."""
    step, run = _published(slug, step_slug)
    return _behind(step.consultation, run, back=url_for("consultations.step", slug=slug, step_slug=step_slug))


@bp.get("/consultations/<slug>/<step_slug>/fichiers/<name>")
@anyone
def public_file(slug: str, step_slug: str, name: str) -> Response:
    """A file of the published run."""
    _, run = _published(slug, step_slug)
    return _file(run, PUBLIC_FILES, name)


# For staff ----------------------------------------------------------------------------------------------------------


def _run(slug: str, run_id: uuid.UUID) -> tuple[Consultation, AnalysisRun]:
    consultation = consultations.consultation_or_404(g.session, slug, g.actor)
    return consultation, coding.run(g.session, consultation.id, run_id)


@bp.get("/gestion/consultations/<slug>/analyse/<uuid:run_id>")
@staff(*READERS)
def run_page(slug: str, run_id: uuid.UUID) -> str:
    """One run: its progress, its failure, or its results."""
    consultation, run = _run(slug, run_id)
    done = run.status is RunStatus.DONE
    later = _later(g.session, run)
    return render_template(
        "reporting/run.html",
        consultation=consultation,
        run=run,
        job=coding.job_of(g.session, run),
        results=queries.judged(seam.results(_folder(run) / "report"), later) if done else None,
        measures={**seam.measures(_folder(run) / "report"), **later} if done else {},
        outdated=bool(later),
        files=sorted(_files(run, STAFF_FILES)),
        may_publish=g.actor.holds(Role.ORGANISER, Role.ADMINISTRATOR, consultation_id=consultation.id),
    )


@bp.get("/gestion/consultations/<slug>/analyse/<uuid:run_id>/chiffres")
@staff(*READERS)
def behind_for_staff(slug: str, run_id: uuid.UUID) -> str:
    """The contributions behind one figure of a run not yet published."""
    consultation, run = _run(slug, run_id)
    return _behind(consultation, run, back=url_for(".run_page", slug=slug, run_id=run_id))


@bp.get("/gestion/consultations/<slug>/analyse/<uuid:run_id>/fichiers/<name>")
@staff(*READERS)
def staff_file(slug: str, run_id: uuid.UUID, name: str) -> Response:
    """A file of the run."""
    _, run = _run(slug, run_id)
    return _file(run, STAFF_FILES, name)


@bp.post("/gestion/consultations/<slug>/analyse/<uuid:run_id>/publier")
@staff(Role.ORGANISER, Role.ADMINISTRATOR)
@limited
def publish(slug: str, run_id: uuid.UUID) -> AnyResponse:
    """Show the run on the results step."""
    consultation, run = _run(slug, run_id)
    service.publish(g.session, run, consultation, actor=g.actor, now=g.now)
    purge()
    flash("Les résultats sont publiés sur l’étape « Résultats » de la consultation.")
    return redirect(url_for(".run_page", slug=slug, run_id=run_id), 303)


# Shared -------------------------------------------------------------------------------------------------------------


def _behind(consultation: Consultation, run: AnalysisRun, *, back: str) -> str:
    if run.status is not RunStatus.DONE:
        raise NotFoundError("Cette analyse n’a pas de résultat.")
    report = _folder(run) / "report"
    results = queries.judged(seam.results(report), _later(g.session, run))
    figure = queries.figure(results, report, request.args)
    pages = max(1, -(-len(figure.ids) // queries.PAGE_SIZE))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    shown = figure.ids[(page - 1) * queries.PAGE_SIZE : page * queries.PAGE_SIZE]
    bindings: Bindings = current_app.extensions["bindings"]
    named: dict[str, Any] = {name: value for name, value in request.args.items() if name != "page"}
    return render_template(
        "reporting/behind.html",
        consultation=consultation,
        figure=figure,
        verbatims=verbatims(
            g.session, consultation.id, figure.corpus["key"], figure.corpus["unit"], shown, bindings.content_types
        ),
        shown=len(shown),
        page=page,
        pages=pages,
        page_url=lambda number: url_for(str(request.endpoint), **(request.view_args or {}), **named, page=number),
        back=back,
    )


def _file(run: AnalysisRun, names: Mapping[str, str], name: str) -> Response:
    path = _folder(run) / _files(run, names).get(name, "absent")
    if run.status is not RunStatus.DONE or not path.is_file():
        raise NotFoundError("Cette analyse n’a pas de fichier de ce nom.")
    return send_file(path, as_attachment=True, download_name=f"{run.id}-{name}", max_age=0)
