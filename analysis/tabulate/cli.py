"""`python -m analysis tabulate`: flat and cross tables of closed variables and codes, as a file and its manifest."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import readers
from analysis.coding.codebook_files import load_any
from analysis.coding.given import read_given
from analysis.coding.standing import QUALITY_HELP, plain, read_measures, warnings
from analysis.corpus import Corpus, Source, Variable
from analysis.errors import AnalysisError
from analysis.languages import CODES, FRENCH, language
from analysis.plurals import counted
from analysis.recorded import Progress, Recorded, write_json
from analysis.semantic.campaigns import find_campaigns
from analysis.semantic.shingles import bare
from analysis.tabulate.codes import KEY, Coded, coded
from analysis.tabulate.cross import cross_table
from analysis.tabulate.flat import Sample, flat_table
from analysis.tabulate.ordered import summaries
from analysis.text import Vocabulary

PERSONAL = frozenset({"reply", "row"})  # the units of a corpus that are one a person

Json = dict[str, Any]
Masks = Mapping[str, NDArray[np.bool_]]


def register(commands: Any, progress: Progress) -> None:
    """Add this package's command to the parser; `progress` is told (done, total, what)."""
    sub = commands.add_parser(
        "tabulate",
        help="écrire les tris à plat (ou croisés) des variables fermées, et des codes, en JSON",
        description="Tris à plat, ou tri croisé de deux variables, écrits en JSON. Les codes donnés à une question "
        "ouverte sont la variable « codes ».",
    )
    sub.add_argument("dump", type=Path, metavar="JEU", help="dossier, zip ou CSV (colonnes id, text, variables)")
    crossed = sub.add_mutually_exclusive_group()
    crossed.add_argument("--cross", nargs=2, metavar=("LIGNE", "COLONNE"), help="croiser deux variables")
    crossed.add_argument(
        "--banner",
        action="append",
        default=[],
        metavar="COLONNE",
        help="croiser chaque autre variable avec celle-ci (répétable : plusieurs bandeaux côte à côte)",
    )
    sub.add_argument(
        "--sample",
        choices=tuple(sample.value for sample in Sample),
        default=Sample.VOLUNTEERS.value,
        help="ce que sont les personnes : volontaires (volunteers), tirées au hasard (random) ou par quotas (quota) ; "
        "les parts n’ont d’intervalle que dans les deux derniers cas",
    )
    sub.add_argument("--corpus", action="append", default=[], help="seulement ce corpus (répétable)")
    sub.add_argument("--codes", type=Path, help="codes à compter : NDJSON de « code » ou de « classify »")
    sub.add_argument("--codebook", type=Path, help="leur plan de codification : libellés et hiérarchie")
    sub.add_argument("--quality", type=Path, help=QUALITY_HELP)
    sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    sub.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    sub.set_defaults(command=lambda options: COMMANDS["tabulate"].execute(options, progress))


@dataclass(frozen=True)
class _Group:
    """Variables over the same people; those of an open question are of its answers, codes first.

    `once` keeps one of each campaign, shape (n,); None where people wrote nothing.
    """

    key: str
    variables: Sequence[Variable]
    once: NDArray[np.bool_] | None = None
    coded: Coded | None = None
    sample: Sample = Sample.VOLUNTEERS

    def tables(self, crossed: Sequence[str] | None, banners: Sequence[str]) -> Iterator[Json]:
        """Each variable alone (the codes alone, for an open question), or the two asked for when both are here.

        With banners, when all are here: each of the others, as a whole and by each banner. Alone, answers in an order
        are also summed up, question by question.
        """
        known = {variable.key: variable for variable in self.variables}
        if not crossed:
            columns = [known[name] for name in dict.fromkeys(banners) if name in known]
            for variable in self.variables[:1] if self.coded else self.variables:
                if variable.key not in banners and known.keys() >= set(banners):
                    yield {"group": self.key, **self._twice(self._bannered, variable, *columns), **self._about}
            if not banners and not self.coded:
                yield from ({"group": self.key, **each} for each in summaries(self.variables, self.sample))
        elif all(name in known for name in crossed) and (KEY in crossed) == bool(self.coded):
            row, column = (known[name] for name in crossed)
            made = self._twice(self._crossed, row, column)
            yield {"group": self.key, **made, **self._about}

    def _bannered(self, variable: Variable, *banners: Variable) -> Json:
        figures = flat_table(variable, self.sample).figures
        return {**figures, "banners": [self._crossed(variable, banner) for banner in banners]} if banners else figures

    def _crossed(self, row: Variable, column: Variable) -> Json:
        return asdict(cross_table(row, column, self.sample))

    def _twice(self, table: Callable[..., Json], *variables: Variable) -> Json:
        """A table, and within it the same when campaigns count once."""
        if self.once is None:
            return table(*variables)
        return {**table(*variables), "without": table(*(variable.take(self.once) for variable in variables))}

    @property
    def _about(self) -> Json:
        """What must be known of codes that are counted."""
        about = self.coded
        return {"standings": plain(about.standings), "reconciliation": about.reconciliation.figures} if about else {}


def _tabulate(options: argparse.Namespace, progress: Progress) -> None:
    source = readers.restricted(readers.read(options.dump), tuple(options.corpus))
    once = {corpus.key: _once(corpus, options.language, progress) for corpus in source.corpora}
    sample = Sample(options.sample or Sample.VOLUNTEERS)  # a manifest of before the option names none
    groups = [
        *_coded(options, source, once, sample),
        *_closed(source, once, sample, questionnaires=not options.corpus),
    ]
    tables: list[Json] = []
    for done, group in enumerate(groups, start=1):
        tables += group.tables(options.cross, options.banner or ())
        progress(done, len(groups), f"tableaux de « {group.key} »")
    if not tables:
        known = sorted({variable.key for group in groups for variable in group.variables})
        raise AnalysisError(f"Aucun tableau à faire ; variables connues : {', '.join(known) or 'aucune'}.")
    write_json(options.out, tables)
    print(f"{counted(len(tables), 'tableau écrit', 'tableaux écrits')}.")
    for notice in dict.fromkeys(group.sample.notice for group in groups):
        print(notice)
    for group in groups:
        for line in warnings(group.coded.standings) if group.coded else ():
            print(line)


def _once(corpus: Corpus, code: str, progress: Progress) -> NDArray[np.bool_]:
    """One text a campaign, and all the others, shape (n,)."""
    vocabulary = Vocabulary(language(code))
    read = bare(vocabulary.tokenise(corpus.texts), vocabulary)
    return find_campaigns(read, progress=lambda done, total: progress(done, total, "doublons")).first_only


def _sampled(corpus: Corpus, sample: Sample) -> Sample:
    """A declared sample is of people: contributions and arguments are written by whoever wished to."""
    return sample if corpus.unit in PERSONAL else Sample.VOLUNTEERS


def _closed(source: Source, once: Masks, sample: Sample, *, questionnaires: bool) -> Iterator[_Group]:
    """Closed variables; those of an open question are tabulated with its questionnaire."""
    for corpus in source.corpora:
        if corpus.unit != "reply":
            yield _Group(corpus.key, corpus.variables, once[corpus.key], sample=_sampled(corpus, sample))
    for questionnaire in source.questionnaires if questionnaires else ():
        yield _Group(questionnaire.key, questionnaire.variables, sample=sample)


def _coded(options: argparse.Namespace, source: Source, once: Masks, sample: Sample) -> Iterator[_Group]:
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
            yield _Group(corpus.key, about.variables, once[corpus.key][about.rows], about, _sampled(corpus, sample))


def _check_free(corpus: Corpus) -> None:
    if any(variable.key == KEY for variable in corpus.variables):
        raise AnalysisError(f"Une variable de « {corpus.key} » s’appelle déjà « {KEY} » : renommez-la.")


COMMANDS = {
    "tabulate": Recorded("tabulate", ("dump", "codes", "codebook", "quality"), ("out",), _tabulate, plans=("codebook",))
}
