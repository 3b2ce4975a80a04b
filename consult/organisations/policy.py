"""What an organisation must publish, and at which address it is served."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from consult.organisations.models import Organisation
from consult.settings import Settings

SLUG: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")

# Loi n° 2004-575 (LCEN), art. 1-1, and RGPD, art. 13-1 b: what the legal notice must say.
LEGAL_NOTICE: Final = {
    "legal_name": "dénomination de l’administration",
    "legal_address": "adresse de l’administration",
    "phone": "téléphone de l’administration",
    "contact_email": "adresse électronique de contact",
    "publication_director": "directeur ou directrice de la publication",
    "host_name": "nom de l’hébergeur",
    "host_address": "adresse de l’hébergeur",
    "host_phone": "téléphone de l’hébergeur",
    "dpo_email": "adresse du délégué à la protection des données",
}


def legal_notice_gaps(organisation: Organisation) -> list[str]:
    """What the legal notice still lacks, in French; publishing a consultation is refused while there is any."""
    return [label for name, label in LEGAL_NOTICE.items() if not str(getattr(organisation, name)).strip()]


def protected_names(organisation: Organisation) -> tuple[str, ...]:
    """The names of this organisation that no pseudonym may hold: its own, and those that its administrators list."""
    listed = (organisation.name, organisation.legal_name, *organisation.protected_names.splitlines())
    return tuple(name for name in dict.fromkeys(map(str.strip, listed)) if name)


def own_hosts(option: str) -> dict[str, str]:
    """The hosts that serve one organisation each, from `Settings.hosts`: host -> slug."""
    pairs = (pair.partition("=") for pair in option.split(",") if "=" in pair)
    return {host.strip(): slug.strip() for host, _, slug in pairs}


def site_url(settings: Settings, slug: str, *, at_root: bool) -> str:
    """The absolute address of an organisation's home, without the last slash: for mails, feeds and exports.

    It never comes from the request's Host header. `at_root`: it is the one served without `/o/<slug>`.
    """
    host = next((host for host, owner in own_hosts(settings.hosts).items() if owner == slug), None)
    if host is not None:
        return f"{urlsplit(settings.public_url).scheme}://{host}"
    base = settings.public_url.rstrip("/")
    return base if at_root else f"{base}/o/{slug}"
