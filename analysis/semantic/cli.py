"""`python -m analysis groups | themes | arguments …`; the learning libraries are loaded only when needed."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from analysis.answers import answers, told
from analysis.errors import AnalysisError
from analysis.languages import CODES, FRENCH, language
from analysis.lemmas import learn
from analysis.lexical.frequencies import lemmatise
from analysis.passages import Material
from analysis.prepare import in_context
from analysis.recorded import Progress, Recorded, write_json
from analysis.semantic.votes import Votes, dump_rows, from_events, read_events
from analysis.text import Vocabulary


def register(commands: Any, progress: Progress) -> None:
    """Add this package's commands to the parser; `progress` is told (done, total, what)."""
    sub = commands.add_parser(
        "groups",
        help="trouver les groupes d’opinion dans des votes, les consensus et les dissensus",
        description="Groupes d’opinion, consensus, dissensus et changements de position, écrits en JSON.",
    )
    sub.add_argument("votes", type=Path, metavar="VOTES", help="jeu ouvert, votes.ndjson ou CSV participant, statement")
    sub.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    sub.add_argument("--groups", type=int, help="nombre de groupes (choisi par la silhouette si absent)")
    sub.add_argument("--seed", type=int, default=1, help="graine (1 par défaut)")
    sub.add_argument("--resamples", type=int, default=100, help="rééchantillonnages pour la stabilité (100)")
    sub.add_argument("--min-votes", type=int, default=7, help="votes qu’il faut pour être placé (7)")
    sub.add_argument("--exclude", action="append", default=[], help="proposition laissée hors des axes (répétable)")
    sub.add_argument("--before", type=Path, help="votes d’avant l’échange, des mêmes personnes")
    sub.set_defaults(command=lambda options: COMMANDS["groups"].execute(options, progress))
    themes = commands.add_parser(
        "themes",
        help="trouver les thèmes d’un corpus sans plan de codification",
        description="Thèmes, mots, contributions typiques et atypiques, écrits en JSON.",
    )
    themes.add_argument("dump", type=Path, metavar="JEU", help="jeu ouvert, ou fichier de textes")
    themes.add_argument("--corpus", help="le corpus à lire, s’il y en a plusieurs (« describe » les nomme)")
    themes.add_argument("--themes", type=int, help="nombre de thèmes (le plus grand qui reste stable si absent)")
    themes.add_argument("--seed", type=int, default=1, help="graine des lemmes et de la mesure de stabilité")
    themes.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    themes.add_argument("--cache", type=Path, help="dossier où garder les lemmes d’une exécution à l’autre")
    themes.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    themes.set_defaults(command=lambda options: COMMANDS["themes"].execute(options, progress))
    arguments = commands.add_parser(
        "arguments",
        help="dresser la trame des arguments pour et contre chaque proposition",
        description="Arguments pour et contre, regroupés en fils, écrits en JSON.",
    )
    arguments.add_argument("dump", type=Path, metavar="JEU", help="jeu ouvert, ou arguments.ndjson")
    arguments.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    arguments.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    arguments.set_defaults(command=lambda options: COMMANDS["arguments"].execute(options, progress))


def _themes(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.semantic.themes import find_themes

    read, spoken = answers(options), language(options.language)
    ids, texts = read.units, read.texts
    vocabulary = Vocabulary(spoken)
    tokens = vocabulary.tokenise(told(texts, progress))
    everything = np.ones(len(texts), dtype=np.bool_)
    lemmas = learn(
        vocabulary.forms,
        [Material(texts, tokens, everything)],
        seed=options.seed,
        cache_dir=options.cache,
        read=spoken,
        progress=in_context(progress),
    )
    found = find_themes(
        lemmatise(tokens, vocabulary, lemmas, everything),
        len(texts),
        number=options.themes,
        seed=options.seed,
        progress=lambda done, total: progress(done, total, "thèmes"),
    )
    with_theme = {ids[i]: int(found.label[i]) for i in np.flatnonzero(found.label >= 0)}
    report = {
        "themes": [_told_theme(theme, ids) for theme in found.themes],
        "contributions": with_theme,
        "atypical": [ids[i] for i in found.atypical],
        "wordless": [ids[i] for i in found.wordless],
        "reconciliation": read.reconciled(with_theme).figures,
        "stability": found.stability,
        "seed": found.seed,
        "notices": found.notices,
    }
    write_json(options.out, report)
    for theme in found.themes:
        print(f"{theme.size} contributions : {', '.join(word for word, _ in theme.words[:6])}")
    for notice in found.notices:
        print(f"Attention : {notice}")


def _told_theme(theme: Any, ids: Sequence[str]) -> dict[str, Any]:
    """A theme, whose texts are told by the ids of their contributions."""
    texts = {name: [ids[i] for i in getattr(theme, name)] for name in ("typical", "borderline")}
    return asdict(theme) | texts


def _arguments(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.semantic.arguments import Argument, argument_maps

    try:
        arguments = [
            Argument(
                row["id"],
                row["contribution"],
                row["side"],
                "\n".join(part for part in (row.get("title"), row.get("body")) if part),
                int(row.get("votes_for") or 0),
            )
            for row in dump_rows(options.dump, "arguments.ndjson")
            if row["status"] == "published" and row["origin"] != "test"
        ]
    except KeyError as missing:
        raise AnalysisError(f"La colonne {missing} manque dans « arguments.ndjson » : refaites l’export.") from None
    maps = argument_maps(arguments, code=options.language, progress=lambda done, total: progress(done, total, "trames"))
    report = [asdict(item) for item in maps]
    write_json(options.out, report)
    threads = sum(len(item.threads) for item in maps)
    print(f"{len(arguments)} arguments sur {len(maps)} propositions, en {threads} fils.")


def _groups(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.semantic.opinion_groups import find_groups
    from analysis.semantic.positions import changes

    if options.resamples < 0:
        raise AnalysisError("Le nombre de rééchantillonnages ne peut pas être négatif.")
    events = read_events(options.votes)
    votes = from_events(events)
    unknown = sorted(set(options.exclude) - set(votes.statements))
    if unknown:
        raise AnalysisError(f"La proposition « {unknown[0]} » n’a reçu aucun vote : vérifiez « --exclude ».")
    excluded = np.isin(np.array(votes.statements), options.exclude)
    found = find_groups(
        votes,
        k=options.groups,
        seed=options.seed,
        min_votes=options.min_votes,
        excluded=excluded,
        resamples=options.resamples,
        progress=lambda done, total: progress(done, total, "rééchantillonnage"),
    )
    report = _report(votes, found, excluded)
    if options.before:
        report["changes"] = [asdict(change) for change in changes(read_events(options.before), events)]
    write_json(options.out, report)
    print(f"{len(votes.participants)} participants, {len(found.sizes)} groupes : {', '.join(map(str, found.sizes))}.")
    for notice in found.notices:
        print(f"Attention : {notice}")


def _report(votes: Votes, found: Any, excluded: Any) -> dict[str, Any]:
    from analysis.semantic.positions import counts, priorities, representative, statements

    table = counts(votes, found.label)
    stability = found.stability
    wanted = priorities(table, found.projection.extremity, np.zeros(len(votes.statements), dtype=np.bool_))
    asked = [place for place in np.argsort(-wanted, kind="stable").tolist() if not excluded[place]]
    return {
        "participants": [
            {
                "participant": name,
                "group": int(group) if group >= 0 else None,
                "x": round(float(x), 6),
                "y": round(float(y), 6),
            }
            for name, group, (x, y) in zip(votes.participants, found.label, found.projection.coordinates, strict=True)
        ],
        "sizes": found.sizes,
        "silhouettes": found.silhouettes,
        "explained": found.projection.explained,
        "stability": None
        if stability is None
        else {
            "resamples": stability.resamples,
            "adjusted_rand": [stability.low, stability.rand, stability.high],
            "groups_found": stability.chosen,
        },
        "representative": [
            asdict(item) for item in representative(votes.statements, table, limit=None, excluded=excluded)
        ],
        "statements": [asdict(item) for item in statements(votes.statements, table)],
        "ask_next": [
            {"statement": votes.statements[place], "priority": round(float(wanted[place]), 4)} for place in asked
        ],
        "seed": found.seed,
        "notices": found.notices,
    }


COMMANDS = {
    "groups": Recorded("groups", ("votes", "before"), ("out",), _groups),
    "themes": Recorded("themes", ("dump",), ("out",), _themes),
    "arguments": Recorded("arguments", ("dump",), ("out",), _arguments),
}
