"""`consult probe`."""

from __future__ import annotations

import click

from consult.console import Serve


@click.command()
@click.option("--url", default="", help="Page à demander (par défaut, l’accueil à CONSULT_PUBLIC_URL).")
@click.option("--name", default="sonde", help="Nom de cette sonde, s’il y en a plusieurs.")
@click.option("--once", is_flag=True, help="Mesurer une fois ; rend 1 si la page ne répond pas.")
@click.pass_obj
def probe(serve: Serve, /, url: str, name: str, once: bool) -> int:  # noqa: FBT001  # click gives flags so
    """Mesurer chaque minute si le site répond, sans la base de données.

    Chaque mesure est écrite dans CONSULT_PROBE_DIR. Ce qui n’est pas mesuré compte comme indisponible. Lancez-la sur
    une autre machine que celles qu’elle surveille.
    """
    from consult import clock, serving
    from consult.errors import ConflictError, InvalidError
    from consult.seam import service_levels as levels
    from consult.tickets.status import samples

    settings = serve.settings()
    if not samples.NAME.fullmatch(name):
        raise InvalidError("Le nom d’une sonde tient en 40 lettres sans accent, chiffres et traits d’union.")
    address, folder = url or f"{settings.public_url}/", settings.probe_path
    if not once:
        samples.watch(address, folder, name, every=samples.EVERY, stop=serving.stop_on_signals(), now=clock.now)
        return 0
    up = samples.look(address)
    samples.keep(folder, name, levels.Sample(clock.now(), up))
    if not up:
        raise ConflictError(f"{address} ne répond pas.")
    click.echo(f"{address} répond.", err=True)
    return 0
