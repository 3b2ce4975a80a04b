"""`python -m analysis groups …`; the libraries of learning are loaded only when a command needs them."""

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from analysis.errors import AnalysisError
from analysis.semantic.votes import Votes, from_events, read_events

Progress = Callable[[int, int, str], None]


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
    sub.set_defaults(command=lambda options: _groups(options, progress))


def _groups(options: argparse.Namespace, progress: Progress) -> None:
    from analysis.semantic.opinion_groups import find_groups
    from analysis.semantic.positions import changes

    if options.resamples < 0:
        raise AnalysisError("Le nombre de rééchantillonnages ne peut pas être négatif.")
    events = read_events(options.votes)
    votes = from_events(events)
    unknown = sorted(set(options.exclude) - set(votes.statements))
    if unknown:
        raise AnalysisError(f"La proposition « {unknown[0]} » n’a reçu aucun vote : vérifiez « --exclude ».")
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
    options.out.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(votes.participants)} participants, {len(found.sizes)} groupes : {', '.join(map(str, found.sizes))}.")
    for notice in found.notices:
        print(f"Attention : {notice}")


def _report(votes: Votes, found: Any, excluded: Any) -> dict[str, Any]:
    from analysis.semantic.positions import counts, representative, statements

    table = counts(votes, found.label)
    stability = found.stability
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
        "seed": found.seed,
        "notices": found.notices,
    }
