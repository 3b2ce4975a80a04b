"""`python -m analysis groups | themes | arguments …`; the learning libraries are loaded only when needed."""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from analysis.answers import answers, told
from analysis.errors import AnalysisError
from analysis.inputs import DUMP_HELP, add_external
from analysis.languages import CODES, FRENCH, language
from analysis.lemmas import LEMMAS_HELP, learn, read_overrides
from analysis.lexical.frequencies import lemmatise
from analysis.passages import Material
from analysis.plurals import counted
from analysis.prepare import in_context
from analysis.reconciliation import account, account_line
from analysis.recorded import Progress, Recorded, write_json
from analysis.semantic.campaigns import find_campaigns
from analysis.semantic.shingles import bare
from analysis.semantic.votes import (
    AGREE,
    DISAGREE,
    PASS,
    Ballots,
    Votes,
    from_events,
    is_instant,
    read_ballots,
    split,
)
from analysis.text import Vocabulary


def register(commands: Any, progress: Progress) -> None:
    """Add this package's commands to the parser; `progress` is told (done, total, what)."""
    _register_groups(commands, progress)
    themes = commands.add_parser(
        "themes",
        help="trouver les thèmes d’un corpus sans plan de codification",
        description="Thèmes, mots, contributions typiques et atypiques, écrits en JSON.",
    )
    themes.add_argument("dump", type=Path, metavar="JEU", help=DUMP_HELP)
    add_external(themes)
    themes.add_argument("--corpus", help="le corpus à lire, s’il y en a plusieurs (« describe » les nomme)")
    themes.add_argument("--themes", type=int, help="nombre de thèmes (le plus grand qui reste stable si absent)")
    themes.add_argument("--seed", type=int, default=1, help="graine des lemmes et de la mesure de stabilité")
    themes.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    themes.add_argument("--lemmas", type=Path, help=LEMMAS_HELP)
    themes.add_argument("--cache", type=Path, help="dossier où garder les lemmes d’une exécution à l’autre")
    themes.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    themes.set_defaults(command=lambda options: COMMANDS["themes"].execute(options, progress))
    arguments = commands.add_parser(
        "arguments",
        help="dresser la trame des arguments pour et contre chaque proposition",
        description="Arguments pour et contre, regroupés en fils, écrits en JSON.",
    )
    arguments.add_argument("dump", type=Path, metavar="JEU", help="jeu ouvert, arguments.ndjson, ou sources (YAML)")
    add_external(arguments)
    arguments.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    arguments.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    arguments.set_defaults(command=lambda options: COMMANDS["arguments"].execute(options, progress))


def _register_groups(commands: Any, progress: Progress) -> None:
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
    sub.add_argument(
        "--before", action=_Before, metavar="FICHIER|DATE",
        help="votes d’avant l’échange, des mêmes personnes ; ou date (2026-03-02) qui coupe VOTES en deux",
    )  # fmt: skip
    sub.set_defaults(cut=None)
    sub.set_defaults(command=lambda options: COMMANDS["groups"].execute(options, progress))


class _Before(argparse.Action):
    """A date is kept as `cut`, a setting of the command; anything else is a file, `before`."""

    def __call__(self, _parser: Any, options: argparse.Namespace, value: Any, _option: str | None = None) -> None:
        dated = is_instant(value)
        options.cut, options.before = (value, None) if dated else (None, Path(value))


def _themes(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.semantic.themes import find_themes

    read, vocabulary = answers(options), Vocabulary(language(options.language))
    ids, texts = read.units, read.texts
    tokens = vocabulary.tokenise(told(texts, progress))
    everything = np.ones(len(texts), dtype=np.bool_)
    lemmas = learn(
        vocabulary.forms,
        [Material(texts, tokens, everything)],
        seed=options.seed,
        counts=vocabulary.counts([tokens]).tolist(),
        overrides=read_overrides(options.lemmas),
        cache_dir=options.cache,
        read=vocabulary.language,
        progress=in_context(progress),
    )
    register = find_campaigns(bare(tokens, vocabulary), progress=lambda done, total: progress(done, total, "doublons"))
    found = find_themes(
        lemmatise(tokens, vocabulary, lemmas, everything),
        len(texts),
        number=options.themes,
        seed=options.seed,
        once=register.first_only,
        progress=lambda done, total: progress(done, total, "thèmes"),
    )
    with_theme = {ids[i]: int(found.label[i]) for i in np.flatnonzero(found.label >= 0)}
    reconciled = read.reconciled(with_theme)
    report = {
        **_told_themes(found, ids),
        "contributions": with_theme,
        "campaigns": len(register.campaigns),
        "reconciliation": reconciled.figures,
        "provenance": asdict(read.corpus.provenance) if read.corpus.provenance else None,
    }
    write_json(options.out, report)
    print(account_line(read.corpus, reconciled, ("avec un thème",), "sans thème"))
    for theme in found.themes:
        print(_theme_line(theme))
    for notice in found.notices:
        print(f"Attention : {notice}")


def _theme_line(theme: Any) -> str:
    size = f"{counted(theme.size, 'contribution')} ({theme.without} hors campagnes)"
    return f"{size} : {', '.join(word for word, _ in theme.words[:6])}"


def _told_themes(found: Any, ids: Sequence[str]) -> dict[str, Any]:
    """Themes as plain data, whose contributions are told by their ids."""
    texts = {name: [ids[i] for i in getattr(found, name)] for name in ("atypical", "wordless")}
    plain = {name: getattr(found, name) for name in ("stability", "seed", "notices")}
    return {"themes": [_told_theme(theme, ids) for theme in found.themes], **texts, **plain}


def _told_theme(theme: Any, ids: Sequence[str]) -> dict[str, Any]:
    """A theme, whose texts are told by the ids of their contributions."""
    texts = {name: [ids[i] for i in getattr(theme, name)] for name in ("typical", "borderline")}
    return asdict(theme) | texts


def _arguments(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from analysis.semantic.argued import read_arguments
    from analysis.semantic.arguments import argument_maps

    found = read_arguments(options.dump, options.external, options.language)
    report: list[dict[str, Any]] = []
    for argued in found:
        if argued.corpus.external or argued.arguments:
            maps = argument_maps(
                argued.arguments,
                code=options.language,
                progress=lambda done, total: progress(done, total, "trames"),
            )
            source = argued.corpus.key if argued.corpus.external else None
            report += [{**asdict(item), "source": source} for item in maps]
    if not report:
        raise AnalysisError("Aucun argument publié dans ce jeu : il n’y a pas de trame à dresser.")
    write_json(options.out, report)
    threads = sum(len(item["threads"]) for item in report)
    arguments = counted(sum(len(argued.arguments) for argued in found), "argument")
    print(f"{arguments} sur {counted(len(report), 'proposition')}, en {counted(threads, 'fil')}.")
    for argued in found:
        print(account_line(argued.corpus, argued.reconciliation, ("dans un fil",), "hors des fils"))
    return account([(argued.corpus, argued.reconciliation) for argued in found])


def _groups(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    from analysis.semantic.opinion_groups import find_groups

    if options.resamples < 0:
        raise AnalysisError("Le nombre de rééchantillonnages ne peut pas être négatif.")
    ballots = read_ballots(options.votes)
    votes = from_events(ballots.events)
    unknown = sorted(set(options.exclude) - set(votes.statements))
    if unknown:
        raise AnalysisError(f"La proposition « {unknown[0]} » n’a reçu aucun vote : vérifiez « --exclude ».")
    excluded = np.isin(np.array(votes.statements), options.exclude)
    followed = _changes(options, ballots)
    found = find_groups(
        votes,
        k=options.groups,
        seed=options.seed,
        min_votes=options.min_votes,
        excluded=excluded,
        resamples=options.resamples,
        progress=lambda done, total: progress(done, total, "rééchantillonnage"),
    )
    account = _account(ballots, votes, found.label)
    write_json(options.out, {**_report(votes, found, excluded), **_unlinked(ballots), **account, **followed})
    people, groups = counted(len(votes.participants), "participant"), counted(len(found.sizes), "groupe")
    print(f"{people}, {groups} : {', '.join(map(str, found.sizes))}.")
    print(_told_account(account["reconciliation"]))
    if followed:
        pairs = followed["paired"]
        compared = counted(pairs["both"], "vote comparé", "votes comparés")
        print(
            f"Changement de position : {compared} à un vote d’avant de la même personne ; "
            f"{pairs['before_only']} d’avant seulement, {pairs['after_only']} d’après seulement."
        )
    for notice in (*found.notices, *followed.get("notices_of_change", ())):
        print(f"Attention : {notice}")
    return account


def _changes(options: argparse.Namespace, ballots: Ballots) -> dict[str, Any]:
    """How the same people moved, when a first period is given, as another file or as what precedes a date."""
    from analysis.semantic.positions import changes, paired

    if not options.before and not options.cut:
        return {}
    told: dict[str, Any] = {}
    if options.cut:
        before, after = split(ballots.events, options.cut)
    else:
        earlier = read_ballots(options.before)
        before, after = list(earlier.events), list(ballots.events)
        unused = {"of_removed_accounts": len(earlier.removed), "elsewhere": earlier.elsewhere}
        told["reconciliation_before"] = {"received": earlier.received, "used": len(before), **unused}
    pairs = paired(before, after)
    told |= {"changes": [asdict(change) for change in changes(before, after)], "paired": asdict(pairs)}
    if pairs.both:
        return told
    nobody = (
        "personne n’a voté sur la même proposition avant et après : aucun changement ne se mesure. Un jeu ouvert ne "
        "garde que le dernier vote de chacun ; donnez un fichier de tous les votes."
    )
    return told | {"notices_of_change": [nobody]}


def _account(ballots: Ballots, votes: Votes, label: Any) -> dict[str, Any]:
    """Where each vote of the file went; the parts always add up."""
    used, in_groups = len(votes.row), int((label[votes.row] >= 0).sum())
    parts = {
        "in_groups": in_groups,
        "of_unplaced": used - in_groups,
        "of_removed_accounts": len(ballots.removed),
        "replaced": len(ballots.events) - used,
        "elsewhere": ballots.elsewhere,
    }
    if sum(parts.values()) != ballots.received:
        raise AssertionError(f"votes: {ballots.received} received, {sum(parts.values())} accounted for")
    return {"reconciliation": {"received": ballots.received, **parts}}


def _told_account(parts: dict[str, int]) -> str:
    return (
        f"{counted(parts['received'], 'vote reçu')} = {parts['in_groups']} dans les groupes "
        f"+ {parts['of_unplaced']} de participants non placés "
        f"+ {parts['of_removed_accounts']} de comptes supprimés (comptés par proposition, sans groupe) "
        f"+ {counted(parts['replaced'], 'remplacé')} par un vote plus récent + {parts['elsewhere']} sur autre chose."
    )


def _unlinked(ballots: Ballots) -> dict[str, Any]:
    """The votes of removed accounts, by statement: nobody can tell whose they were, so they stand apart from groups."""
    found: dict[str, dict[str, int]] = {}
    names = {AGREE: "agree", DISAGREE: "disagree", PASS: "passed"}
    for statement, value in sorted(ballots.removed):
        of = found.setdefault(statement, dict.fromkeys(names.values(), 0))
        of[names[value]] += 1
    return {"removed_accounts": [{"statement": name, **of} for name, of in found.items()]}


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
    "themes": Recorded("themes", ("dump", "lemmas", "external"), ("out",), _themes),
    "arguments": Recorded("arguments", ("dump", "external"), ("out",), _arguments),
}
