"""`python -m analysis tabulate`: flat and cross tables of closed variables, as a file with its manifest."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis import readers
from analysis.corpus import Source, Variable
from analysis.errors import AnalysisError
from analysis.recorded import Progress, Recorded, write_json
from analysis.tabulate.cross import cross_table
from analysis.tabulate.flat import flat_table

Json = dict[str, Any]


def register(commands: Any, progress: Progress) -> None:
    """Add this package's command to the parser; `progress` is told (done, total, what)."""
    sub = commands.add_parser(
        "tabulate",
        help="écrire les tris à plat (ou croisés) des variables fermées en JSON",
        description="Tris à plat, ou tri croisé de deux variables, écrits en JSON.",
    )
    sub.add_argument("dump", type=Path, metavar="JEU", help="dossier, zip ou CSV (colonnes id, text, variables)")
    sub.add_argument("--cross", nargs=2, metavar=("LIGNE", "COLONNE"), help="croiser deux variables")
    sub.add_argument("--corpus", action="append", default=[], help="seulement ce corpus (répétable)")
    sub.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    sub.set_defaults(command=lambda options: COMMANDS["tabulate"].execute(options, progress))


def _tabulate(options: argparse.Namespace, progress: Progress) -> None:
    source = readers.restricted(readers.read(options.dump), tuple(options.corpus))
    groups = _groups(source, questionnaires=not options.corpus)
    tables: list[Json] = []
    for done, (key, variables) in enumerate(groups, start=1):
        tables += ({"group": key, **table} for table in _tables(variables, options.cross))
        progress(done, len(groups), f"tableaux de « {key} »")
    if not tables:
        known = sorted({variable.key for _, variables in groups for variable in variables})
        raise AnalysisError(f"Aucun tableau à faire ; variables connues : {', '.join(known) or 'aucune'}.")
    write_json(options.out, tables)
    print(f"{len(tables)} tableaux écrits.")


def _groups(source: Source, *, questionnaires: bool) -> list[tuple[str, Sequence[Variable]]]:
    """The variables to tabulate together; those of an open question are the closed ones of its questionnaire."""
    groups: list[tuple[str, Sequence[Variable]]] = [
        (corpus.key, corpus.variables) for corpus in source.corpora if corpus.unit != "reply"
    ]
    if questionnaires:
        groups += [(questionnaire.key, questionnaire.variables) for questionnaire in source.questionnaires]
    return groups


def _tables(variables: Sequence[Variable], crossed: Sequence[str] | None) -> Iterator[Json]:
    known = {variable.key: variable for variable in variables}
    if not crossed:
        yield from (flat_table(variable).figures for variable in variables)
    elif all(name in known for name in crossed):
        row, column = (known[name] for name in crossed)
        yield asdict(cross_table(row, column))


COMMANDS = {"tabulate": Recorded("tabulate", ("dump",), ("out",), _tabulate)}
