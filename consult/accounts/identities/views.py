"""/connexion/avec: sign in, sign up, link by FranceConnect or ProConnect; /mon-compte/identites: those of an account.

Neither going to the provider nor coming back changes anything: a button of ours does, on a page that says what it does.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from consult.accounts import policy as accounts
from consult.accounts import queries
from consult.accounts.entry import enter
from consult.accounts.forms import JoinForm
from consult.accounts.identities import browser, policy, service
from consult.accounts.identities.browser import Proof, client, proof, provider_or_404
from consult.accounts.identities.policy import Provider
from consult.accounts.models import Account
from consult.accounts.service import notify
from consult.accounts.sign_up.views import addresses, join, local
from consult.errors import ForbiddenError, InvalidError, NotFoundError
from consult.organisations.policy import protected_names
from consult.security import account_or_address, anyone, limited, limiter, signed_in

bp = Blueprint("identities", __name__)
ROOT = "/connexion/avec/<provider>"
MINE = "/mon-compte/identites"
NO_ACCOUNT = "Cette identité n’ouvre plus aucun compte ici. Recommencez depuis la page de connexion."


@bp.app_template_global()
def identity_providers() -> Sequence[Provider]:
    """Those to offer on the pages that sign in."""
    return list(policy.providers(browser.settings()).values())


# Going, and coming back -----------------------------------------------------------------------------------------------


@bp.get(ROOT)
@anyone
@limiter.limit("30/minute", key_func=account_or_address)
def begin(provider: str) -> ResponseReturnValue:
    """A link, not a form: no form of ours may lead to another site."""
    wanted = provider_or_404(provider)
    address, begun = client(wanted).begin(g.now)
    browser.remember_begun(wanted, begun, request.args.get("suite", ""))
    return redirect(address, 303)


@bp.get(f"{ROOT}/retour")
@anyone
@limiter.limit("30/minute", key_func=account_or_address)
def back(provider: str) -> ResponseReturnValue:
    """Verify what the provider answered; the page that follows carries none of it in its address."""
    wanted = provider_or_404(provider)
    begun, suite = browser.take_begun(wanted)
    browser.remember_proven(wanted, client(wanted).finish(begun, request.args, g.now), suite)
    return redirect(url_for(".proven", provider=provider), 303)


@bp.get(f"{ROOT}/cles")
@anyone
@limiter.limit("120/minute")
def encryption_keys(provider: str) -> ResponseReturnValue:
    """The public keys for which that provider may encrypt its tokens (JWK Set), to declare to it as `jwks_uri`."""
    provider_or_404(provider)
    if not browser.own_keys().keys:
        raise NotFoundError("Ce site n’a pas de clé pour ouvrir des jetons chiffrés.")
    return jsonify(browser.own_keys().as_dict(private=False))


@bp.get(f"{ROOT}/suite")
@anyone
def proven(provider: str) -> ResponseReturnValue:
    found = proof(provider_or_404(provider))
    return _proven_page(found, _join_form())


def _join_form() -> JoinForm:
    return JoinForm(request.form, reserved=protected_names(g.organisation))


def _proven_page(found: Proof, form: JoinForm, status: int = 200) -> ResponseReturnValue:
    account = service.holder(g.session, found.subject)
    mine = account is not None and account.id == g.account_id
    page = render_template(
        "accounts/identities/proven.html", proof=found, provider=found.provider, account=account, mine=mine, form=form
    )
    return page, status


# Buttons --------------------------------------------------------------------------------------------------------------


@bp.post(f"{ROOT}/entrer")
@anyone
@limited
def sign_in(provider: str) -> ResponseReturnValue:
    """Open the session of the account that the identity opens."""
    found = proof(provider_or_404(provider))
    account = service.holder(g.session, found.subject)
    if account is None:
        raise NotFoundError(NO_ACCOUNT)
    browser.spend_proof()
    return enter(account, found.suite, second_factor=found.stands_for_second_factor)


@bp.post(f"{ROOT}/compte")
@anyone
@limiter.limit("10/hour", key_func=account_or_address)
def create(provider: str) -> ResponseReturnValue:
    """Make an account without a password, which the identity opens."""
    found, form = proof(provider_or_404(provider)), _join_form()
    if found.provider.for_staff:
        raise ForbiddenError("ProConnect n’ouvre que des comptes d’agents, que leur administration crée.")
    if not form.validate():
        return _proven_page(found, form, 422)
    try:
        account = join(form, password=None)
    except InvalidError as error:
        for name, reason in error.fields.items():
            form[name].errors = [reason]
        return _proven_page(found, form, 422)
    service.link(g.session, account, found.provider.name, found.subject, g.now)
    browser.spend_proof()
    return enter(account, url_for("accounts.sign_up.sent", suite=found.suite or None))


@bp.post(f"{ROOT}/relier")
@signed_in
@limiter.limit("10/hour", key_func=account_or_address)
def link(provider: str) -> ResponseReturnValue:
    """Have the identity open the account that is signed in; staff do so by a link mailed to their address."""
    found, account = proof(provider_or_404(provider)), _own_account()
    if queries.staff_roles(g.session, account.id):
        return _mail_link(found, account)
    if found.provider.for_staff:
        raise ForbiddenError("ProConnect n’ouvre que des comptes d’agents. Le vôtre n’en est pas un.")
    browser.spend_proof()
    return _linked(account, found.provider, found.subject)


def _own_account() -> Account:
    account = queries.own_account(g.session, g.account_id)
    if account.organisation_id != g.organisation.id:
        raise ForbiddenError("Votre compte est d’une autre organisation\u00a0: reliez l’identité depuis son site.")
    return account


def _mail_link(found: Proof, account: Account) -> Response:
    settings = browser.settings()
    site = addresses().site

    def absolute(token: str) -> str:
        return site + url_for(".confirm_link", token=token).removeprefix(request.script_root)

    service.ask_link(
        g.session,
        g.organisation,
        account,
        found.provider.name,
        found.subject,
        label=found.provider.label,
        keys=service.keyring(settings.secret_key),
        address=absolute,
        mailbox=accounts.mailbox(account.email or "", settings),
        site=site,
        now=g.now,
    )
    browser.spend_proof()
    flash(
        "Un message part vers l’adresse de votre compte d’agent\u00a0: suivez son lien dans le quart d’heure.",
        "success",
    )
    return redirect(url_for(".mine"), 303)


def _linked(account: Account, provider: Provider, subject: str) -> Response:
    if service.link(g.session, account, provider.name, subject, g.now):
        _tell(account, "identity", provider.label)
    flash(f"{provider.label} ouvre maintenant ce compte.", "success")
    return redirect(url_for(".mine"), 303)


def _tell(account: Account, what: str, name: str) -> None:
    notify(g.session, account, g.organisation, what=what, name=name, site=addresses().site, now=g.now)


@bp.get(f"{MINE}/relier/<token>")
@signed_in
def confirm_link(token: str) -> ResponseReturnValue:
    name, _ = _asked(token)
    return render_template("accounts/identities/confirm.html", provider=provider_or_404(name), token=token)


@bp.post(f"{MINE}/relier/<token>")
@signed_in
@limiter.limit("30/hour", key_func=account_or_address)
def link_by_mail(token: str) -> ResponseReturnValue:
    name, subject = _asked(token)
    return _linked(_own_account(), provider_or_404(name), subject)


def _asked(token: str) -> tuple[str, str]:
    return service.asked(g.account_id, token, keys=service.keyring(browser.settings().secret_key), now=g.now)


# Those of an account --------------------------------------------------------------------------------------------------


@bp.get(MINE)
@signed_in
def mine() -> ResponseReturnValue:
    linked = service.identities(g.session, g.account_id)
    offered = policy.providers(browser.settings())
    labels = {name: provider.label for name, provider in offered.items()}
    held = {each.provider.value for each in linked}
    others = [
        provider
        for name, provider in offered.items()
        if name not in held and (g.actor.is_staff or not provider.for_staff)
    ]
    return render_template("accounts/identities/mine.html", linked=linked, labels=labels, others=others)


@bp.post(f"{MINE}/<uuid:identity_id>/retirer")
@signed_in
@limited
def unlink(identity_id: uuid.UUID) -> ResponseReturnValue:
    provider = service.unlink(g.session, g.account_id, identity_id)
    if provider is None:
        raise NotFoundError("Cette identité est déjà retirée.")
    label = policy.LABELS[provider]
    _tell(queries.own_account(g.session, g.account_id), "identity_removed", label)
    flash(f"{label} n’ouvre plus ce compte.", "success")
    return redirect(url_for(".mine"), 303)


# Leaving --------------------------------------------------------------------------------------------------------------


def farewell() -> str | None:
    """The page that offers to leave the provider too, for whoever signed in by it."""
    entered = browser.entered()
    return url_for("accounts.identities.left", provider=entered[0].name.value) if entered else None


@bp.get(f"{ROOT}/fin")
@anyone
def left(provider: str) -> ResponseReturnValue:
    return render_template("accounts/identities/left.html", provider=provider_or_404(provider))


@bp.get(f"{ROOT}/sortie")
@anyone
def leave(provider: str) -> ResponseReturnValue:
    """Once signed out here, leave the provider, which sends the browser back to the home page."""
    entered, wanted = browser.entered(), provider_or_404(provider)
    if g.account_id is not None or entered is None or entered[0] != wanted:
        return redirect(local("/"), 303)
    browser.forget()
    return redirect(client(wanted).leave(entered[1], f"{addresses().site}/") or local("/"), 303)
