"""What a browser holds, in its signed cookie, from the start of an identification to the end of the session it opened.

The identifier of the person stands there only inside the token by which they leave the provider: in their own browser.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from flask import current_app, g, request, session, url_for
from joserfc.jwk import KeySet

from consult.accounts.identities import policy
from consult.accounts.identities.client import Begun, Client, Proven
from consult.accounts.identities.policy import Provider, UnprovenError
from consult.accounts.sign_up.views import addresses
from consult.errors import NotFoundError
from consult.settings import Settings

_BEGUN: Final = "identity_begun"
_PROVEN: Final = "identity_proven"
_ENTERED: Final = "identity_entered"
AGAIN: Final = "Trop de temps a passé, ou cette identification a déjà servi."


@dataclass(frozen=True, slots=True)
class Proof:
    """Whom a provider identified in this browser, a moment ago, and where they were going."""

    provider: Provider
    subject: str  # digest
    acr: str
    suite: str

    @property
    def stands_for_second_factor(self) -> bool:
        """Whether that identification is worth the second factor of staff."""
        return self.acr in self.provider.second_factor_acr


def settings() -> Settings:
    """Those of the application."""
    found: Settings = current_app.extensions["settings"]
    return found


def provider_or_404(name: str) -> Provider:
    """A provider that the settings describe."""
    provider = policy.providers(settings()).get(name)
    if provider is None:
        raise NotFoundError("Ce moyen de se connecter n’est pas proposé ici.")
    return provider


def own_keys() -> KeySet:
    """Those that open what a provider encrypts."""
    found: KeySet = current_app.extensions["identity_keys"]
    return found


def client(provider: Provider) -> Client:
    """The platform as this organisation's client of a provider."""
    back = url_for("accounts.identities.back", provider=provider.name.value).removeprefix(request.script_root)
    return Client(provider, addresses().site + back, own_keys())


def remember_begun(provider: Provider, begun: Begun, suite: str) -> None:
    """Keep what the browser must come back with."""
    session[_BEGUN] = {"provider": provider.name.value, "suite": suite, "begun": begun.to_cookie()}


def take_begun(provider: Provider) -> tuple[Begun, str]:
    """What it must come back with, once, and where it was going. Raises UnprovenError."""
    kept = session.pop(_BEGUN, None)
    if kept is None or kept["provider"] != provider.name.value:
        raise UnprovenError("Ce navigateur n’a pas demandé à s’identifier, ou c’est déjà fait.")
    return Begun(**kept["begun"]), kept["suite"]


def remember_proven(provider: Provider, proven: Proven, suite: str) -> None:
    """Keep whom the provider identified, until a button is pressed."""
    subject = policy.subject_digest(settings().secret_key, provider, g.organisation.id, proven.subject)
    session[_PROVEN] = {
        "provider": provider.name.value,
        "organisation": str(g.organisation.id),
        "subject": subject,
        "acr": proven.acr,
        "suite": suite,
        "id_token": proven.id_token,
        "at": g.now.timestamp(),
    }


def proof(provider: Provider) -> Proof:
    """Whom that provider identified here a moment ago. Raises UnprovenError."""
    kept = session.get(_PROVEN, {})
    here = (provider.name.value, str(g.organisation.id))
    if (kept.get("provider"), kept.get("organisation")) != here:
        raise UnprovenError(AGAIN)
    if g.now > dt.datetime.fromtimestamp(kept["at"], dt.UTC) + policy.PROOF_LIFE:
        raise UnprovenError(AGAIN)
    return Proof(provider, kept["subject"], kept["acr"], kept["suite"])


def spend_proof() -> None:
    """The proof has served; what remains is the token by which its person leaves the provider."""
    kept = session.pop(_PROVEN, {})
    session[_ENTERED] = {"provider": kept.get("provider"), "id_token": kept.get("id_token")}


def entered() -> tuple[Provider, str] | None:
    """The provider by which this browser signed in, if it did, and the token that leaves it."""
    kept = session.get(_ENTERED) or {}
    provider = policy.providers(settings()).get(kept.get("provider", ""))
    return (provider, kept["id_token"]) if provider else None


def forget() -> None:
    """Keep nothing of it any more."""
    for name in (_BEGUN, _PROVEN, _ENTERED):
        session.pop(name, None)
