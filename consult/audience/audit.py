"""Whether a Matomo is set as CNIL's exemption from consent asks: each deviation is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consult.audience.matomo import Matomo
from consult.errors import UnavailableError

POLICY: Final = "cnil_v1"
OLDEST: Final = 5
TIME_ZONE: Final = "Europe/Paris"
ABSENT: Final = (
    "Ce Matomo ne dit pas s’il respecte la politique CNIL (PrivacyManager.getComplianceStatus)\u00a0: mettez-le à "
    "jour, activez-la, et donnez à cette commande un jeton d’administrateur"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at; `deviates` is None where a person must look."""

    name: str
    deviates: bool | None
    detail: str = ""


def audit(matomo: Matomo, organisation: str) -> Iterator[Finding]:
    """Compare the settings of the site of an organisation with the profile. Raises UnavailableError."""
    site = matomo.site(organisation)
    version = str(_row(matomo.ask("API.getMatomoVersion", {})).get("value", ""))
    old = not version.partition(".")[0].isdigit() or int(version.partition(".")[0]) < OLDEST
    yield Finding(f"Version de Matomo\u00a0: {version or 'inconnue'}", old, f"il faut la version {OLDEST} ou plus")
    yield from _policy(matomo, site)
    yield from _site(_row(matomo.ask("SitesManager.getSiteFromId", {"idSite": site})))


def _policy(matomo: Matomo, site: str) -> Iterator[Finding]:
    try:
        found = _row(matomo.ask("PrivacyManager.getComplianceStatus", {"idSite": site, "complianceType": POLICY}))
    except UnavailableError as error:
        yield Finding("Politique CNIL", deviates=True, detail=f"{ABSENT} ({error.message})")
        return
    enforced = bool(found.get("complianceModeEnforced"))
    yield Finding("Politique CNIL imposée à ce site", not enforced, "activez-la dans « Vie privée », « Conformité »")
    requirements = found.get("complianceRequirements") or []
    if not requirements:
        yield Finding("Exigences de la politique CNIL", deviates=True, detail="Matomo n’en dit aucune")
    for each in requirements:
        state = {"compliant": False, "non_compliant": True}.get(str(each.get("value")))
        yield Finding(str(each.get("name")), state, str(each.get("notes") or ""))


def _site(site: Mapping[str, Any]) -> Iterator[Finding]:
    """What the policy leaves to each site, and what this platform asks beyond it."""
    yield Finding(
        "Fuseau horaire du site",
        site.get("timezone") != TIME_ZONE,
        f"choisissez {TIME_ZONE}, pour que les jours soient les nôtres",
    )
    yield Finding("Suivi de commerce", _on(site, "ecommerce"), "désactivez-le")
    yield Finding(
        "Recherches internes", _on(site, "sitesearch"), "désactivez-les\u00a0: un mot cherché peut désigner quelqu’un"
    )
    yield Finding("Fragments d’adresse", _on(site, "keep_url_fragment"), "ne les gardez pas")


def _on(site: Mapping[str, Any], name: str) -> bool:
    """Whether a setting is on, or not told."""
    return str(site.get(name, "1")) not in {"0", "2" if name == "keep_url_fragment" else "0"}


def _row(found: Any) -> Mapping[str, Any]:
    if isinstance(found, list) and found and isinstance(found[0], dict):
        return found[0]
    return found if isinstance(found, dict) else {}
