"""`consult import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import click

from consult.console import Serve


@click.command("import")
@click.argument("file", metavar="FICHIER", required=False, type=click.Path(path_type=Path))
@click.option("--organisation", default="", help="Identifiant de l’organisation ; par défaut, la première.")
@click.option("--consultation", default="", help="Identifiant de la consultation ; la correspondance peut la créer.")
@click.option("--step", default="", help="Identifiant de l’étape, si ce n’est pas celle de la correspondance.")
@click.option("--mapping", default="", help="Correspondance : fichier YAML ou nom fourni. Sans elle, une est proposée.")
@click.option("--sheet", default="", help="Feuille du classeur ; par défaut, la première.")
@click.option("--dry-run", is_flag=True, help="Lire et vérifier sans rien écrire.")
@click.option("--undo", type=click.UUID, help="Annuler le lot de cet identifiant.")
@click.option("--rejected", type=click.UUID, help="Écrire en CSV les lignes refusées du lot de cet identifiant.")
@click.pass_context
def import_(
    context: click.Context,
    /,
    file: Path | None,
    organisation: str,
    undo: UUID | None,
    rejected: UUID | None,
    **options: Any,
) -> None:
    """Importer FICHIER (CSV, NDJSON, XLSX, Parquet) : propositions, arguments ou réponses, en lots annulables."""
    from consult.imports.commands import Console

    if not (undo or rejected or file):
        raise click.MissingParameter(ctx=context, param=context.command.params[0])
    serve: Serve = context.obj
    served = serve(organisation)
    console = Console(served.database, served.organisation_id, tell=served.tell, write=click.echo)
    if undo:
        console.undo(undo)
    elif rejected:
        console.rejected(rejected)
    elif file:
        console.run(file, step_kinds=served.bindings.step_kinds, **options)
