"""The open data page, the files themselves, and the staff's button to make them."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response

from consult.actor import ANONYMOUS, Role
from consult.audit import service as audit
from consult.consultations import queries as consultations
from consult.errors import GoneError, NotFoundError
from consult.opendata import examples, queries, service
from consult.opendata import reference as api_reference
from consult.opendata.labels import DATASETS
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.security import anyone, anyone_indexable, limiter, staff
from consult.settings import Settings

bp = Blueprint("opendata", __name__)
MAKERS: Final = (Role.ADMINISTRATOR, Role.ORGANISER, Role.ANALYST, Role.DITP)


@bp.get("/donnees-ouvertes")
@anyone_indexable
@cached_for_visitors
def show() -> str:
    """Every export, with what its files hold."""
    datasets = current_app.extensions["bindings"].public_datasets
    return render_template(
        "opendata/show.html",
        published=queries.published(g.session, page=page_number(request.args)),
        datasets=datasets,
        labels=DATASETS,
        page_url=lambda n: url_for(".show", page=n),
    )


@bp.get("/aide/api/reference")
@anyone_indexable
@cached_for_visitors
def reference() -> str:
    """Every operation of the API, from its own specification, with examples that run on this site."""
    slugs = consultations.public_slugs(g.session, page=1, size=1)
    site = queries.absolute(g.session, g.organisation, current_app.extensions["settings"], "")
    wanted = request.args.get("q", "")[:100]
    return render_template(
        "opendata/reference.html",
        operations=api_reference.operations(
            current_app.spec,  # type: ignore[attr-defined]  # APIFlask's
            site=site,
            slug=slugs[0] if slugs else examples.SLUG,
            wanted=wanted,
        ),
        wanted=wanted,
    )


@bp.get("/donnees-ouvertes/<slug>/<name>")
@anyone
@limiter.limit("60/minute")
def download(slug: str, name: str) -> Response:
    """A file of the export in force; never one that holds what was taken away since."""
    consultation = consultations.consultation_or_404(g.session, slug, ANONYMOUS)
    dump = queries.served_dump(g.session, consultation.id)
    if dump is None:
        raise GoneError("Cet export est en cours de remplacement. Revenez dans quelques minutes.")
    settings: Settings = current_app.extensions["settings"]
    path = queries.file_of(dump, name, service.dump_folder(settings.data_path, dump.id))
    if path is None or not path.is_file():
        raise NotFoundError("Aucun fichier de ce nom dans cet export.")
    response = send_file(path.resolve(), as_attachment=name != "manifest.json", download_name=f"{slug}-{name}")
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/gestion/donnees-ouvertes")
@staff(*MAKERS, anywhere=True)
def manage() -> str:
    """What was asked for, and what became of it."""
    held = [key for key, roles in g.actor.by_consultation.items() if not roles.isdisjoint(MAKERS)]
    within = None if g.actor.holds(*MAKERS) else held
    published = queries.published(g.session, page=page_number(request.args), within=within)
    return render_template(
        "opendata/manage.html",
        published=published,
        asked=queries.last_requests(g.session, [each.id for each in published.listed.rows]),
        page_url=lambda n: url_for(".manage", page=n),
    )


@bp.post("/gestion/donnees-ouvertes/<slug>")
@staff(*MAKERS)
@limiter.limit("20/hour")
def make(slug: str) -> Response:
    """Ask for an export now."""
    consultation = consultations.consultation_or_404(g.session, slug, ANONYMOUS)
    dump = service.request_dump(g.session, consultation, now=g.now)
    audit.record(
        g.session,
        actor=g.actor,
        organisation_id=consultation.organisation_id,
        action="opendata.request",
        target_type="dump",
        target_id=dump.id,
        now=g.now,
        detail={"consultation": consultation.slug},
    )
    flash("Export demandé : il paraîtra ici dès qu’il sera prêt.", "success")
    return redirect(url_for("opendata.manage"), 303)
