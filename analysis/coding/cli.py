"""`python -m analysis classify | sample | quality …`; the learning libraries are loaded only when needed."""

import argparse
import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.answers import Answers, answers
from analysis.coding.agreement import agreement, by_period
from analysis.coding.codebook_files import load_any
from analysis.coding.codings import read_codings, read_periods, settled
from analysis.coding.given import HUMAN, read_given
from analysis.coding.rules import Rules
from analysis.coding.sampling import Drawn, Sample, draw
from analysis.coding.standing import (
    QUALITY_HELP,
    Standings,
    of_codebook,
    of_codes,
    plain,
    read_measures,
    warnings,
    withheld,
)
from analysis.corrections import CORRECTIONS_HELP
from analysis.errors import AnalysisError
from analysis.inputs import DUMP_HELP, add_external
from analysis.languages import CODES, FRENCH
from analysis.lemmas import LEMMAS_HELP
from analysis.plurals import counted
from analysis.processes import cluster
from analysis.reconciliation import account, account_line
from analysis.recorded import Progress, Recorded, write_json

_ASKED = 200


def register(commands: Any, progress: Progress) -> None:
    """Add this package's commands to the parser; `progress` is told (done, total, what)."""
    classify = commands.add_parser(
        "classify",
        help="apprendre de codages humains et suggérer des codes aux autres contributions",
        description="Codage appris de codages humains : suggestions à relire, écrites en NDJSON avec leur raison.",
    )
    _corpus_options(classify)
    classify.add_argument("--coded", type=Path, required=True, help="CSV id, code, coder (code vide : lue, sans code)")
    classify.add_argument("--codebook", type=Path, help="plan de codification : ses motifs codent avant le modèle")
    classify.add_argument("--lemmas", type=Path, help=f"{LEMMAS_HELP}, pour les motifs du plan")
    classify.add_argument("--corrections", type=Path, help=CORRECTIONS_HELP)
    classify.add_argument("--quality", type=Path, help=QUALITY_HELP)
    classify.add_argument("--out", type=Path, required=True, help="fichier NDJSON à écrire")
    classify.add_argument(
        "--next", type=Path, help="CSV à écrire : les contributions à coder ensuite par des personnes"
    )
    classify.add_argument("--encoder", action="store_true", help="lire aussi le sens des phrases (extra « encoders »)")
    classify.add_argument("--jobs", type=int, default=1, help="processus de calcul (1 ; -1 : tous les cœurs)")
    classify.add_argument("--dask", metavar="ADRESSE", help="calculer sur cette grappe Dask")
    _set(classify, "classify", progress)
    _register_quality(commands, progress)


def _set(sub: argparse.ArgumentParser, name: str, progress: Progress) -> None:
    sub.set_defaults(command=lambda options: COMMANDS[name].execute(options, progress))


def _register_quality(commands: Any, progress: Progress) -> None:
    sample = commands.add_parser(
        "sample",
        help="tirer l’échantillon aveugle qui mesurera la qualité d’un codage",
        description="Échantillon stratifié par code : une feuille à coder sans indice, et une clé à tenir à l’écart.",
    )
    _corpus_options(sample)
    sample.add_argument("--codes", type=Path, required=True, help="attributions en NDJSON, de « code » ou « classify »")
    sample.add_argument("--codebook", type=Path, help="plan de codification qui a donné ces codes, que mesurera la clé")
    sample.add_argument("--per-stratum", type=int, default=50, help="contributions par code et par strate (50)")
    sample.add_argument("--sheet", type=Path, required=True, help="CSV à faire coder")
    sample.add_argument("--key", type=Path, required=True, help="clé JSON à tenir à l’écart des codeurs")
    _set(sample, "sample", progress)
    quality = commands.add_parser(
        "quality",
        help="mesurer un codage : précision, rappel, prévalence corrigée, accord entre codeurs",
        description="Qualité de chaque code d’après l’échantillon codé par des personnes, écrite en JSON.",
    )
    quality.add_argument("key", type=Path, metavar="CLE", help="clé écrite par « sample »")
    quality.add_argument("--coded", type=Path, required=True, help="CSV id, code, coder ; le codeur « final » fait foi")
    quality.add_argument("--precision", type=float, default=0.7, help="précision exigée (0,7)")
    quality.add_argument("--recall", type=float, default=0.5, help="rappel exigé (0,5)")
    quality.add_argument("--alpha", type=float, help="accord exigé entre codeurs")
    quality.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    _set(quality, "quality", progress)


def _corpus_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("dump", type=Path, metavar="JEU", help=DUMP_HELP)
    add_external(sub)
    sub.add_argument("--corpus", help="le corpus à coder, s’il y en a plusieurs")
    sub.add_argument("--seed", type=int, default=1, help="graine (1 par défaut)")
    sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")


def _classify(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from analysis.coding.assignments import combine, without
    from analysis.semantic.vectors import sentence_vectors

    if options.corrections and not options.codebook:
        raise AnalysisError("« --corrections » liste ce que lisent les motifs d’un plan : donnez-le (--codebook).")
    human = settled(read_codings(options.coded))
    read = answers(options, human)
    units, texts = read.units, read.texts
    mine = {unit: human[unit] for unit in units if unit in human}
    if not mine:
        raise AnalysisError("Aucune contribution codée n’est dans ce corpus : vérifiez les identifiants.")
    clusters = read.clusters(options.language, progress)
    vectors = None
    if options.encoder:
        vectors = sentence_vectors(texts, lambda done, total: progress(done, total, "lecture des phrases"))
    model = _learnt(options, read, mine, clusters, vectors, progress)
    hits = _rule_hits(options.codebook, texts, options, progress) if options.codebook else ()
    coded = combine(
        units,
        texts,
        mine,
        clusters,
        hits=hits,
        model=model,
        vectors=vectors,
        progress=lambda done, total: progress(done, total, "suggestions"),
    )
    standings = _standings(options, read.corpus.key, {item.code for item in coded.assignments})
    coded = without(coded, withheld(standings))
    rows = [json.dumps(asdict(item), ensure_ascii=False) + "\n" for item in coded.assignments]
    options.out.write_text("".join(rows), encoding="utf-8")
    if options.next:
        _write_next(options.next, read, mine, clusters, vectors, model)
    return _told(read, coded, standings, model.unlearnt, len(human) - len(mine))


def _learnt(
    options: argparse.Namespace,
    read: Answers,
    human: Mapping[str, frozenset[str]],
    clusters: NDArray[np.int64],
    vectors: NDArray[np.float64] | None,
    progress: Progress,
) -> Any:
    from analysis.coding.classifier import learn

    units, texts = read.units, read.texts
    rank = {unit: i for i, unit in enumerate(units)}
    known = [rank[unit] for unit in sorted(human)]
    with cluster(options.dask):
        return learn(
            [texts[i] for i in known],
            [human[units[i]] for i in known],
            sorted(set().union(*human.values())),
            clusters[known],
            vectors=None if vectors is None else vectors[known],
            seed=options.seed,
            jobs=options.jobs,
            progress=lambda done, total: progress(done, total, "apprentissage"),
        )


def _write_next(
    path: Path,
    read: Answers,
    human: Mapping[str, frozenset[str]],
    clusters: NDArray[np.int64],
    vectors: NDArray[np.float64] | None,
    model: Any,
) -> None:
    from analysis.coding.classifier import reading_order

    units, texts = read.units, read.texts
    free = [i for i, unit in enumerate(units) if unit not in human]
    predicted = model.predict([texts[i] for i in free], None if vectors is None else vectors[free])
    asked = [(free[i], code) for i, code in reading_order(predicted, clusters[free], _ASKED)]
    _write_csv(path, ("id", "texte", "pour le code"), [(units[i], texts[i], code) for i, code in asked])


def _told(read: Answers, coded: Any, standings: Standings, unlearnt: dict[str, int], ignored: int) -> dict[str, Any]:
    """The summary of a coding, printed too: what became of every contribution, and what machine labels are."""
    counts = coded.counts
    print(
        f"{counted(len(read.units), 'contribution')} = {counted(counts['human'], 'codée')} par des personnes "
        f"+ {counts['machine']} par la machine + {counts['to_read']} à lire par une personne "
        f"+ {counts['no_code']} sans code."
    )
    for code, count in unlearnt.items():
        print(f"Code « {code} » : {counted(count, 'exemple')}, trop peu pour apprendre.")
    if ignored:
        aside = counted(ignored, "codage laissé de côté", "codages laissés de côté")
        print(f"{aside} : il n’y a pas là de réponse de ce corpus.")
    for line in warnings(standings):
        print(line)
    print(coded.notice)
    held = {item.unit for item in coded.assignments if not item.review}
    return {
        "notice": coded.notice,
        "counts": counts,
        "reconciliation": read.reconciled(held, set(coded.to_read)).figures,
        "codes": plain(standings),
        "unlearnt": unlearnt,
        "codings_ignored": ignored,
    }


def _standings(options: argparse.Namespace, corpus: str, codes: Iterable[str]) -> Standings:
    """What was measured of the codes given: those of the plan, and those learnt beside it."""
    measures = read_measures(options.quality)
    if not options.codebook:
        return of_codes(measures, corpus, sorted(codes))
    plan = load_any(options.codebook)
    return of_codebook(measures, corpus, plan, sorted(codes))


def _rule_hits(path: Path, texts: list[str], options: argparse.Namespace, progress: Progress) -> Any:
    plan = load_any(path)
    if plan.missing_approvals:
        print("Ne pas publier : le plan de codification n’a pas ses deux approbations.")
    return Rules([plan], texts, options, progress).hits(plan)


def _write_csv(path: Path, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


def _sample(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    read = answers(options)
    units, texts = read.units, read.texts
    rank = {unit: i for i, unit in enumerate(units)}
    plan = load_any(options.codebook) if options.codebook else None
    given: dict[str, Any] = {}
    near: dict[str, Any] = {}
    for each in read_given(options.codes, read.corpus.key, plan):
        place = rank.get(each.unit)
        if place is None or each.origin == HUMAN:
            continue
        given.setdefault(each.code, np.zeros(len(units), dtype=np.bool_))[place] = True
        near.setdefault(each.code, np.ones(len(units)))[place] = 0.0 if each.doubtful else 1.0
    if not given:
        raise AnalysisError("Aucune attribution de ce corpus à mesurer : vérifiez « --codes ».")
    sample = draw(
        units,
        given,
        margins=near,
        clusters=read.clusters(options.language, progress),
        per_stratum=options.per_stratum,
        seed=options.seed,
    )
    _write_csv(options.sheet, ("id", "texte", "code", "coder"), [(u, texts[rank[u]], "", "") for u in sample.units])
    key = {**asdict(sample), "corpus": read.corpus.key, "codebook": plan.digest if plan else None}
    options.key.write_text(json.dumps(key, ensure_ascii=False) + "\n", encoding="utf-8")
    drawn, codes = counted(len(sample.units), "contribution"), counted(len(given), "code")
    print(f"{drawn} à coder sur tous les codes, pour juger {codes}.")
    held = {unit for unit, place in rank.items() if any(codes[place] for codes in given.values())}
    found = read.reconciled(held)
    print(account_line(read.corpus, found))
    return account([(read.corpus, found)])


def _quality(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.coding.quality import Bounds, judge

    try:
        raw = json.loads(options.key.read_text(encoding="utf-8"))
        known = {"corpus": str(raw["corpus"]), "codebook": raw["codebook"]}
        sample = Sample(
            tuple(Drawn(*item) for item in raw["drawn"]), raw["sizes"], tuple(raw["units"]), int(raw["seed"])
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnalysisError(f"« {options.key} » n’est pas une clé d’échantillon.") from error
    periods = read_periods(options.coded)
    judgements = [judgement for given in periods.values() for judgement in given]
    people = agreement(
        [j for j in judgements if j.coder != "final"],
        sorted(sample.sizes),
        seed=sample.seed,
        progress=lambda done, total: progress(done, total, "accord entre codeurs"),
    )
    found = judge(
        sample,
        settled(judgements),
        bounds=Bounds(options.precision, options.recall, options.alpha),
        alphas={code: alpha.value for code, alpha in people.codes.items()},
    )
    report: dict[str, Any] = {**known, "codes": [asdict(code) for code in found], "agreement": asdict(people)}
    if len(periods) > 1:
        coders = {period: [j for j in given if j.coder != "final"] for period, given in periods.items()}
        drifting = by_period(
            coders,
            sorted(sample.sizes),
            seed=sample.seed,
            progress=lambda period, done, total: progress(done, total, f"accord, période {period}"),
        )
        report["periods"] = {period: asdict(each) for period, each in drifting.items()}
    write_json(options.out, report)
    for code in found:
        print(f"{code.code} : {code.reason or 'publiable.'}")


COMMANDS = {
    recorded.name: recorded
    for recorded in (
        Recorded(
            "classify",
            ("dump", "coded", "codebook", "lemmas", "quality", "external"),
            ("out", "next", "corrections"),
            _classify,
            plans=("codebook",),
        ),
        Recorded("sample", ("dump", "codes", "codebook", "external"), ("sheet", "key"), _sample, plans=("codebook",)),
        Recorded("quality", ("key", "coded"), ("out",), _quality),
    )
}
