"""Talking to an identity provider: OpenID Connect Core 1.0, code flow, over Authlib.

Only signatures of the listed algorithms are believed, whatever a provider announces, and only for the issuer, the
client and the nonce of this very request; also inside a token that is encrypted for us.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlencode

import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.claims import JWTClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from consult.accounts.identities import keys
from consult.accounts.identities.policy import PROOF_LIFE, Provider, UnprovenError
from consult.errors import UnavailableError

logger = logging.getLogger(__name__)
ALGORITHMS: Final = ["ES256", "RS256"]
TIMEOUT: Final = 5.0  # seconds for each answer of a provider
REMEMBERED: Final = 3600.0  # seconds for which what a provider says of itself is believed
LEEWAY: Final = 60  # seconds between its clock and ours
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Begun:
    """What this browser must come back with; held by its signed cookie alone."""

    state: str
    nonce: str
    verifier: str  # of PKCE
    at: float

    def to_cookie(self) -> dict[str, Any]:
        """Its JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Proven:
    """Whom the provider identified, at which level; `id_token` serves to leave it again."""

    subject: str
    acr: str
    id_token: str


class Client:
    """The platform as a client of one provider, coming back to one address."""

    def __init__(self, provider: Provider, redirect_uri: str, own_keys: KeySet) -> None:
        """`own_keys` open what the provider encrypts."""
        self.provider, self._redirect_uri, self._own_keys = provider, redirect_uri, own_keys

    def begin(self, now: dt.datetime) -> tuple[str, Begun]:
        """Where to send the browser, and what it must come back with. Raises UnavailableError."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state, nonce, verifier, now.timestamp())
        asked = {"nonce": begun.nonce} | (
            {"acr_values": self.provider.levels_asked} if self.provider.levels_asked else {}
        )
        if self.provider.pkce:
            asked["code_verifier"] = begun.verifier
        endpoint = self._announced()["authorization_endpoint"]
        with self._session() as session:
            address, _ = session.create_authorization_url(endpoint, state=begun.state, **asked)
        return address, begun

    def finish(self, begun: Begun, answer: Mapping[str, str], now: dt.datetime) -> Proven:
        """Whom the provider identified. Raises UnprovenError, UnavailableError."""
        if not secrets.compare_digest(answer.get("state", "").encode(), begun.state.encode()):
            raise UnprovenError("Cette réponse ne correspond pas à une identification demandée par ce navigateur.")
        if not 0 <= now.timestamp() - begun.at <= PROOF_LIFE.total_seconds():
            raise UnprovenError("Trop de temps a passé depuis que vous avez demandé à vous identifier.")
        if answer.get("iss", self.provider.issuer).rstrip("/") != self.provider.issuer:  # RFC 9207
            raise UnprovenError("Cette réponse vient d’un autre fournisseur d’identité.")
        if answer.get("error") == "access_denied":
            raise UnprovenError(f"Vous avez renoncé à vous identifier avec {self.provider.label}.")
        if "error" in answer or not answer.get("code"):
            raise UnprovenError(f"{self.provider.label} n’a pas pu vous identifier.")
        with self._session() as session:
            token = self._token(session, answer["code"], begun)
            claims = self._id_token(token, begun.nonce, now)
            self._check_same_person(session, claims["sub"], now)
        acr = str(claims.get("acr", ""))
        if not self.provider.accepts(acr):
            raise UnprovenError(f"{self.provider.label} vous a identifié à un niveau trop faible pour ce site.")
        return Proven(claims["sub"], acr, token["id_token"])

    def leave(self, id_token: str, back: str) -> str | None:
        """Where to send the browser so that it leaves the provider too; None when the provider offers nothing."""
        endpoint = self._announced().get("end_session_endpoint")
        asked = {"id_token_hint": id_token, "post_logout_redirect_uri": back, "state": secrets.token_urlsafe(32)}
        return f"{endpoint}?{urlencode(asked)}" if endpoint else None

    def _session(self) -> Any:
        return OAuth2Session(
            self.provider.client_id,
            self.provider.client_secret,
            token_endpoint_auth_method="client_secret_post",  # noqa: S106  # the name of a method
            scope=self.provider.scopes,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256" if self.provider.pkce else None,
            default_timeout=TIMEOUT,
        )

    def _token(self, session: Any, code: str, begun: Begun) -> Mapping[str, Any]:
        proof = {"code_verifier": begun.verifier} if self.provider.pkce else {}
        try:
            token = session.fetch_token(self._announced()["token_endpoint"], code=code, **proof)
        except requests.RequestException as error:
            raise self._away() from error
        except (OAuthError, ValueError) as error:  # a code used before, of another client, or no answer of OAuth at all
            raise self._unproven() from error
        if not isinstance(token.get("id_token"), str):
            raise self._unproven()
        return {**token, "id_token": self._opened(token["id_token"])}

    def _id_token(self, token: Mapping[str, Any], nonce: str, now: dt.datetime) -> Mapping[str, Any]:
        params = {"nonce": nonce, "client_id": self.provider.client_id, "access_token": token.get("access_token")}
        return self._claims(token["id_token"], CodeIDToken, params, now)

    def _check_same_person(self, session: Any, subject: str, now: dt.datetime) -> None:
        """Refuse when the provider tells, of the same token, somebody else; nothing else of its answer is read."""
        try:
            reply = session.get(self._announced()["userinfo_endpoint"], headers={"Accept": "application/jwt"})
            reply.raise_for_status()
            signed = reply.headers.get("Content-Type", "").startswith("application/jwt")
            told = self._claims(self._opened(reply.text), JWTClaims, {}, now) if signed else reply.json()
        except requests.JSONDecodeError as error:
            raise self._unproven() from error
        except requests.RequestException as error:
            raise self._away() from error
        if not isinstance(told, Mapping) or told.get("sub") != subject:
            raise self._unproven()

    def _opened(self, text: str) -> str:
        """The signed token, out of its encryption if it has one."""
        if not keys.is_encrypted(text):
            return text
        try:
            return keys.opened(text, self._own_keys)
        except (JoseError, ValueError) as error:
            logger.warning("an encrypted token of %s could not be opened: %s", self.provider.name.value, error)
            raise self._unproven() from error

    def _claims(self, text: str, kind: Any, params: Mapping[str, Any], now: dt.datetime) -> Mapping[str, Any]:
        """What a signed token says, once its signature, issuer, audience, dates and nonce are found right."""
        options = {
            "iss": {"essential": True, "value": self._announced()["issuer"]},
            "aud": {"essential": True, "value": self.provider.client_id},
            "sub": {"essential": True},
        }
        try:
            decoded = self._decoded(text)
            claims = kind(decoded.claims, decoded.header, options, dict(params))
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
        except (JoseError, ValueError, TypeError) as error:
            raise self._unproven() from error
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise self._unproven()
        return dict(claims)

    def _decoded(self, text: str) -> Any:
        """The token read with the keys that are remembered, or, since providers change theirs, with those of now."""
        try:
            return jwt.decode(text, KeySet.import_key_set(self._announced()["keys"]), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            fresh = _ANNOUNCED.get(self.provider, fresh=True)["keys"]
            return jwt.decode(text, KeySet.import_key_set(fresh), algorithms=ALGORITHMS)

    def _announced(self) -> dict[str, Any]:
        return _ANNOUNCED.get(self.provider)

    def _away(self) -> UnavailableError:
        return _away(self.provider)

    def _unproven(self) -> UnprovenError:
        return UnprovenError(f"Ce que {self.provider.label} a répondu ne prouve pas qui vous êtes.")


def _away(provider: Provider) -> UnavailableError:
    return UnavailableError(
        f"{provider.label} ne répond pas en ce moment. Rien n’a changé\u00a0: réessayez dans quelques minutes, ou "
        "connectez-vous par un autre moyen."
    )


class _Announced:
    """What providers say of themselves, keys included, remembered by the process."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}
        self._lock = threading.Lock()

    def get(self, provider: Provider, *, fresh: bool = False) -> dict[str, Any]:
        """The metadata of OpenID Connect Discovery 1.0, and the key set as `keys`. Raises UnavailableError."""
        until, known = self._kept.get(provider.issuer, (0.0, {}))
        if known and not fresh and time.monotonic() < until:
            return known
        try:
            told = _fetch(f"{provider.issuer}/.well-known/openid-configuration")
            named = str(told.get("issuer", "")).rstrip("/")
            if named != provider.issuer or not all(told.get(end) for end in _ENDPOINTS):
                raise _away(provider)
            told["keys"] = _fetch(told["jwks_uri"])
        except (requests.RequestException, ValueError) as error:
            raise _away(provider) from error
        with self._lock:
            self._kept[provider.issuer] = (time.monotonic() + REMEMBERED, told)
        return told


def _fetch(address: str) -> dict[str, Any]:
    reply = requests.get(address, timeout=TIMEOUT, allow_redirects=False)
    reply.raise_for_status()
    told = reply.json()
    if not isinstance(told, dict):
        raise ValueError("not an object")  # noqa: TRY004  # what was read, not what was passed
    return told


_ANNOUNCED: Final = _Announced()
