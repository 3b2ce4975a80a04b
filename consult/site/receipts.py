"""Receipts: what each act left in the public log, the file that proves it, and the judgement of one brought back."""

from __future__ import annotations

import re
import uuid
from typing import Any, Final, TypeAlias

from flask import Blueprint, Response, current_app, g, make_response, render_template, request, url_for

from consult.contributions.acts import queries as contributions
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import GoneError, InvalidError, NotFoundError
from consult.organisations.policy import site_url
from consult.paging import page_number
from consult.qr import qr_path
from consult.questionnaires import queries as questionnaires
from consult.registry import queries as registry
from consult.registry import receipts
from consult.registry.models import RegistryEntry, RegistryLog
from consult.registry.receipts import Receipt
from consult.registry.store import Store
from consult.security import account_or_address, anyone, limiter
from consult.site import labels
from consult.site.forms import ReceiptForm

bp = Blueprint("receipts", __name__, url_prefix="/recepisse")
View: TypeAlias = str | Response | tuple[str, int]
reads = limiter.limit("120/minute", key_func=account_or_address)
SIZE: Final = 20
TRIES: Final = 10  # times that a page asks again, by itself, whether an act has its place
SOON_SECONDS: Final = 2
_REF: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)
_POSITION: Final = re.compile(r"0|[1-9][0-9]{0,14}", re.ASCII)
_NOT_FOUND: Final = "Aucun récépissé n’est à cette adresse."


@bp.get("")
@anyone
def index() -> View:
    """What a receipt is; one's own, the last act first."""
    if g.account_id is None:
        return render_template("site/receipts/index.html", acts=None)
    refs, voters = _own()
    acts = registry.acts(g.session, refs, voters, number=page_number(request.args), size=SIZE)
    about = {entry.ref: _about(entry) for entry in acts.rows}
    titles = contributions.titles(g.session, [each for each in about.values() if each is not None])
    rows = [(entry, labels.act(entry.kind, entry.opening), titles.get(str(about[entry.ref]))) for entry in acts.rows]
    return render_template(
        "site/receipts/index.html", acts=acts, rows=rows, page_url=lambda n: url_for(".index", page=n)
    )


@bp.get("/<ref>")
@anyone
@reads
def show(ref: str) -> View:
    """One act: its place in the log, what its receipt would reveal and prove, before it is taken."""
    entry, log, state = _entry(ref)
    receipt = None if log is None or state else _receipt(log, entry)
    tries = page_number({"page": request.args.get("essai", "1")})
    waits = not state and receipt is None and tries < TRIES
    page = render_template(
        "site/receipts/show.html",
        entry=entry,
        act=labels.act(entry.kind, entry.opening),
        said=labels.said(entry.opening) if entry.opening and not state else [],
        state=state,
        receipt=receipt,
        log=log,
        waits=waits,
        qr=qr_path(_check_address(receipt)) if receipt else None,
        check_address=_check_address(receipt) if receipt else "",
        again=url_for(".show", ref=ref, essai=tries + 1),
    )
    response = make_response(page)
    if waits:
        response.headers["Refresh"] = f"{SOON_SECONDS}; url={url_for('.show', ref=ref, essai=tries + 1)}"
    return response


@bp.get("/<ref>/fichier")
@anyone
@reads
def download(ref: str) -> Response:
    """The receipt itself."""
    entry, log, state = _entry(ref)
    if state:
        raise GoneError("Le contenu de cet acte n’est plus lisible : son récépissé ne peut plus être établi.")
    receipt = None if log is None else _receipt(log, entry)
    if receipt is None:
        raise NotFoundError("Cet acte n’a pas encore sa place dans le registre. Réessayez dans quelques secondes.")
    response = Response(receipt.file, content_type="application/octet-stream")
    response.headers["Content-Disposition"] = f'attachment; filename="recepisse-{receipt.position}.tlog-proof"'
    response.headers["Cache-Control"] = "no-store"
    return response


@bp.get("/verifier")
@anyone
@reads
def verify() -> str:
    """The form; or, from a QR code, whether the log still has an entry of that hash at that place."""
    position, leaf = request.args.get("n", ""), request.args.get("h", "")
    found = None
    if _POSITION.fullmatch(position) and _HASH.fullmatch(leaf):
        log = registry.log_of(g.session, g.organisation.id)
        at = None if log is None else receipts.leaf_at(_store(), log, int(position))
        found = "absent" if at is None else "same" if at.hex() == leaf else "other"
    elif position or leaf:
        found = "unreadable"
    return _verify_page(ReceiptForm(), found=found, position=position)


@bp.post("/verifier")
@anyone
@limiter.limit("20/minute", key_func=account_or_address)
def judge() -> View:
    """The verdict on a receipt that somebody brings."""
    form = ReceiptForm(request.form)
    sent = request.files.get("file")
    raw = sent.stream.read(receipts.MAX_BYTES + 1) if sent else b""
    try:
        brought = receipts.read(raw or (form.text.data or "").encode())
    except InvalidError as error:
        (form.file if raw or not form.text.data else form.text).errors = [error.message]
        return _verify_page(form), 422
    with as_tenant(g.session, ALL_TENANTS):
        log = registry.log_of_origin(g.session, brought.checkpoint.origin)
    verdict = receipts.judge(brought, _store(), log, current_app.extensions["witnesses"]) if log else None
    return _verify_page(ReceiptForm(), brought=brought, verdict=verdict, log=log)


def _verify_page(form: ReceiptForm, **shown: Any) -> str:
    brought = shown.get("brought")
    kinds = {kind.value: label for kind, label in labels.ACTS.items()}
    return render_template(
        "site/receipts/verify.html",
        form=form,
        act=kinds.get(str(brought.entry["kind"]), "Acte") if brought else "",
        said=labels.said(brought.content) if brought and isinstance(brought.content, dict) else [],
        **shown,
    )


def _entry(ref: str) -> tuple[RegistryEntry, RegistryLog | None, str]:
    """An entry, its log, and why its opening may not be given: « destroyed », « lost », « withheld » from others."""
    found = registry.entry(g.session, ref) if _REF.fullmatch(ref) else None
    if found is None:
        raise NotFoundError(_NOT_FOUND)
    entry, lost = found
    state = "lost" if lost else "destroyed" if entry.salt is None else ""
    if entry.withheld and not state and (g.account_id is None or ref not in _own()[0]):
        state = "withheld"
    return entry, registry.log_of(g.session, g.organisation.id), state


def _own() -> tuple[list[str], list[str]]:
    """The refs of the account's texts in the log, and the opaque voters that it is."""
    refs, voters = contributions.logged(g.session, g.account_id)
    return [*refs, *questionnaires.logged(g.session, g.account_id)], voters


def _receipt(log: RegistryLog, entry: RegistryEntry) -> Receipt | None:
    return receipts.issue(_store(), log, entry, current_app.extensions["witnesses"])


def _about(entry: RegistryEntry) -> uuid.UUID | None:
    """The content that an act is on."""
    opening = entry.opening or {}
    named = next((opening[name] for name in ("contribution", "argument") if name in opening), None)
    return None if named is None else uuid.UUID(named)


def _check_address(receipt: Receipt) -> str:
    """What the QR code holds: where to see whether the log still has that entry, and enough to know it again."""
    base = site_url(_settings(), g.organisation.slug, at_root="consult.organisation" not in request.environ)
    return f"{base}/recepisse/verifier?n={receipt.position}&h={receipt.leaf.hex()}"


def _store() -> Store:
    return Store(_settings().registry_path)


def _settings() -> Any:
    return current_app.extensions["settings"]
