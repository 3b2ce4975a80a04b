"""Which identity providers are set, what is believed of them, and under which name a person of theirs is known here."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from consult.accounts.models import IdentityProvider
from consult.errors import ErrorText, ForbiddenError
from consult.settings import Settings

PROOF_LIFE: Final = dt.timedelta(minutes=15)  # from the provider's page to the button of ours
LINK_LIFE: Final = dt.timedelta(minutes=15)
LABELS: Final = {IdentityProvider.FRANCECONNECT: "FranceConnect", IdentityProvider.PROCONNECT: "ProConnect"}
LEVELS: Final = ("eidas1", "eidas2", "eidas3")  # each is worth those before it
REFUSED: Final = ErrorText(
    "Identification interrompue",
    "L’identification n’a pas abouti.",
    "Rien n’a changé. Recommencez depuis la page de connexion, ou connectez-vous par un autre moyen.",
)


class UnprovenError(ForbiddenError):
    """The provider said no, or what came back proves nobody."""

    @property
    def words(self) -> ErrorText:
        """Nobody is denied anything: it may be tried again."""
        return REFUSED


@dataclass(frozen=True, slots=True)
class Provider:
    """One identity provider, as the settings describe it."""

    name: IdentityProvider
    issuer: str
    client_id: str
    client_secret: str
    scopes: str
    acr: str  # the level asked for, and required; empty: none
    pkce: bool
    second_factor_acr: frozenset[str]  # levels that stand for the second factor of staff

    @property
    def label(self) -> str:
        """How it calls itself."""
        return LABELS[self.name]

    @property
    def for_staff(self) -> bool:
        """Whether it identifies public agents, not citizens: it then opens accounts of staff alone."""
        return self.name is IdentityProvider.PROCONNECT

    @property
    def levels_asked(self) -> str:
        """What the provider is asked for: the level required, else those that would spare a second factor."""
        return self.acr or " ".join(sorted(self.second_factor_acr))

    def accepts(self, acr: str) -> bool:
        """Whether an identification at that level is enough."""
        if self.acr in LEVELS:
            return acr in LEVELS[LEVELS.index(self.acr) :]
        return not self.acr or acr in self.acr.split()


def providers(settings: Settings) -> Mapping[str, Provider]:
    """Those that are set, by name."""
    found = (_franceconnect(settings), _proconnect(settings))
    return {provider.name.value: provider for provider in found if provider.issuer}


def _franceconnect(settings: Settings) -> Provider:
    return Provider(
        IdentityProvider.FRANCECONNECT,
        settings.franceconnect_issuer.rstrip("/"),
        settings.franceconnect_client_id,
        settings.franceconnect_client_secret,
        settings.franceconnect_scopes,
        settings.franceconnect_acr,
        settings.franceconnect_pkce,
        frozenset(),
    )


def _proconnect(settings: Settings) -> Provider:
    return Provider(
        IdentityProvider.PROCONNECT,
        settings.proconnect_issuer.rstrip("/"),
        settings.proconnect_client_id,
        settings.proconnect_client_secret,
        settings.proconnect_scopes,
        settings.proconnect_acr,
        settings.proconnect_pkce,
        frozenset(settings.proconnect_second_factor_acr.split()),
    )


def subject_digest(secret: str, provider: Provider, organisation_id: uuid.UUID, subject: str) -> str:
    """What is kept of a provider's identifier of a person: useless elsewhere, and without the platform's secret.

    One organisation cannot tell that another one knows the same person.
    """
    told = "\x1f".join((provider.name.value, provider.issuer, str(organisation_id), subject))
    return hmac.new(f"identity:{secret}".encode(), told.encode(), hashlib.sha256).hexdigest()
