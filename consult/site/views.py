"""Help, legal pages, site map, contact, probes, and the small files that machines ask for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, g, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from consult import showcase
from consult.accounts.sign_up.policy import TERMS_VERSION
from consult.consultations import queries as consultations
from consult.consultations.labels import ORIGINS
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import NotFoundError
from consult.jobs import queries as jobs
from consult.organisations.policy import site_url
from consult.pagecache import cached_for_visitors
from consult.paging import page_number
from consult.registry import conservation
from consult.registry import queries as registry
from consult.security import anyone, anyone_indexable
from consult.settings import Settings
from consult.site import labels
from consult.site.guides import guides

bp = Blueprint("site", __name__)
LATE_SECONDS: Final = 300  # a job due for longer: no worker, or too few
MAPPED: Final = 50  # consultations, with their steps, on a page of the site map
SITEMAP_SIZE: Final = 5_000  # consultations in one file
UNSIGNED_SECONDS: Final = (
    60  # what was done for longer is not in a signed checkpoint: no sequencer, or one that refuses
)
SECURITY_TXT_LIFE: Final = dt.timedelta(days=180)  # RFC 9116, 2.5.5: less than a year


@bp.get("/aide")
@anyone_indexable
@cached_for_visitors
def help_index() -> str:
    """The list of guides."""
    return render_template("site/help_index.html", guides=guides())


@bp.get("/aide/<slug>")
@anyone_indexable
@cached_for_visitors
def guide(slug: str) -> str:
    """One guide."""
    found = next((each for each in guides() if each.slug == slug), None)
    if found is None:
        raise NotFoundError("Aucun guide ne porte ce nom.")
    return render_template("site/guide.html", guide=found)


@bp.get("/mentions-legales")
@anyone_indexable
@cached_for_visitors
def legal_notice() -> str:
    """Who publishes, who hosts."""
    return render_template("site/legal/mentions_legales.html")


@bp.get("/conditions")
@anyone_indexable
@cached_for_visitors
def terms() -> str:
    """Terms of use, versioned."""
    return render_template("site/legal/conditions.html", terms_version=TERMS_VERSION)


@bp.get("/charte")
@anyone_indexable
@cached_for_visitors
def charter() -> str:
    """The charter, whose articles ground moderation."""
    return render_template("site/legal/charte.html")


@bp.get("/donnees-personnelles")
@anyone_indexable
@cached_for_visitors
def privacy() -> str:
    """The items of article 13 of the GDPR."""
    return render_template("site/legal/donnees_personnelles.html", session_days=_settings().session_days)


@bp.get("/cookies")
@anyone_indexable
@cached_for_visitors
def cookies() -> str:
    """The cookies, all strictly necessary."""
    settings = _settings()
    return render_template(
        "site/legal/cookies.html",
        session_days=settings.session_days,
        audience=settings.audience,
        tracker_host=urlsplit(settings.tracker).netloc,
    )


@bp.get("/accessibilite")
@anyone_indexable
@cached_for_visitors
def accessibility() -> str:
    """The accessibility statement."""
    return render_template("site/legal/accessibilite.html", audit=None)


@bp.get("/plan-du-site")
@anyone_indexable
@cached_for_visitors
def site_map() -> str:
    """Every section, and the consultations by pages."""
    number = page_number(request.args)
    listed = consultations.public_consultations(g.session, g.now, page=number, size=MAPPED, with_steps=True)
    return render_template(
        "site/legal/plan_du_site.html", listed=listed, guides=guides(), page_url=lambda n: url_for(".site_map", page=n)
    )


@bp.get("/contact")
@anyone_indexable
@cached_for_visitors
def contact() -> str:
    """How to write to the administration."""
    return render_template("site/contact.html")


@bp.get("/composants")
@anyone
def components() -> str:
    """The live page of components."""
    return showcase.render(now=g.now)


@bp.get("/registre")
@anyone_indexable
@cached_for_visitors
def register() -> str:
    """Where the public log stands, and what became of all that was submitted to each consultation."""
    titles = consultations.public_titles(g.session)
    census = conservation.all_of(g.session)
    return render_template(
        "site/register.html",
        log=registry.own_log(g.session),
        position=registry.counted(g.session),
        consultations=[(titles[each], census[each]) for each in sorted(census.keys() & titles, key=titles.__getitem__)],
        types=labels.CONSERVED,
        origins=ORIGINS,
    )


@bp.get("/healthz")
@anyone
def healthz() -> Response:
    """Alive: this process answers. Asks nothing of the database."""
    return jsonify(status="ok")


@bp.get("/readyz")
@anyone
def readyz() -> AnyResponse:
    """Ready: the database answers, no job waits for lack of a worker, no act for lack of a sequencer.

    Jobs that failed for good are told, and do not make a node unready: one refused mail must not take the site away.
    """
    with as_tenant(g.session, ALL_TENANTS):
        failed, late = jobs.failed_count(g.session), round(jobs.overdue_seconds(g.session, g.now))
        unsigned = round(registry.late_seconds(g.session, g.now))
    ready = late <= LATE_SECONDS and unsigned <= UNSIGNED_SECONDS
    state: dict[str, Any] = {
        "database": "ok",
        "jobs_failed": failed,
        "jobs_late_seconds": late,
        "registry_late_seconds": unsigned,
    }
    response = jsonify(status="ok" if ready else "degraded", **state)
    response.status_code = 200 if ready else 503
    return response


@bp.get("/robots.txt")
@anyone_indexable
def robots() -> Response:
    """Everything may be crawled: contributions are kept out by a header, which a Disallow would hide (AT-8.2)."""
    return _plain(f"User-agent: *\nDisallow:\n\nSitemap: {_base()}/sitemap.xml\n")


@bp.get("/sitemap.xml")
@anyone_indexable
def sitemap() -> Response:
    """Home, consultations, help and legal pages; no contribution (AT-8.3).

    Beyond what one file may hold comfortably, an index of files (sitemaps.org, « Using Sitemap index files »).
    """
    files = max(1, -(-consultations.public_count(g.session) // SITEMAP_SIZE))
    asked = request.args.get("page")
    if asked is None and files > 1:
        addresses = [f"{_base()}/sitemap.xml?page={n}" for n in range(1, files + 1)]
        return _xml("site/sitemap_index.xml", addresses)
    number = page_number(request.args)
    if number > files:
        raise NotFoundError("Le plan du site n’a pas de page de ce numéro.")
    slugs = consultations.public_slugs(g.session, page=number, size=SITEMAP_SIZE)
    pages = [url_for("consultations.show", slug=slug) for slug in slugs]
    pages = [*_static_pages(), *pages] if number == 1 else pages
    return _xml("site/sitemap.xml", [_base() + page.removeprefix(request.script_root) for page in pages])


def _xml(template: str, addresses: Sequence[str]) -> Response:
    return Response(render_template(template, addresses=addresses), mimetype="application/xml")


def _static_pages() -> list[str]:
    pages = [
        url_for(f".{name}")
        for name in (
            "help_index",
            "legal_notice",
            "terms",
            "charter",
            "privacy",
            "cookies",
            "accessibility",
            "site_map",
        )
    ]
    pages += [url_for("consultations.home"), url_for("consultations.listing"), url_for(".contact")]
    return pages + [url_for(".guide", slug=each.slug) for each in guides()]


@bp.get("/.well-known/security.txt")
@anyone_indexable
def security_txt() -> Response:
    """Where to report a vulnerability (RFC 9116)."""
    expires = (g.now + SECURITY_TXT_LIFE).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: mailto:{g.organisation.contact_email}"] if g.organisation.contact_email else []
    lines += [
        f"Contact: {_base()}/contact",
        f"Expires: {expires.strftime('%Y-%m-%dT%H:%M:%SZ')}",
        "Preferred-Languages: fr, en",
        f"Canonical: {_base()}/.well-known/security.txt",
    ]
    return _plain("\n".join(lines) + "\n")


def _base() -> str:
    at_root = "consult.organisation" not in request.environ
    return site_url(_settings(), g.organisation.slug, at_root=at_root)


def _plain(content: str) -> Response:
    return Response(content, mimetype="text/plain")


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
