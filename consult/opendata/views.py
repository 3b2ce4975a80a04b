"""The open data page, the files themselves, and the staff's button to make them."""

from __future__ import annotations

import csv
import io
from typing import Final

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, send_file, url_for
from flask import Response as FlaskResponse
from werkzeug.wrappers import Response

from consult.actor import ANONYMOUS, Role
from consult.audit import service as audit
from consult.consultations import queries as consultations
from consult.errors import GoneError, NotFoundError
from consult.followup.cases import COLUMNS
from consult.opendata import catalogue as catalogues
from consult.opendata import examples, queries, service
from consult.opendata import reference as api_reference
from consult.opendata.formats import MEDIA_TYPES, cell
from consult.opendata.labels import DATASETS
from consult.opendata.models import Dump
from consult.opendata.package import LICENCE_URL
from consult.opendata.tables import WORDS, tables
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
    published = queries.published(g.session, page=page_number(request.args))
    return render_template(
        "opendata/show.html",
        published=published,
        asked=queries.last_requests(g.session, [each.id for each in published.listed.rows], whole=True),
        whole=queries.served_dump(g.session, None),
        tables=tables(datasets).values(),
        words=WORDS,
        labels=DATASETS,
        licence_url=LICENCE_URL,
        commands=_commands,
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


def _commands(slug: str) -> str:
    """What anybody types to verify the dump of a consultation against the public log."""
    settings: Settings = current_app.extensions["settings"]
    base = settings.public_url.rstrip("/")
    archive = url_for(".download", slug=slug, name=f"{slug}.zip")
    return "\n".join(
        (
            f"curl -O {base}/registry/verifier.py",
            f"curl -O {queries.absolute(g.session, g.organisation, settings, archive)}",
            f"python3 verifier.py {base} --dump {slug}.zip",
        )
    )


@bp.get("/donnees-ouvertes/<name>")
@anyone
@limiter.limit("60/minute")
def download_whole(name: str) -> Response:
    """A file of the export of all consultations, under the same condition as one of a single consultation."""
    return _file(queries.served_dump(g.session, None), name, f"{g.organisation.slug}-{name}")


@bp.get("/donnees-ouvertes/<slug>/<name>")
@anyone
@limiter.limit("60/minute")
def download(slug: str, name: str) -> Response:
    """A file of the export in force; never one that holds what was taken away since."""
    consultation = consultations.consultation_or_404(g.session, slug, ANONYMOUS)
    return _file(queries.served_dump(g.session, consultation.id), name, f"{slug}-{name}")


@bp.get("/cas-d-usage.csv")
@anyone
@limiter.limit("60/minute")
def cases() -> Response:
    """The published cases for spreadsheets, in the CSV of the dumps."""
    rows = queries.case_rows(g.session, current_app.extensions["bindings"].step_kinds)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(row[name]) for name in COLUMNS] for row in rows)
    disposition = {"Content-Disposition": "attachment; filename=cas-d-usage.csv"}
    return FlaskResponse(text.getvalue(), mimetype="text/csv; charset=utf-8", headers=disposition)


def _file(dump: Dump | None, name: str, download_name: str) -> Response:
    if dump is None:
        raise GoneError("Cet export est en cours de remplacement. Revenez dans quelques minutes.")
    settings: Settings = current_app.extensions["settings"]
    path = queries.file_of(dump, name, service.dump_folder(settings.data_path, dump.id))
    if path is None or not path.is_file():
        raise NotFoundError("Aucun fichier de ce nom dans cet export.")
    shown = path.suffix in {".json", ".md"}
    mimetype = MEDIA_TYPES[path.suffix.removeprefix(".")]
    response = send_file(path.resolve(), mimetype, as_attachment=not shown, download_name=download_name)
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.get("/catalog")
@anyone_indexable
@limiter.limit("60/minute")
def negotiated_catalogue() -> Response:
    """The catalogue in the format that the reader prefers; JSON-LD for whoever has no preference."""
    types = {media_type: extension for extension, (_, media_type) in catalogues.FORMATS.items()}
    chosen = request.accept_mimetypes.best_match(list(types), default="application/ld+json")
    response = _catalogue(types[chosen])
    response.vary.add("Accept")
    return response


@bp.get("/catalog.<any(jsonld, ttl, rdf):extension>")
@anyone_indexable
@limiter.limit("60/minute")
def catalogue(extension: str) -> Response:
    """The catalogue in the format that the address names."""
    return _catalogue(extension)


def _catalogue(extension: str) -> Response:
    published = queries.published(g.session, page=page_number(request.args))
    listed = published.listed
    page = catalogues.Page(
        organisation=g.organisation,
        site=queries.absolute(g.session, g.organisation, current_app.extensions["settings"], ""),
        consultations=[(each, published.dumps.get(each.id)) for each in listed.rows],
        number=listed.number,
        pages=listed.pages,
        total=listed.total,
    )
    response = FlaskResponse(
        catalogues.serialized(page, extension), content_type=f"{catalogues.FORMATS[extension][1]}; charset=utf-8"
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    return response.make_conditional(request)


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
