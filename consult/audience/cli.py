"""`consult matomo`."""

from __future__ import annotations

import click


@click.group()
def matomo() -> None:
    """Le Matomo qui mesure l’audience : comparer ses réglages avec ceux que la CNIL dispense de consentement."""


@matomo.command("audit")
@click.argument("organisation", required=False)
def audit(organisation: str | None) -> None:
    """Nommer chaque écart avec le profil dispensé de consentement. Sans ORGANISATION : chaque site déclaré."""
    from consult.audience.audit import audit as findings
    from consult.audience.matomo import Matomo
    from consult.errors import InvalidError
    from consult.settings import Settings, by_organisation

    settings = Settings.from_env()
    if not settings.matomo_url:
        raise InvalidError("CONSULT_MATOMO_URL n’est pas donné : il n’y a pas de Matomo à examiner.")
    meter, deviations = Matomo(settings), 0
    for slug in [organisation] if organisation else sorted(by_organisation(settings.matomo_sites)):
        click.echo(f"{slug} : site {meter.site(slug)} de {settings.matomo_url}")
        for each in findings(meter, slug):
            deviations += bool(each.deviates)
            mark = {True: "ÉCART", False: "conforme", None: "À VÉRIFIER"}[each.deviates]
            click.echo(
                f"  {mark} – {each.name}" + (f" : {each.detail}" if each.detail and each.deviates is not False else "")
            )
    if deviations:
        raise InvalidError(f"{deviations} écart(s) avec le profil dispensé de consentement.")
    click.echo("Aucun écart : la mesure peut se passer du consentement.")
