"""French words of traffic: periods, pages, sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from consult.audience.figures import REST, Acts, Span, Traffic, change
from consult.audience.models import Period
from consult.audience.policy import DIRECT, OTHERS
from consult.labels import NO_BREAK, date, number, percent

PERIODS: Final = {Period.WEEK: "Bilan hebdomadaire", Period.DAY: "Bilan quotidien"}
BEFORE: Final = {Period.WEEK: "la semaine précédente", Period.DAY: "la veille"}
DIRECTLY: Final = "Accès direct (adresse saisie, favori, courriel, application)"
SOURCES: Final = {DIRECT: DIRECTLY, OTHERS: "Autres origines", REST: "Le reste"}
PAGES: Final = {
    "/": "Accueil",
    "/consultations": "Liste des consultations",
    "/contributions/*": "Une contribution",
    "/inscription": "Inscription",
    "/connexion": "Connexion",
    "/mon-compte": "Mon compte",
    "/aide": "Aide",
    "/donnees-ouvertes": "Données ouvertes",
    "/registre": "Registre public",
    REST: "Le reste",
}
METHODS: Final[Mapping[str, str]] = {
    "counters": "Mesuré par la plateforme elle-même, sans traceur ni témoin, en sommes qui ne disent rien de "
    f"personne. Une visite est une page ouverte d’ailleurs que du site{NO_BREAK}: deux visites d’une même personne "
    "comptent deux fois, et une visite n’a ni durée ni parcours. Les robots qui se nomment, les agents connectés et "
    "les personnes dont le navigateur demande à ne pas être suivi ne sont pas comptés.",
    "matomo": "Mesuré par Matomo, sans témoin, sur le serveur que l’exploitant déclare. Les adresses qui lui sont "
    "dites ne portent ni identifiant, ni recherche, ni jeton\u00a0; les personnes qui s’y opposent, ou dont le "
    "navigateur demande à ne pas être suivi, ne lui sont pas dites. Matomo ne reconnaît une "
    "visite que dans la journée.",
    "off": f"La mesure d’audience est arrêtée sur cette plateforme{NO_BREAK}: aucune visite n’est comptée.",
}
APART: Final = (
    "Les comptes, contributions et votes sont comptés dans la base de la plateforme, sans être jamais rapprochés des "
    f"visites{NO_BREAK}: le rapport de l’un à l’autre est celui de deux sommes, non le parcours de personnes."
)
EMPTY: Final = (
    f"Aucune visite n’a été comptée pendant cette période{NO_BREAK}: les zéros de ce bilan sont des zéros mesurés."
)
ACTS: Final = (("accounts", "Comptes confirmés"), ("contributions", "Contributions"), ("votes", "Votes"))


def period(span: Span) -> str:
    """« Semaine du 5 octobre 2026 au 11 octobre 2026 », « Journée du 5 octobre 2026 »."""
    if span.period is Period.DAY:
        return f"Journée du {date(span.first)}"
    return f"Semaine du {date(span.first)} au {date(span.last)}"


def page(path: str) -> str:
    """What a page is called: some have a name, the others their address."""
    return PAGES.get(path, path)


def source(domain: str) -> str:
    """What a source is called."""
    return SOURCES.get(domain, domain)


def hour(rank: int) -> str:
    """« 8 h »."""
    return f"{rank}{NO_BREAK}h"


def changed(now: int, before: int | None) -> str:
    """« +12,3 % » on the period before, or why that cannot be said."""
    if before is None:
        return "période précédente non mesurée"
    share = change(now, before)
    if share is None:
        return "rien la période précédente" if now else "comme la période précédente"
    return ("+" if share > 0 else "") + percent(share)


def summary(
    traffic: Traffic | None, before: Traffic | None, acts: Acts, acts_before: Acts
) -> list[tuple[str, int | None, int | None]]:
    """The lines of the table of figures: what, how many, how many in the period before; None where not measured."""
    rows: list[tuple[str, int | None, int | None]] = [
        ("Visites", traffic.visits if traffic else None, before.visits if before else None),
        ("Pages vues", traffic.views if traffic else None, before.views if before else None),
    ]
    return rows + [(label, getattr(acts, name), getattr(acts_before, name)) for name, label in ACTS]


def figure(value: int | None) -> str:
    """A count as it is written."""
    return "non mesuré" if value is None else number(value)
