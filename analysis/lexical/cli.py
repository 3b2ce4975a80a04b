"""`python -m analysis lexicon | reinert | duplicates | concordance | companions | iramuteq`."""

import argparse
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import corrections, nonresponse, provenance
from analysis.coding import codebook as codebooks
from analysis.coding.lexicon_rules import Lexicon, Matcher
from analysis.coding.patterns import parse, words
from analysis.coding.standing import QUALITY_HELP, copy_measures, measures_in, read_measures, warnings
from analysis.corpus import Corpus
from analysis.errors import AnalysisError
from analysis.expressions import read_expressions
from analysis.inputs import DUMP_HELP, add_external, check_given, read_inputs
from analysis.iramuteq import write_corpus
from analysis.languages import CODES, FRENCH, language
from analysis.lemmas import LEMMAS_HELP, Lemmas, read_overrides
from analysis.lexical.concordance import ORDERS, concordance
from analysis.lexical.cooccurrence import Companion, companions
from analysis.lexical.frequencies import LemmaTokens
from analysis.lexical.segments import Table, cut, tabulate
from analysis.plurals import counted
from analysis.prepare import Prepared, prepare
from analysis.processes import cluster
from analysis.reconciliation import Reconciliation, account, account_line, reconcile
from analysis.recorded import Progress, Recorded
from analysis.report import lexicon, lexicon_files
from analysis.semantic.campaigns import find_campaigns
from analysis.semantic.shingles import bare
from analysis.text import Vocabulary

PARTS = {
    "lexicon": lexicon.EVERYTHING,
    "reinert": (lexicon.WORDS, lexicon.CLASSIFICATION, lexicon.SEGMENTS),
    "duplicates": (lexicon.CAMPAIGNS,),
}
SETTINGS = ("classes", "segment", "least", "double", "language")
COPIES = {"codebook": "codebook.yaml", "lemmas": "lemmas.yaml", "expressions": "expressions.txt"}


def register(commands: Any, progress: Progress) -> None:
    """Add this package's commands to the parser; `progress` is told (done, total, what)."""
    for name, help_text in (
        ("lexicon", "mots, classes, codes et campagnes d’un jeu, en une fois"),
        ("reinert", "classer les contributions par leur vocabulaire (méthode de Reinert)"),
        ("duplicates", "trouver les doublons et tenir le registre des campagnes"),
    ):
        sub = _sub(commands, name, help_text)
        sub.add_argument("--out", type=Path, required=True, help="dossier à écrire")
        sub.add_argument("--seed", type=int, default=1, help="graine (1 par défaut)")
        sub.add_argument("--jobs", type=int, default=1, help="processus de calcul (-1 : tous les cœurs)")
        sub.add_argument("--dask", metavar="ADRESSE", help="calculer sur cette grappe Dask")
        if name != "duplicates":
            sub.add_argument("--expressions", type=Path, help="expressions à compter comme un mot, une par ligne")
            sub.add_argument("--classes", type=int, default=10, help="nombre de classes (10)")
            sub.add_argument("--segment", type=int, default=0, help="mots par segment (0 : contributions entières)")
            sub.add_argument("--least", type=int, help="effectif minimal d’une classe")
            sub.add_argument("--double", action="store_true", help="double classification")
            sub.add_argument("--corrections", type=Path, help=corrections.CORRECTIONS_HELP)
        if name == "lexicon":
            sub.add_argument("--codebook", type=Path, help="plan de codification (YAML)")
            sub.add_argument("--quality", type=Path, help=QUALITY_HELP)
        sub.set_defaults(command=lambda options, name=name: _run(name, options, progress))
    lines = _sub(commands, "concordance", "montrer chaque emploi d’un motif dans son contexte")
    lines.add_argument("pattern", metavar="MOTIF", help="mot ou motif du langage des plans de codification")
    lines.add_argument("--order", default="text", help=f"tri : {', '.join(ORDERS)}")
    lines.add_argument("--width", type=int, default=8, help="mots de chaque côté (8)")
    _shown(lines, "concordance", progress)
    company = _sub(commands, "companions", "montrer les mots qui accompagnent un mot plus, ou moins, que le hasard")
    company.add_argument("lemma", metavar="LEMME", help="un mot, au singulier ou à l’infinitif")
    company.add_argument("--segment", type=int, default=0, help="mots par segment (0 : contributions entières)")
    company.add_argument("--most", type=int, default=50, help="nombre de mots à montrer de chaque côté (50)")
    _shown(company, "companions", progress)
    written = _sub(commands, "iramuteq", "écrire un corpus au format d’IRaMuTeQ")
    written.add_argument("--out", type=Path, required=True, help="fichier à écrire")
    written.set_defaults(command=lambda options: COMMANDS["iramuteq"].execute(options, progress))


def _shown(sub: argparse.ArgumentParser, name: str, progress: Progress) -> None:
    """A command whose lines are read on the screen, or kept in a file with its manifest."""
    sub.add_argument("--out", type=Path, help="fichier à écrire, avec son manifeste, au lieu de montrer")
    recorded = COMMANDS[name]
    sub.set_defaults(
        command=lambda options: recorded.execute(options, progress) if options.out else recorded.run(options, progress)
    )


def _sub(commands: Any, name: str, help_text: str) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(
        name, help=help_text, description=help_text[0].upper() + help_text[1:]
    )
    sub.add_argument("dump", type=Path, metavar="JEU", help=DUMP_HELP)
    sub.add_argument("--corpus", action="append", default=[], help="seulement ce corpus (répétable)")
    add_external(sub)
    sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    if name != "iramuteq":
        sub.add_argument("--lemmas", type=Path, help=LEMMAS_HELP)
        sub.add_argument("--cache", type=Path, help="dossier où garder les lemmes d’une exécution à l’autre")
    return sub


def _run(name: str, options: argparse.Namespace, progress: Progress) -> None:
    parameters = {
        "command": name,
        **{key: getattr(options, key, None) for key in ("seed", "corpus", *SETTINGS)},
    }
    files = {key: path for key in COPIES if (path := getattr(options, key, None))}
    with cluster(options.dask):
        study = made(
            options.dump, options.out, parameters, files,
            quality=getattr(options, "quality", None), external=options.external, jobs=options.jobs,
            cache=options.cache, progress=progress,
        )  # fmt: skip
    if getattr(options, "corrections", None):
        corrections.write(options.corrections, study.lemmas)
    for found in study.corpora:
        if lexicon.CODES in study.options.parts:
            account_of = account_line(found.corpus, found.reconciliation)
        else:
            account_of = account_line(found.corpus, found.reconciliation, ("classée", "classées"), "sans classe")
        tier = f" ; UO {found.tier.coding}" if found.tier else ""
        print(f"{account_of}{tier}")
        for notice in (*found.notices, *warnings(found.coding.standings)):
            print(f"Attention : {notice}")
    print(f"Résultats : {options.out / 'lexicon.json'}")


def made(
    dump: Path,
    out: Path,
    parameters: dict[str, Any],
    files: dict[str, Path],
    *,
    quality: Path | None = None,
    external: Path | None = None,
    jobs: int = 1,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> lexicon.LexiconStudy:
    """Run a command and write its result directory, whole or not at all.

    Raises AnalysisError in one French sentence, and leaves `out` as it was.
    """
    provenance.check_free(out)
    source = read_inputs(dump, tuple(parameters["corpus"]), external)
    options = lexicon.Options(parts=PARTS[parameters["command"]], seed=parameters["seed"], jobs=jobs)
    for key in SETTINGS:
        if parameters.get(key) is not None:
            options = replace(options, **{key: parameters[key]})
    read = language(options.language)
    own = read_expressions(files["expressions"], read) if "expressions" in files else ()
    study = lexicon.study(
        source,
        codebooks.load(files["codebook"]) if "codebook" in files else None,
        options,
        measures=read_measures(quality),
        overrides=read_overrides(files.get("lemmas")),
        expressions=(*read.expressions, *own),
        cache=cache,
        progress=progress,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as building:
        built = Path(building) / "result"
        built.mkdir()
        for key, path in files.items():
            shutil.copyfile(path, built / COPIES[key])
        copy_measures(quality, built)
        lexicon_files.write(built, study)
        lexicon_files.write_manifest(built, study, {**parameters, "external": external is not None})
        if out.exists():
            shutil.rmtree(out)
        built.rename(out)
    return study


def verify(
    out: Path, dump: Path, *, external: Path | None = None, cache: Path | None = None, progress: Progress | None = None
) -> None:
    """Run a result directory of these commands again and compare every file.

    Raises AnalysisError naming the first file that differs.
    """
    manifest = provenance.read_manifest(out)
    provenance.check_untouched(out, manifest)
    check_given(manifest["parameters"], external)
    files = {key: out / copy for key, copy in COPIES.items() if (out / copy).exists()}
    with tempfile.TemporaryDirectory() as temporary:
        again = Path(temporary) / "again"
        parameters = {key: value for key, value in manifest["parameters"].items() if key != "external"}
        study = made(
            dump, again, parameters, files,
            quality=measures_in(out), external=external, cache=cache, progress=progress,
        )  # fmt: skip
        if study.source.digest != manifest["source"]["digest"]:
            raise AnalysisError(f"« {dump.name} » n’est pas le jeu de données analysé : son empreinte diffère.")
        provenance.check_replayed(manifest, again)


def _concordance(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    read = language(options.language)
    node = parse(options.pattern, read=read)
    if options.width < 1:
        raise AnalysisError("La largeur doit être d’un mot au moins.")
    vocabulary = Vocabulary(read)
    vocabulary.tokenise(word.text for word in words(node) if word.kind != "prefix")
    prepared, lemmas = _prepared(options, vocabulary, progress)
    shown: list[str] = []
    account_of: list[tuple[Corpus, Reconciliation]] = []
    for each in prepared:
        matcher = Matcher(each.tokens, Lexicon(vocabulary, lemmas))
        found = concordance(node, each.tokens, vocabulary, matcher, order=options.order, width=options.width)
        shown.append(f"{each.corpus.title} : {counted(len(found), 'emploi')}")
        shown.append(_accounted(each, [item.text for item in found], "où il est employé", account_of))
        for item in found:
            left, centre, right = (" ".join(part).replace("' ", "’") for part in (item.left, item.centre, item.right))
            shown.append(f"{each.corpus.ids[item.text]}\t{left}\t[{centre}]\t{right}")
    _tell(shown, options.out)
    return account(account_of)


def _accounted(prepared: Prepared, texts: Iterable[int], held: str, found: list[tuple[Corpus, Reconciliation]]) -> str:
    """The line that says how many texts hold what was looked for, and where all the others went; kept in `found`."""
    holding = np.zeros(len(prepared.corpus.ids), dtype=np.bool_)
    holding[list(texts)] = True
    found.append((prepared.corpus, reconcile(prepared.corpus, prepared.sorting, holding & prepared.readable)))
    return account_line(*found[-1], (held,), "sans lui")


def _prepared(
    options: argparse.Namespace, vocabulary: Vocabulary, progress: Progress, expressions: Sequence[str] = ()
) -> tuple[list[Prepared], Lemmas]:
    return prepare(
        read_inputs(options.dump, tuple(options.corpus), options.external).corpora,
        vocabulary,
        seed=1,
        overrides=read_overrides(options.lemmas),
        expressions=expressions,
        cache=options.cache,
        progress=progress,
    )


def _tell(lines: Sequence[str], out: Path | None) -> None:
    if out is None:
        print(*lines, sep="\n")
    else:
        out.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        print(f"{counted(len(lines), 'ligne écrite')}.")


def _companions(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    if options.most < 1:
        raise AnalysisError("Montrez au moins un mot.")
    vocabulary = Vocabulary(language(options.language))
    prepared, _ = _prepared(options, vocabulary, progress, vocabulary.language.expressions)
    shown: list[str] = []
    refusals: list[AnalysisError] = []
    lemma = options.lemma.lower()
    account_of: list[tuple[Corpus, Reconciliation]] = []
    for each in prepared:
        table = tabulate(each.words, cut(each.words, size=options.segment))
        register = find_campaigns(bare(each.tokens, vocabulary))
        holding = _texts_with(each.words, lemma)
        told = _accounted(each, holding, "où il est employé", account_of)
        try:
            found, without = _with_and_without(table, lemma, register.first_only[table.texts])
        except AnalysisError as error:
            refusals.append(error)
            shown += [f"{each.corpus.title} : {error}", told]
            continue
        units = counted(int(table.matrix[:, [table.lemmas.index(lemma)]].nnz), "unité")
        shown += [f"{each.corpus.title} : {units} sur {table.matrix.shape[0]}", told]
        attracted = [item for item in found if item.score > 0][: options.most]
        avoided = [item for item in found if item.score < 0][-options.most :]
        shown += [_company(item, without.get(item.lemma)) for item in (*attracted, *avoided)]
    if refusals and len(refusals) == len(prepared):
        raise refusals[-1]
    _tell(shown, options.out)
    return account(account_of)


def _texts_with(words: LemmaTokens, lemma: str) -> list[int]:
    """Ranks of the texts that hold a lemma."""
    number = words.lemmas.index(lemma) if lemma in words.lemmas else -1
    found: list[int] = np.unique(words.texts[words.numbers == number]).tolist()
    return found


def _with_and_without(
    table: Table, lemma: str, kept: NDArray[np.bool_]
) -> tuple[list[Companion], dict[str, Companion]]:
    """The company of a lemma, and by lemma that in the units `kept`, one text a campaign: empty if it is gone."""
    found = companions(table, lemma)
    again = found if kept.all() else companions(table, lemma, units=kept)
    return found, {item.lemma: item for item in again if item.both or item.total}


def _company(item: Companion, without: Companion | None) -> str:
    mark = "" if item.significant else "\t(non significatif)"
    once = f"{without.both} ensemble, {without.total} en tout, {without.score:+.2f}" if without else "absent"
    figures = f"{item.both} ensemble, {item.total} en tout\t{item.score:+.2f}"
    return f"{item.lemma}\t{figures}\thors campagnes : {once}{mark}"


def _iramuteq(options: argparse.Namespace, _progress: Progress) -> dict[str, Any]:
    source = read_inputs(options.dump, tuple(options.corpus), options.external)
    chosen = [corpus for corpus in source.corpora if not options.corpus or corpus.key in options.corpus]
    if len(chosen) != 1:
        known = ", ".join(corpus.key for corpus in source.corpora) or "aucun"
        raise AnalysisError(f"Un fichier IRaMuTeQ tient un corpus : choisissez-en un (--corpus) : {known}.")
    (corpus,) = chosen
    options.out.write_text(write_corpus(corpus), encoding="utf-8")
    sorting = nonresponse.sort(corpus.texts, nonresponse.load(language(options.language).rules))
    found = reconcile(corpus, sorting, np.zeros(len(corpus.ids), dtype=np.bool_))
    print(f"{counted(len(corpus.ids), 'texte écrit')}.")
    print(account_line(corpus, found))
    return account([(corpus, found)])


COMMANDS = {
    "concordance": Recorded("concordance", ("dump", "lemmas", "external"), ("out",), _concordance),
    "companions": Recorded("companions", ("dump", "lemmas", "external"), ("out",), _companions),
    "iramuteq": Recorded("iramuteq", ("dump", "external"), ("out",), _iramuteq),
}
