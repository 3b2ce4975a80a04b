"""`python -m analysis …`: analyse an open dump on files alone.

Exit code 0 done, 1 refused with a one-line French reason, 2 wrong use.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from analysis import __version__, corrections, nonresponse, provenance, recorded, tiers
from analysis.coding import cli as coding
from analysis.coding.codebook_files import load_any
from analysis.coding.drift import cli as drift
from analysis.coding.plans import cli as plans
from analysis.coding.standing import QUALITY_HELP, plain, read_measures, warnings
from analysis.command_line import Parser
from analysis.errors import AnalysisError, file_fault
from analysis.inputs import DUMP_HELP, add_external, read_inputs
from analysis.languages import CODES, FRENCH, language
from analysis.lemmas import LEMMAS_HELP, read_overrides
from analysis.lexical import cli as lexical
from analysis.moderation import cli as moderation
from analysis.plurals import counted
from analysis.reconciliation import account, account_line
from analysis.recorded import Progress, Recorded
from analysis.report import results, run, verify
from analysis.report.study import Steps, steps_of, study
from analysis.semantic import cli as semantic
from analysis.tabulate import cli as tabulate

Command = Callable[[argparse.Namespace], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    command: Command = options.command
    try:
        command(options)
    except AnalysisError as error:
        _erase_progress()
        print(f"Refusé : {error}", file=sys.stderr)
        return 1
    except OSError as error:
        _erase_progress()
        if error.filename is None:
            raise
        print(f"Refusé : {file_fault(error)}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m analysis", description="Analyse d’un jeu ouvert de consultation.")
    parser.add_argument("--version", action="version", version=__version__, help="dire la version")
    commands = parser.add_subparsers(required=True, metavar="commande")
    for name, words, command in (
        ("report", "analyser un jeu ouvert et écrire le dossier de résultats", _report),
        ("describe", "dire ce que contient un jeu ouvert, ou un plan de codification", _describe),
        ("code", "coder les contributions et écrire les attributions en NDJSON", _execute_code),
        ("verify", "refaire une analyse et comparer chaque fichier", _verify),
    ):
        sub = commands.add_parser(name, help=words, description=words[0].upper() + words[1:])
        sub.set_defaults(command=command)
        _add_options(sub, name)
    coding.register(commands, _progress)
    drift.register(commands, _progress)
    plans.register(commands, _progress)
    semantic.register(commands, _progress)
    lexical.register(commands, _progress)
    tabulate.register(commands, _progress)
    moderation.register(commands, _progress)
    return parser


def _add_options(sub: argparse.ArgumentParser, name: str) -> None:
    if name == "verify":
        sub.add_argument("results", type=Path, metavar="RESULTATS", help="dossier, ou fichier, à vérifier")
        sub.add_argument(
            "--dump", type=Path, help="jeu ouvert analysé (pour un fichier : cherché par son nom si absent)"
        )
        sub.add_argument(
            "--beside", type=Path, action="append", default=[], metavar="DOSSIER",
            help="où chercher les autres fichiers lus et écrits (répétable ; d’abord à côté des résultats)",
        )  # fmt: skip
        sub.add_argument("--external", type=Path, help="sources externes lues à côté (YAML)")
    elif name == "describe":
        sub.add_argument("dump", type=Path, nargs="?", metavar="JEU", help=DUMP_HELP)
    else:
        sub.add_argument("dump", type=Path, metavar="JEU", help=DUMP_HELP)
    if name in {"report", "code", "describe"}:
        sub.add_argument(
            "--codebook",
            type=Path,
            required=name == "code",
            help="plan de codification (YAML ; « codebook convert » le tire d’un XLSX)",
        )
    if name in {"report", "code"}:
        sub.add_argument("--quality", type=Path, help=QUALITY_HELP)
    if name in {"report", "code"}:
        add_external(sub)
        sub.add_argument("--out", type=Path, required=True, help="dossier ou fichier à écrire")
        sub.add_argument("--seed", type=int, default=1, help="graine (1 par défaut)")
        sub.add_argument("--corpus", action="append", default=[], help="seulement ce corpus (répétable)")
        sub.add_argument("--lemmas", type=Path, help=LEMMAS_HELP)
    if name == "code":
        sub.add_argument("--corrections", type=Path, help=corrections.CORRECTIONS_HELP)
    if name in {"report", "code", "describe"}:
        sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    if name in {"report", "code", "verify"}:
        sub.add_argument("--cache", type=Path, help="dossier où garder les lemmes d’une exécution à l’autre")


def _progress(done: int, total: int, label: str) -> None:
    line = f"[{done}/{total}] {label}"
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


def _erase_progress() -> None:
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr)


def _report(options: argparse.Namespace) -> None:
    made = run(
        options.dump,
        options.codebook,
        options.out,
        seed=options.seed,
        progress=_progress,
        cache=options.cache,
        overrides=options.lemmas,
        quality=options.quality,
        corpora=tuple(options.corpus),
        language=options.language,
        external=options.external,
    )
    _erase_progress()
    billable = counted(made.billable, "contribution facturable")
    print(f"{made.corpora} corpus, {billable}. Rapport : {made.report}")
    if not made.publishable:
        print("Ne pas publier : le plan de codification n’a pas ses deux approbations.")


def _verify(options: argparse.Namespace) -> None:
    manifest = recorded.manifest_of(options.results)
    if manifest:
        recorded.verify(manifest, _COMMANDS, options.beside, dump=options.dump, cache=options.cache, progress=_progress)
    elif options.dump is None:
        raise AnalysisError("Donnez le jeu ouvert analysé (--dump).")
    elif "command" in provenance.read_manifest(options.results)["parameters"]:
        lexical.verify(
            options.results, options.dump, external=options.external, cache=options.cache, progress=_progress
        )
    else:
        verify(options.results, options.dump, external=options.external, progress=_progress, cache=options.cache)
    _erase_progress()
    print("Conforme : chaque fichier est identique à celui d’une nouvelle exécution.")


def _describe(options: argparse.Namespace) -> None:
    if not options.dump and not options.codebook:
        raise AnalysisError("Donnez un jeu ouvert, un plan de codification (--codebook), ou les deux.")
    if options.codebook:
        plan = load_any(options.codebook)
        missing = ", ".join(plan.missing_approvals) or "aucune"
        codes = counted(len(plan.codes), "code")
        print(f"Plan « {plan.title} », version {plan.version}, {codes}, empreinte {plan.digest}")
        print(f"Approbations manquantes : {missing}")
    if not options.dump:
        return
    source = read_inputs(options.dump)
    print(f"{source.title} ({source.slug}), empreinte {source.digest}")
    for corpus in source.corpora:
        sorting = nonresponse.sort(corpus.texts, nonresponse.load(language(options.language).rules))
        variables = ", ".join(variable.key for variable in corpus.variables) or "aucune"
        if corpus.provenance:
            billed = f"source externe, licence {corpus.provenance.licence}"
        else:
            billed = f"{counted(sorting.billable, 'facturable')} ({tiers.words(tiers.tier(sorting.billable))})"
        apart = sum(corpus.set_apart.values())
        print(
            f"- {corpus.key} : {corpus.title} ; {counted(corpus.received, 'reçue')}, {counted(apart, 'écartée')}, "
            f"{counted(int(sorting.nonresponse.sum()), 'non-réponse')}, {billed} ; variables : {variables}"
        )
    for questionnaire in source.questionnaires:
        print(f"- {questionnaire.key} : {counted(questionnaire.replies, 'questionnaire rempli')}")
        for variable in questionnaire.variables:
            print(f"    {variable.key} : {variable.label}")
    for notice in source.notices:
        print(f"Attention : {notice}")


def _code(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    source = read_inputs(options.dump, tuple(options.corpus), options.external)
    found = study(
        source,
        load_any(options.codebook),
        seed=options.seed,
        language_code=options.language,
        measures=read_measures(options.quality),
        overrides=read_overrides(options.lemmas),
        cache=options.cache,
        steps=Steps(steps_of(source), progress),
    )
    rows = [json.dumps(row, ensure_ascii=False) + "\n" for row in results.assignments(found)]
    options.out.write_text("".join(rows), encoding="utf-8")
    if options.corrections:
        corrections.write(options.corrections, found.lemmas)
    _erase_progress()
    print(corrections.told(found.lemmas))
    for result in found.corpora:
        print(account_line(result.corpus, result.reconciliation))
        for warning in warnings(result.standings):
            print(warning)
    return {
        **account([(result.corpus, result.reconciliation) for result in found.corpora]),
        "codes": {result.corpus.key: plain(result.standings) for result in found.corpora},
        "corrections": found.corrections,
    }


_COMMANDS = {
    "code": Recorded(
        "code",
        ("dump", "codebook", "lemmas", "quality", "external"),
        ("out", "corrections"),
        _code,
        plans=("codebook",),
    ),
    **coding.COMMANDS,
    **drift.COMMANDS,
    **plans.COMMANDS,
    **semantic.COMMANDS,
    **lexical.COMMANDS,
    **tabulate.COMMANDS,
}


def _execute_code(options: argparse.Namespace) -> None:
    _COMMANDS["code"].execute(options, _progress)


if __name__ == "__main__":
    sys.exit(main())
