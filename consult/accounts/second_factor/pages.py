"""The pages of second factors, which one-time codes and security keys share."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus

import pyotp
from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from consult.accounts import policy, queries
from consult.accounts import service as accounts
from consult.accounts.entry import renew
from consult.accounts.models import Account
from consult.accounts.second_factor.forms import CodeForm, EnrolForm
from consult.accounts.second_factor.policy import provisioning_uri
from consult.accounts.security_keys import policy as keys_policy
from consult.accounts.security_keys import queries as keys
from consult.accounts.security_keys.forms import NewKeyForm, ProofForm
from consult.accounts.sign_up.views import addresses, local, signed_in_response
from consult.errors import BadRequestError, NotFoundError
from consult.qr import qr_path
from consult.settings import Settings

SECRET, ENROL, PROVE = "totp-secret", "enrol", "prove"  # what a signed value is for


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """What a page asks of a security key: the form of its answer, and the JSON that the browser passes on."""

    form: ProofForm
    options: str


def settings() -> Settings:
    """The settings of the application."""
    held: Settings = current_app.extensions["settings"]
    return held


def new_secret() -> EnrolForm:
    """A form with a proposed secret of one-time codes, signed for this very session."""
    return EnrolForm(secret=policy.sign(settings().secret_key, bound(SECRET), pyotp.random_base32()))


def staff_account() -> Account:
    """The signed-in person's account. Raises NotFoundError for whoever holds no role of staff."""
    if not queries.staff_roles(g.session, g.account_id):
        raise NotFoundError
    return queries.own_account(g.session, g.account_id)


def bound(purpose: str) -> str:
    """What binds a signed value to that purpose, in this very session."""
    return f"{purpose}:{g.identity.login_session_id}"


def party() -> keys_policy.RelyingParty | None:
    """This site, as security keys know it."""
    return keys_policy.relying_party(settings(), request.host)


def _key_to_enrol(account: Account, form: NewKeyForm) -> KeyRequest | None:
    here = party()
    if here is None:
        return None
    options = keys_policy.enrolment_options(
        here,
        site_name=g.organisation.name,
        account_id=account.id,
        label=account.email or account.pseudonym,
        challenge=_challenge(form, ENROL),
        held=keys.usable_on(g.session, account.id, here),
    )
    return KeyRequest(form, options)


def _key_to_prove(account: Account, form: ProofForm) -> KeyRequest | None:
    here = party()
    held = keys.usable_on(g.session, account.id, here)
    if here is None or not held:
        return None
    return KeyRequest(form, keys_policy.proof_options(here, challenge=_challenge(form, PROVE), held=held))


def _challenge(form: ProofForm, purpose: str) -> bytes:
    signed = keys_policy.new_challenge(settings().secret_key, bound(purpose), g.now, secrets.token_bytes)
    form.challenge.data, form.credential.data = signed, ""
    return keys_policy.challenge_bytes(signed)


def enrol_page(
    account: Account, form: EnrolForm, *, key: NewKeyForm | None = None, status: HTTPStatus = HTTPStatus.OK
) -> ResponseReturnValue:
    """The page of who is to enrol a second factor, or an application of codes beside a key."""
    secret = policy.unsign(settings().secret_key, bound(SECRET), form.secret.data or "")
    if secret is None:
        raise BadRequestError
    name = account.email or account.pseudonym
    side, path = qr_path(provisioning_uri(secret, account=name, issuer=g.organisation.name))
    first = not queries.has_second_factor(g.session, account.id)
    page = render_template(
        "accounts/second_factor_enrol.html",
        form=form,
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        side=side,
        path=path,
        key=_key_to_enrol(account, key or NewKeyForm()) if first else None,
        first=first,
        suite=request.values.get("suite", ""),
    )
    return page, status


def proof_page(
    account: Account,
    *,
    code: CodeForm | None = None,
    key: ProofForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> ResponseReturnValue:
    """The page where a second factor is given."""
    page = render_template(
        "accounts/second_factor.html",
        form=code or CodeForm(),
        key=_key_to_prove(account, key or ProofForm()),
        has_application=account.totp_enrolled_at is not None,
        suite=request.values.get("suite", ""),
    )
    return page, status


def means_page(
    account: Account, *, key: NewKeyForm | None = None, status: HTTPStatus = HTTPStatus.OK
) -> ResponseReturnValue:
    """The page that lists a person's second factors, and where they change them."""
    held = keys.keys_of(g.session, account.id)
    page = render_template(
        "accounts/second_factor_means.html",
        account=account,
        keys=held,
        last_one=len(held) + (account.totp_enrolled_at is not None) == 1,
        key=_key_to_enrol(account, key or NewKeyForm()),
        keys_max=keys_policy.KEYS_MAX,
    )
    return page, status


def may_enrol(account: Account) -> bool:
    """Whether this session may add a second factor: the first one, or beside another that was given lately."""
    return not queries.has_second_factor(g.session, account.id) or policy.is_fresh(
        g.identity.second_factor_at, g.now, form=True
    )


def enrolled(account: Account, codes: list[str]) -> ResponseReturnValue:
    """After an enrolment: in a session that has its second factor, the recovery codes when they are new."""
    g.session_token = renew(account)  # the forms of the page belong to the new session
    if codes:
        return codes_page(codes, local(request.form.get("suite"), "/gestion"))
    flash("Le second facteur est enregistré.", "success")
    return signed_in_response(redirect(url_for("accounts.second_factor.means"), 303), g.session_token)


def codes_page(codes: list[str], suite: str) -> ResponseReturnValue:
    """The recovery codes, the only time they are shown."""
    page = render_template("accounts/recovery_codes.html", codes=codes, suite=suite)
    return signed_in_response(page, g.session_token)


def tell(account: Account, what: str, *, name: str = "") -> None:
    """Mail the holder that a second factor changed; `name`: of the key."""
    accounts.notify(g.session, account, g.organisation, what=what, name=name, site=addresses().site, now=g.now)
