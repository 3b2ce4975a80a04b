"""What is asked of a security key, and what its answer must prove (WebAuthn, level 2, sections 7.1 and 7.2)."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from consult.accounts.policy import sign, unsign
from consult.accounts.sign_up.policy import Spent
from consult.errors import InvalidError
from consult.organisations.policy import own_hosts
from consult.security import digest
from consult.settings import Settings

KEYS_MAX: Final = 10  # of one account
CREDENTIAL_ID_MAX: Final = 1023  # bytes: CTAP 2.1
CHALLENGE_BYTES: Final = 32
CHALLENGE_LIFE: Final = dt.timedelta(minutes=10)
EXPIRED: Final = "Cette demande a expiré ou a déjà servi. Recommencez\u00a0: la page vient d’en préparer une autre."
REFUSED: Final = (
    "La réponse de la clé n’a pas pu être vérifiée. Recommencez avec une clé enregistrée pour ce compte, ou donnez un "
    "code."
)


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The site as keys know it: a key answers to the host it was enrolled on, and to no other."""

    host: str
    origin: str


def relying_party(settings: Settings, host: str) -> RelyingParty | None:
    """The site that a request came to, among those of the settings; None where browsers let no key be used.

    They want a domain name, reached by HTTPS; `localhost` is the exception.
    """
    public = urlsplit(settings.public_url)
    if host not in {public.netloc, *own_hosts(settings.hosts)}:
        return None
    origin = f"{public.scheme}://{host}"
    name = urlsplit(origin).hostname or ""
    if _is_address(name) or (public.scheme != "https" and name != "localhost"):
        return None
    return RelyingParty(name, origin)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


# Challenges ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Challenge:
    """Random bytes that a key signs, once."""

    value: bytes
    spent: Spent


def new_challenge(secret: str, purpose: str, now: dt.datetime, randbytes: Callable[[int], bytes]) -> str:
    """A signed challenge for a form; `purpose` binds it to one ceremony of one signed-in browser."""
    return sign(secret, _kind(purpose), f"{now.timestamp():.0f}~{bytes_to_base64url(randbytes(CHALLENGE_BYTES))}")


def read_challenge(secret: str, purpose: str, signed: str, now: dt.datetime) -> Challenge:
    """The challenge that a form brings back. Raises InvalidError when it is not ours, of that purpose, or is over."""
    made, _, text = (unsign(secret, _kind(purpose), signed) or "").partition("~")
    if not text:
        raise InvalidError(EXPIRED)
    over = dt.datetime.fromtimestamp(int(made), dt.UTC) + CHALLENGE_LIFE
    if now > over:
        raise InvalidError(EXPIRED)
    return Challenge(base64url_to_bytes(text), Spent(digest(f"webauthn:{text}"), over))


def challenge_bytes(signed: str) -> bytes:
    """What the key is to sign, out of a challenge just made."""
    return base64url_to_bytes(signed.partition("~")[2].partition(".")[0])


def _kind(purpose: str) -> str:
    return f"webauthn:{purpose}"


# Ceremonies ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key said of itself when it was enrolled."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


def enrolment_options(
    party: RelyingParty, *, site_name: str, account_id: uuid.UUID, label: str, challenge: bytes, held: Collection[bytes]
) -> str:
    """What the browser asks of a key to be enrolled, as JSON; those already `held` refuse.

    No attestation is asked: which make of key somebody holds is not the platform's business.
    """
    options = webauthn.generate_registration_options(
        rp_id=party.host,
        rp_name=site_name,
        user_id=account_id.bytes,
        user_name=label,
        challenge=challenge,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in held],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
    )
    return webauthn.options_to_json(options)


def proof_options(party: RelyingParty, *, challenge: bytes, held: Collection[bytes]) -> str:
    """What the browser asks of one of the keys `held`, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=party.host,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in held],
        user_verification=UserVerificationRequirement.PREFERRED,
    )
    return webauthn.options_to_json(options)


def enrolled(credential: str, *, party: RelyingParty, challenge: bytes) -> NewKey:
    """The key that made this answer for this site and this challenge. Raises InvalidError."""
    try:
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
        )
    except Exception as error:  # hostile input inside the library: what it trips on is no key
        raise InvalidError(REFUSED) from error
    if len(verified.credential_id) > CREDENTIAL_ID_MAX:
        raise InvalidError(REFUSED)
    return NewKey(verified.credential_id, verified.credential_public_key, verified.sign_count)


def credential_id(credential: str, account_id: uuid.UUID) -> bytes:
    """Which key an answer says it comes from, for that account. Raises InvalidError when it says another's."""
    try:
        parsed = parse_authentication_credential_json(json.loads(credential))
    except Exception as error:  # as above
        raise InvalidError(REFUSED) from error
    if parsed.response.user_handle not in {None, b"", account_id.bytes}:
        raise InvalidError(REFUSED)
    return parsed.raw_id


def proven_count(credential: str, *, party: RelyingParty, challenge: bytes, public_key: bytes) -> int:
    """The key's own count of its signatures, once its answer is proven. Raises InvalidError.

    Whether the count rose is the caller's to judge, who alone can tell of it.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
        )
    except Exception as error:  # as above
        raise InvalidError(REFUSED) from error
    return verified.new_sign_count


def may_be_a_copy(*, kept: int, said: int) -> bool:
    """Whether a count that did not rise tells of a second copy of the key; keys that do not count say 0."""
    return (kept > 0 or said > 0) and said <= kept
