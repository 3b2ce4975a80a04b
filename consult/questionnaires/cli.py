"""`consult questionnaires`."""

from __future__ import annotations

import click

from consult.console import Serve


@click.group()
def questionnaires() -> None:
    """Les réponses anonymes qui attendent leur lot."""


@questionnaires.command("give-up")
@click.option("--yes", is_flag=True, help="Renoncer à ce qu’aucune clé n’ouvre, pour de bon.")
@click.pass_obj
def give_up(serve: Serve, /, yes: bool) -> None:  # noqa: FBT001  # click gives flags so
    """Renoncer aux réponses anonymes dont la clé est perdue, et publier l’incident."""
    from consult import clock
    from consult.db import ALL_TENANTS
    from consult.errors import ConflictError
    from consult.questionnaires.anonymous import batches, urns

    platform = serve.platform()
    keys = urns.keyring(platform.settings.seal_keys)
    with platform.database.transaction(tenant=ALL_TENANTS) as session:
        found = batches.give_up(session, keys=keys, now=clock.now(), only_tell=not yes)
        for each in found:
            consultation = each.step.consultation.slug
            lost = f"réponses perdues : {each.replies}, changements perdus : {each.changes}."
            platform.tell(f"{consultation} / {each.step.slug}, {lost}")
    if not found:
        platform.tell("Les clés de CONSULT_SEAL_KEYS ouvrent tout ce qui attend.")
    elif not yes:
        raise ConflictError("Cherchez d’abord la clé perdue ; si elle l’est pour de bon, confirmez par --yes.")
    else:
        platform.tell("L’incident sera publié au registre de chaque organisation.")
