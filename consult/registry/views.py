"""The files of the logs, where no web server gives them, and the openings, which only the database has."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, current_app, g, jsonify, make_response, render_template, request
from flask.blueprints import BlueprintSetupState

from consult.db import ALL_TENANTS, as_tenant
from consult.errors import NotFoundError
from consult.registry import conservation, cosigning, queries
from consult.registry.models import RegistryLog
from consult.registry.notes import VerifierKey
from consult.registry.store import CHECKPOINT, KEY, PROGRAMS, Store
from consult.registry.tiles import WIDTH, Tile, parse_index
from consult.security import anyone
from consult.settings import Settings

bp = Blueprint("registry", __name__, url_prefix="/registry")

IMMUTABLE: Final = "public, max-age=31536000, immutable"
TEXT: Final = "text/plain; charset=utf-8"
BINARY: Final = "application/octet-stream"
_NAME: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*", re.ASCII)
_KEY_ID: Final = re.compile(r"[0-9a-f]{8}", re.ASCII)
_NOT_FOUND: Final = "Le registre ne contient pas ce fichier."


@bp.record_once
def _read_witnesses(state: BlueprintSetupState) -> None:
    """One that is written wrongly is told when the site starts."""
    state.app.extensions["witnesses"] = cosigning.configured(state.app.extensions["settings"])


@bp.get("/")
@anyone
def logs() -> Response:
    """Every log of the platform: JSON for programs, a page for those who look."""
    with as_tenant(g.session, ALL_TENANTS):
        found = queries.logs(g.session)
    base = _settings().public_url.rstrip("/")
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html":
        response = make_response(_logs_page(found, base))
        response.vary.add("Accept")
        return response
    response = _open(
        jsonify(
            [{"organisation": log.slug, "origin": log.origin, "prefix": f"{base}/registry/{log.slug}"} for log in found]
        )
    )
    response.vary.add("Accept")
    return response


def _logs_page(logs: Sequence[RegistryLog], base: str) -> str:
    """The state, the key and the witnesses of each log, as the files say them."""
    witnesses, store, shown = current_app.extensions["witnesses"], Store(_settings().registry_path), []
    for log in logs:
        key = VerifierKey.parse(log.key)
        states = [(each.key, cosigning.cosigned(store, log.slug, key, each.key)) for each in witnesses]
        shown.append((log, states))
    return render_template("registry/logs.html", logs=shown, base=base)


@bp.get("/verifier.py")
@anyone
def verifier() -> Response:
    """The program that rereads the logs and recounts every total: anybody runs it anywhere."""
    return _program("verifier.py")


@bp.get("/witness.py")
@anyone
def witness() -> Response:
    """The program of those who watch that no log forks."""
    return _program("witness.py")


@bp.get("/<organisation>/checkpoint")
@anyone
def checkpoint(organisation: str) -> Response:
    """What is signed, with the cosignatures of witnesses."""
    return _file(organisation, CHECKPOINT, TEXT)


@bp.get("/<organisation>/key")
@anyone
def key(organisation: str) -> Response:
    """The public key of the log."""
    return _file(organisation, KEY, TEXT)


@bp.get("/<organisation>/programs")
@anyone
def programs(organisation: str) -> Response:
    """The digests of the programs served, signed by the key of the log."""
    return _file(organisation, PROGRAMS, TEXT)


@bp.get("/<organisation>/cosigned/<identifier>")
@anyone
def cosigned(organisation: str, identifier: str) -> Response:
    """The last state that the witness of that key identifier cosigned."""
    if not _KEY_ID.fullmatch(identifier):
        raise NotFoundError(_NOT_FOUND)
    return _file(organisation, cosigning.cosigned_path(bytes.fromhex(identifier)), TEXT)


@bp.get("/<organisation>/tile/<path:path>")
@anyone
def tile(organisation: str, path: str) -> Response:
    """Hashes of the tree, or entries."""
    found = Tile.parse(f"tile/{path}")
    if found is None:
        raise NotFoundError(_NOT_FOUND)
    response = _file(organisation, found.path, BINARY)
    response.headers["Cache-Control"] = IMMUTABLE
    return response


@bp.get("/<organisation>/census")
@anyone
def census(organisation: str) -> Response:
    """What became of all that was submitted to each consultation, and the position at which it was counted."""
    with as_tenant(g.session, ALL_TENANTS):
        log = queries.log_named(g.session, organisation)
    if log is None:
        raise NotFoundError(_NOT_FOUND)
    with as_tenant(g.session, log.organisation_id):
        position, counted = queries.counted(g.session), conservation.all_of(g.session)
    told = [
        {"consultation": str(key), **asdict(line), "submitted": line.submitted, "balanced": line.balanced}
        for key, lines in counted.items()
        for line in lines
    ]
    return _open(jsonify({"position": position, "lines": told}))


@bp.get("/<organisation>/openings/<path:path>")
@anyone
def openings(organisation: str, path: str) -> Response:
    """What the entries of a bundle commit to, one line each, or why it is not said."""
    index = parse_index(path)
    with as_tenant(g.session, ALL_TENANTS):
        log = queries.log_named(g.session, organisation)
        if log is None or index is None or index * WIDTH >= log.size:
            raise NotFoundError(_NOT_FOUND)
        rows = queries.opened(g.session, log, index * WIDTH, WIDTH)
    lines = [json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows]
    return _open(Response("".join(lines), mimetype="application/x-ndjson"))


def _file(organisation: str, path: str, mimetype: str) -> Response:
    """A file of a log. Both parts of its path have been read strictly: nothing else of the disk can be asked for."""
    content = Store(_settings().registry_path).read(organisation, path) if _NAME.fullmatch(organisation) else None
    if content is None:
        raise NotFoundError(_NOT_FOUND)
    return _open(Response(content, content_type=mimetype))


def _program(name: str) -> Response:
    """One of the programs of this package that stand alone, as it is."""
    program = Path(__file__).with_name(name).read_bytes()
    return _open(Response(program, content_type="text/x-python; charset=utf-8"))


def _open(response: Response) -> Response:
    """Readable from any site, by condition."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.add_etag()
    response.make_conditional(request)
    return response


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
