"""`consult probe` and `consult tickets`."""

from __future__ import annotations

import re
from pathlib import Path

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


@click.group()
def tickets() -> None:
    """Les tickets et les délais du contrat."""


@tickets.command("report")
@click.option("--month", required=True, help="Mois, par exemple 2026-06.")
@click.option("--organisation", default="", help="Identifiant de l’organisation ; par défaut, la première.")
@click.option("--out", type=click.Path(path_type=Path), default=Path(), help="Dossier où écrire ; par défaut, ici.")
@click.option(
    "--value", type=click.FloatRange(min=0), default=0.0, metavar="EUROS", help="V, valeur en euros pour les pénalités."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="NOMBRE",
    help="Diviseur de P = V × R / diviseur ; 0 : aucun.",
)
@click.option("--drill", "drills", multiple=True, help="Un essai de restauration du mois, en une phrase ; répétable.")
@click.pass_obj
def report(
    serve: Serve, /, month: str, organisation: str, out: Path, value: float, rate: float, drills: tuple[str, ...]
) -> None:
    """Écrire le rapport de service d’un mois : DOCX, XLSX et PDF, les mêmes octets pour un mois fini."""
    from consult import clock
    from consult.errors import ConflictError, InvalidError
    from consult.organisations.models import Organisation
    from consult.tickets.report import figures, files

    asked = re.fullmatch(r"(2\d{3})-(0[1-9]|1[0-2])", month)
    if asked is None:
        raise InvalidError("Donnez le mois comme 2026-06.")
    year, number, now = int(asked[1]), int(asked[2]), clock.now()
    if (year, number) > (now.year, now.month):
        raise ConflictError("Ce mois n’a pas commencé.")
    served = serve(organisation)
    terms = figures.Terms(value, rate, drills)
    with served.database.session(write=False, tenant=served.organisation_id) as session:
        name = session.get_one(Organisation, served.organisation_id).name
        found = figures.compute(session, name, year, number, terms, now=now)
    out.mkdir(parents=True, exist_ok=True)
    for extension, write in (("docx", files.docx), ("xlsx", files.xlsx), ("pdf", files.pdf)):
        path = out / f"rapport-de-service-{month}.{extension}"
        path.write_bytes(write(found))
        click.echo(str(path))
