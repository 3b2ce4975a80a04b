"""`consult export` and `consult package`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from consult.console import Serve


@click.command("export")
@click.argument("consultation", required=False)
@click.option("--organisation", default="", help="Identifiant de l’organisation ; par défaut, la première.")
@click.option("--out", type=click.Path(path_type=Path), help="Dossier à créer ; par défaut, l’identifiant et la date.")
@click.pass_obj
def export(serve: Serve, /, consultation: str | None, organisation: str, out: Path | None) -> None:
    """Écrire les données ouvertes de CONSULTATION, ou de toutes, dans un dossier : NDJSON, CSV, Parquet, XLSX, ODS."""
    from consult import clock
    from consult.actor import ANONYMOUS
    from consult.consultations import queries
    from consult.errors import ConflictError
    from consult.opendata.jobs import DumpMaker

    served = serve(organisation)
    with served.database.session(write=False, tenant=served.organisation_id) as session:
        consultation_id = queries.consultation_or_404(session, consultation, ANONYMOUS).id if consultation else None
    now = clock.now()
    out = out or Path(f"{consultation or 'consultations'}-{now:%Y%m%dT%H%M%SZ}")
    partial = out.with_name(f"{out.name}.partial")
    for taken in (out, partial):
        if taken.exists():
            raise ConflictError(f"« {taken} » existe déjà : choisissez un autre dossier par --out.")
    make = DumpMaker(served.settings, served.bindings.public_datasets)
    for progress in make(served.organisation_id, consultation_id, partial):
        served.tell(f"{progress.message} ({progress.done})")
    partial.replace(out)
    click.echo(str(out))


@click.command("package")
@click.argument("consultation")
@click.option("--organisation", default="", help="Identifiant de l’organisation ; par défaut, la première.")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Archive à créer ; par défaut, <consultation>-dossier.zip."
)
@click.pass_obj
def package(serve: Serve, /, consultation: str, organisation: str, out: Path | None) -> None:
    """Écrire le dossier de fin de mission anonymisé de CONSULTATION, close : données, notice, registre, empreintes."""
    from consult import clock
    from consult.actor import ANONYMOUS
    from consult.consultations import queries
    from consult.errors import ConflictError
    from consult.opendata import library

    served = serve(organisation)
    out = out or Path(f"{consultation}-dossier.zip")
    if out.exists():
        raise ConflictError(f"« {out} » existe déjà : choisissez une autre archive par --out.")
    with (
        tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=f".{out.name}.") as made,
        served.database.session(write=False, tenant=served.organisation_id) as reading,
    ):
        found = queries.consultation_or_404(reading, consultation, ANONYMOUS)
        folder, partial = Path(made) / "dossier", Path(made) / "dossier.zip"
        folder.mkdir()
        datasets = served.bindings.public_datasets
        for progress in library.write(reading, served.settings, datasets, found, folder, now=clock.now()):
            served.tell(f"{progress.message} ({progress.done})")
        library.archive(folder, partial)
        partial.replace(out)
    click.echo(str(out))
