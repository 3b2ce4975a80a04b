"""`python -m analysis codebook convert | diff | propose`; the learning libraries are loaded only when needed."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from analysis.answers import Answers, answers
from analysis.coding.codebook_files import load_any, write_any
from analysis.coding.hits import Hits
from analysis.coding.rules import Rules
from analysis.coding.standing import of_codebook, plain, read_measures, warnings
from analysis.corrections import CORRECTIONS_HELP
from analysis.errors import AnalysisError
from analysis.languages import CODES, FRENCH
from analysis.lemmas import LEMMAS_HELP
from analysis.plurals import counted, noun
from analysis.recorded import Progress, Recorded, write_json


def register(commands: Any, progress: Progress) -> None:
    """Add this module's commands to the parser; `progress` is told (done, total, what)."""
    plan = commands.add_parser(
        "codebook",
        help="convertir, comparer ou compléter un plan de codification",
        description="Plan de codification : YAML et XLSX dans les deux sens, différences, propositions de codes.",
    )
    actions = plan.add_subparsers(required=True, metavar="action")
    convert = actions.add_parser("convert", help="réécrire un plan en YAML ou en XLSX, selon le nom du fichier")
    convert.add_argument("source", type=Path, metavar="PLAN", help="plan à lire, YAML ou XLSX")
    convert.add_argument("target", type=Path, metavar="FICHIER", help="fichier à écrire, .yaml ou .xlsx")
    _set(convert, "codebook convert", progress)
    compared = actions.add_parser("diff", help="dire ce qui change, et quelles contributions changeraient de code")
    compared.add_argument("before", type=Path, metavar="AVANT", help="plan d’avant")
    compared.add_argument("after", type=Path, metavar="APRES", help="plan d’après")
    compared.add_argument(
        "--quality", type=Path, help="mesure du plan d’avant, écrite par « quality » : chaque code dit la sienne"
    )
    compared.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    _set(compared, "codebook diff", progress)
    proposed = actions.add_parser("propose", help="proposer des codes pour ce qu’aucun code ne couvre")
    proposed.add_argument("plan", type=Path, metavar="PLAN", help="plan à compléter")
    proposed.add_argument("--number", type=int, help="nombre de propositions")
    proposed.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    _set(proposed, "codebook propose", progress)
    for sub in (compared, proposed):
        sub.add_argument("--dump", type=Path, required=sub is proposed, help="jeu ouvert, ou fichier de textes")
        sub.add_argument("--corpus", help="le corpus à coder, s’il y en a plusieurs")
        sub.add_argument("--seed", type=int, default=1, help="graine (1 par défaut)")
        sub.add_argument("--lemmas", type=Path, help=LEMMAS_HELP)
        sub.add_argument("--corrections", type=Path, help=CORRECTIONS_HELP)
        sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")


def _set(sub: argparse.ArgumentParser, name: str, progress: Progress) -> None:
    sub.set_defaults(command=lambda options: COMMANDS[name].execute(options, progress))


def _reconciled(read: Answers, hits: Hits) -> dict[str, int]:
    units = read.units
    return read.reconciled({units[rank] for rank in set(hits.texts.tolist())}).figures


def _convert(options: argparse.Namespace, _progress: Progress) -> None:
    plan = load_any(options.source)
    write_any(plan, options.target)
    print(f"Plan « {plan.title} », version {plan.version}, {counted(len(plan.codes), 'code')}, empreinte {plan.digest}")


def _diff(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.coding.revision import compare, impact

    if options.corrections and not options.dump:
        raise AnalysisError("« --corrections » liste ce qui est lu d’un jeu : donnez-le (--dump).")
    before, after = load_any(options.before), load_any(options.after)
    revision = compare(before, after)
    report: dict[str, Any] = {"revision": asdict(revision)}
    if options.dump:
        read = answers(options)
        units, rules = read.units, Rules([before, after], read.texts, options, progress)
        codes = [code.id for code in after.codes] + [c.code for c in revision.codes if c.kind == "removed"]
        one, two = rules.hits(before), rules.hits(after)
        moved = impact(units, one, two, codes)
        report["reconciliation"] = {name: _reconciled(read, hits) for name, hits in (("before", one), ("after", two))}
        report["impact"] = [asdict(code) for code in moved]
        standings = of_codebook(read_measures(options.quality), read.corpus.key, before)
        report["standings"] = plain(standings)
        for line in warnings(standings):
            print(line)
        changed = {unit for code in moved for unit in (*code.gained, *code.lost)}
        would = noun(len(changed), "changerait", "changeraient")
        print(f"{counted(len(changed), 'contribution')} sur {len(units)} {would} de code.")
    write_json(options.out, report)
    for change in revision.codes:
        how = {"added": "ajouté", "removed": "retiré", "changed": f"modifié ({', '.join(change.fields)})"}[change.kind]
        print(f"Code « {change.code} » : {how}.")
    if after.missing_approvals:
        print(f"À approuver par : {', '.join(after.missing_approvals)}. D’ici là, un codage ne se publie pas.")


def _propose(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.coding.revision import propose
    from analysis.lexical.frequencies import lemmatise

    plan = load_any(options.plan)
    read = answers(options)
    units, rules = read.units, Rules([plan], read.texts, options, progress)
    words, hits = lemmatise(rules.tokens, rules.vocabulary, rules.lemmas, rules.readable), rules.hits(plan)
    found = propose(
        units,
        words,
        rules.readable,
        hits,
        number=options.number,
        seed=options.seed,
        progress=lambda done, total: progress(done, total, "thèmes de ce qu’aucun code ne couvre"),
    )
    write_json(options.out, {**asdict(found), "reconciliation": _reconciled(read, hits)})
    print(f"Sans aucun code : {counted(found.uncovered, 'contribution')} sur {found.readable}.")
    for proposal in found.proposals:
        print(f"{counted(proposal.size, 'contribution')} : {proposal.label}")
    for notice in found.notices:
        print(f"Attention : {notice}")


COMMANDS = {
    recorded.name: recorded
    for recorded in (
        Recorded("codebook convert", ("source",), ("target",), _convert, plans=("source",)),
        Recorded(
            "codebook diff",
            ("dump", "before", "after", "lemmas", "quality"),
            ("out", "corrections"),
            _diff,
            plans=("after",),
        ),
        Recorded("codebook propose", ("dump", "plan", "lemmas"), ("out", "corrections"), _propose, plans=("plan",)),
    )
}
