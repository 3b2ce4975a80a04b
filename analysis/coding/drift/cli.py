"""`python -m analysis drift`: what moved between two codings."""

import argparse
import csv
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from analysis.answers import Answers, answers
from analysis.coding.codebook import Codebook
from analysis.coding.codebook_files import load_any
from analysis.coding.codings import read_codings, settled
from analysis.coding.drift.compare import CodeDrift, Coding, Compared, Part, Prevalence, by_hand, compare
from analysis.coding.given import read_given
from analysis.coding.quality import Estimate
from analysis.languages import CODES, FRENCH
from analysis.plurals import counted
from analysis.recorded import Progress, Recorded, write_json

_HEADER: Final = (
    *("codé par", "code", "avant", "lues avant", "part avant", "bas", "haut"),
    *("après", "lues après", "part après", "bas", "haut"),
    *("comparées", "gagnées", "perdues", "écart", "bas", "haut", "p", "écart sûr", "alpha", "bas", "haut"),
)
_HANDS: Final = {"machine": "machine", "human": "personnes"}


def register(commands: Any, progress: Progress) -> None:
    """Add this module's command to the parser; `progress` is told (done, total, what)."""
    sub = commands.add_parser(
        "drift",
        help="comparer deux codages : ce qui a bougé, code par code, machine et personnes à part",
        description="Deux codages côte à côte : versions d’un plan, versions d’un modèle, ou deux dates.",
    )
    what = "attributions en NDJSON, de « code » ou « classify », ou CSV id, code, coder"
    sub.add_argument("before", type=Path, metavar="AVANT", help=f"codage d’avant ({what})")
    sub.add_argument("after", type=Path, metavar="APRES", help="codage d’après, de même")
    sub.add_argument("--dump", type=Path, required=True, help="jeu ouvert, ou fichier de textes, que l’on a codé")
    sub.add_argument("--dump-before", type=Path, help="celui que le codage d’avant a lu, s’il est autre")
    sub.add_argument("--corpus", help="le corpus comparé, s’il y en a plusieurs")
    sub.add_argument("--codebook-before", type=Path, help="plan de codification qui a donné le codage d’avant")
    sub.add_argument("--codebook", type=Path, help="plan de codification qui a donné le codage d’après")
    sub.add_argument("--seed", type=int, default=1, help="graine des intervalles (1 par défaut)")
    sub.add_argument("--language", choices=CODES, default=FRENCH, help="langue des contributions (fr)")
    sub.add_argument("--out", type=Path, required=True, help="fichier JSON à écrire")
    sub.add_argument("--table", type=Path, help="CSV à écrire : une ligne par code")
    sub.set_defaults(command=lambda options: COMMANDS["drift"].execute(options, progress))


def _drift(options: argparse.Namespace, progress: Progress) -> dict[str, Any]:
    first, second = (load_any(path) if path else None for path in (options.codebook_before, options.codebook))
    earlier = argparse.Namespace(**{**vars(options), "dump": options.dump_before or options.dump})
    before, read_before = _read(options.before, earlier, first)
    after, read_after = _read(options.after, options, second)
    inside_before, inside_after = set(read_before.units), set(read_after.units)
    found = compare(
        before,
        after,
        inside_before,
        inside_after,
        _codes(before, after, (second, first)),
        seed=options.seed,
        progress=lambda done, total: progress(done, total, "codes comparés"),
    )
    account = {
        "before": _reconciled(read_before, before),
        "after": _reconciled(read_after, after),
        "compared": found.parts,
    }
    ignored = _strangers(before, inside_before) + _strangers(after, inside_after)
    write_json(options.out, {**asdict(found), "reconciliation": account, "codings_ignored": ignored})
    if options.table:
        with options.table.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([_HEADER, *_rows(found)])
    for line in _told(found, ignored, (first, second)):
        print(line)
    return {"reconciliation": account, "codings_ignored": ignored}


def _read(path: Path, options: argparse.Namespace, plan: Codebook | None) -> tuple[Coding, Answers]:
    """A coding, and the answers that it could code; what people coded, as CSV, is theirs alone."""
    if path.suffix.lower() == ".csv":
        people = settled(read_codings(path))
        return Coding({}, people, {}), answers(options, people)
    everything = answers(options)
    found = by_hand(read_given(path, everything.corpus.key, plan))
    return found, answers(options, found.human) if found.human else everything


def _codes(before: Coding, after: Coding, plans: tuple[Codebook | None, ...]) -> list[str]:
    """The codes of the plans, in their order, then the others by name: a code never given has moved too."""
    planned = [code.id for plan in plans if plan for code in plan.codes if code.patterns]
    return list(dict.fromkeys([*planned, *sorted(before.codes | after.codes)]))


def _reconciled(read: Answers, coding: Coding) -> dict[str, int]:
    sure = {unit for hand in (coding.machine, coding.human) for unit, codes in hand.items() if codes}
    return read.reconciled(sure & set(read.units), (coding.doubtful.keys() - sure) & set(read.units)).figures


def _strangers(coding: Coding, inside: set[str]) -> int:
    return len((coding.machine.keys() | coding.human.keys() | coding.doubtful.keys()) - inside)


def _rows(found: Compared) -> Iterator[tuple[object, ...]]:
    for name, part in (("machine", found.machine), ("human", found.human)):
        for code in part.codes if part.compared else ():
            yield (
                *(_HANDS[name], code.code, *_counted(code.before), *_counted(code.after), part.compared),
                *(len(code.gained), len(code.lost), *_estimated(code.difference), code.p_value),
                *("oui" if code.corrected else "non", code.alpha.value, code.alpha.low, code.alpha.high),
            )


def _counted(each: Prevalence) -> tuple[object, ...]:
    return (each.count, each.total, *_estimated(each.share))


def _estimated(each: Estimate | None) -> tuple[object, ...]:
    return (each.value, each.low, each.high) if each else (None, None, None)


def _told(found: Compared, ignored: int, plans: tuple[Codebook | None, Codebook | None]) -> Iterator[str]:
    """What a reader must know, in French: parts first, then each code that moved."""
    parts = found.parts
    both, passed = counted(parts["machine"], "codée"), counted(parts["changed_hands"], "passée")
    yield (
        f"{counted(sum(parts.values()), 'contribution')} = {both} deux fois par la machine "
        f"+ {parts['human']} deux fois par des personnes + {passed} de l’une aux autres "
        f"+ {parts['before_only']} d’avant seulement + {parts['after_only']} d’après seulement."
    )
    for name, part in (("Machine", found.machine), ("Personnes", found.human)):
        if part.compared:
            yield from _told_part(name, part)
    if ignored:
        yield f"{counted(ignored, 'contribution codée')} hors des réponses de ce corpus : laissées de côté."
    if any(plan and plan.missing_approvals for plan in plans):
        yield "Ne pas publier : un plan de codification n’a pas ses deux approbations."


def _told_part(name: str, part: Part) -> Iterator[str]:
    yield (
        f"{name} : codes changés dans {counted(len(part.changed), 'contribution')} sur {part.compared} ; "
        f"accord des deux codages "
        f"(alpha, ensembles de codes) {_fr(part.sets.value)} {_interval(part.sets.low, part.sets.high)}."
    )
    still = [code.code for code in part.codes if not (code.gained or code.lost)]
    for code in part.codes:
        if code.gained or code.lost:
            yield _told_code(code)
    if still:
        yield f"Sans changement : {', '.join(still)}."


def _told_code(code: CodeDrift) -> str:
    sure = "le changement dépasse le hasard" if code.corrected else "le hasard peut l’expliquer"
    return (
        f"Code « {code.code} » : {_share(code.before)} avant, {_share(code.after)} après ; "
        f"gagnées : {len(code.gained)}, perdues : {len(code.lost)}, {sure} ; "
        f"alpha {_fr(code.alpha.value)} {_interval(code.alpha.low, code.alpha.high)}."
    )


def _share(each: Prevalence) -> str:
    if each.share is None:
        return "rien de lu"
    value, low, high = (f"{100 * v:.1f}".replace(".", ",") for v in (each.share.value, each.share.low, each.share.high))
    return f"{value}\u202f% [{low} ; {high}]"


def _interval(low: float | None, high: float | None) -> str:
    return f"[{_fr(low)} ; {_fr(high)}]" if low is not None else "(sans intervalle)"


def _fr(value: float | None) -> str:
    return "indéfini" if value is None else f"{value:.2f}".replace(".", ",")


COMMANDS = {
    "drift": Recorded(
        "drift",
        ("dump", "before", "after", "dump_before", "codebook_before", "codebook"),
        ("out", "table"),
        _drift,
        plans=("codebook_before", "codebook"),
    )
}
