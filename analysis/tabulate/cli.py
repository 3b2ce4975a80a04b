"""`python -m analysis tabulate`: flat and cross tables of closed variables and codes, as a file and its manifest."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analysis import readers
from analysis.coding.codebook_files import load_any
from analysis.coding.given import read_given
from analysis.coding.standing import QUALITY_HELP, plain, read_measures, warnings
from analysis.corpus import Corpus, Source, Variable
from analysis.errors import AnalysisError
from analysis.languages import CODES, FRENCH, language
from analysis.recorded import Progress, Recorded, write_json
from analysis.tabulate.codes import KEY, Coded, coded
from analysis.tabulate.cross import cross_table
from analysis.tabulate.flat import flat_table

Json = dict[str, Any]


def register(commands: Any, progress: Progress) -> None:
    """Add this package's command to the parser; `progress` is told (done, total, what)."""
    sub = commands.add_parser(
        "tabulate",
        help="écrire les tris à plat (ou croisés) des variables fermées, et des codes, en JSON",
        description="Tris à plat, ou tri croisé de deux variables, écrits en JSON. Les codes donnés à une question "
        "ouverte sont la variable « codes ».",
    )
    sub.add_argument("dump", type=Path, metavar="JEU", help="dossier, zip ou CSV (colonnes id, text, variables)")
    sub.add_argument("--cross", nargs=2, metavar=("LIGNE", "COLONNE"), help="croiser deux variables")
    sub.add_argument("--corpus", action="append", default=[], help="seulement ce corpus (répétable)")
    sub.add_argument("--codes", type=Path, help="codes à compter : NDJSON de « code » ou de « classify »")
    sub.add_argument("--codebook", type=Path, help="leur plan de codification : libellés et hiérarchie")
    sub.add_argument("--quality", type=Path, help=QUALITY_HELP)
    sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    sub.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    sub.set_defaults(command=lambda options: COMMANDS["tabulate"].execute(options, progress))


@dataclass(frozen=True)
class _Group:
    """Variables over the same people; those of an open question are of its answers, codes first."""

    key: str
    variables: Sequence[Variable]
    coded: Coded | None = None

    def tables(self, crossed: Sequence[str] | None) -> Iterator[Json]:
        """Each variable alone (the codes alone, for an open question), or the two asked for when both are here."""
        known = {variable.key: variable for variable in self.variables}
        if not crossed:
            for variable in self.variables[:1] if self.coded else self.variables:
                yield {"group": self.key, **flat_table(variable).figures, **self._about}
        elif all(name in known for name in crossed) and (KEY in crossed) == bool(self.coded):
            row, column = (known[name] for name in crossed)
            yield {"group": self.key, **asdict(cross_table(row, column)), **self._about}

    @property
    def _about(self) -> Json:
        """What must be known of codes that are counted."""
        about = self.coded
        return {"standings": plain(about.standings), "reconciliation": about.reconciliation.figures} if about else {}


def _tabulate(options: argparse.Namespace, progress: Progress) -> None:
    source = readers.restricted(readers.read(options.dump), tuple(options.corpus))
    groups = [*_coded(options, source), *_closed(source, questionnaires=not options.corpus)]
    tables: list[Json] = []
    for done, group in enumerate(groups, start=1):
        tables += group.tables(options.cross)
        progress(done, len(groups), f"tableaux de « {group.key} »")
    if not tables:
        known = sorted({variable.key for group in groups for variable in group.variables})
        raise AnalysisError(f"Aucun tableau à faire ; variables connues : {', '.join(known) or 'aucune'}.")
    write_json(options.out, tables)
    print(f"{len(tables)} tableaux écrits.")
    for group in groups:
        for line in warnings(group.coded.standings) if group.coded else ():
            print(line)


def _closed(source: Source, *, questionnaires: bool) -> Iterator[_Group]:
    """Closed variables; those of an open question are tabulated with its questionnaire."""
    for corpus in source.corpora:
        if corpus.unit != "reply":
            yield _Group(corpus.key, corpus.variables)
    for questionnaire in source.questionnaires if questionnaires else ():
        yield _Group(questionnaire.key, questionnaire.variables)


def _coded(options: argparse.Namespace, source: Source) -> Iterator[_Group]:
    """The corpora in which codes were given."""
    if not options.codes:
        if options.codebook or options.quality:
            raise AnalysisError("Un plan ou une mesure de qualité demande les codes à compter (--codes).")
        return
    plan = load_any(options.codebook) if options.codebook else None
    measures = read_measures(options.quality)
    found = [(corpus, list(read_given(options.codes, corpus.key, plan))) for corpus in source.corpora]
    if not any(given for _, given in found):
        raise AnalysisError(f"« {options.codes.name} » ne donne aucun code à ce jeu : vérifiez « --codes ».")
    for corpus, given in found:
        _check_free(corpus)
        if given:
            about = coded(corpus, given, plan, measures, language(options.language))
            yield _Group(corpus.key, about.variables, about)


def _check_free(corpus: Corpus) -> None:
    if any(variable.key == KEY for variable in corpus.variables):
        raise AnalysisError(f"Une variable de « {corpus.key} » s’appelle déjà « {KEY} » : renommez-la.")


COMMANDS = {
    "tabulate": Recorded("tabulate", ("dump", "codes", "codebook", "quality"), ("out",), _tabulate, plans=("codebook",))
}
