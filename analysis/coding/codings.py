"""What people coded, as files: a CSV of columns id, code, and, where there are several, coder and period."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from analysis.coding.agreement import Judgement
from analysis.errors import AnalysisError


def read_codings(path: Path) -> list[Judgement]:
    """What people coded: one judgement a contribution and coder. Raises AnalysisError naming the line at fault."""
    return [judgement for given in read_periods(path).values() for judgement in given]


def read_periods(path: Path) -> dict[str, list[Judgement]]:
    """The same by the column « period », in order; a file without it has one period, unnamed."""
    given: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file), start=2):
                if not row.get("id") or row.get("code") is None:
                    raise AnalysisError(
                        f"« {path.name} », ligne {number} : il faut les colonnes id, code et, s’il y a lieu, coder."
                    )
                given[row.get("period") or "", row["id"], row.get("coder") or ""] |= {row["code"].strip()} - {""}
    except FileNotFoundError:
        raise AnalysisError(f"Le fichier « {path} » n’existe pas : vérifiez le chemin.") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnalysisError(f"« {path.name} » n’est pas un CSV en UTF-8.") from error
    if not given:
        raise AnalysisError(f"« {path.name} » ne contient aucun codage.")
    found: dict[str, list[Judgement]] = {}
    for (period, unit, coder), codes in sorted(given.items(), key=lambda item: item[0][0]):
        found.setdefault(period, []).append(Judgement(unit, coder, frozenset(codes)))
    return found


def settled(judgements: Iterable[Judgement], final: str = "final") -> dict[str, frozenset[str]]:
    """One set of codes a contribution: that of the coder « final » if there is one, else what at least half gave."""
    by_unit: dict[str, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        by_unit[judgement.unit].append(judgement)
    found = {}
    for unit, given in by_unit.items():
        deciding = [judgement for judgement in given if judgement.coder == final] or given
        codes = {code for judgement in deciding for code in judgement.codes}
        found[unit] = frozenset(
            code for code in codes if 2 * sum(code in judgement.codes for judgement in deciding) >= len(deciding)
        )
    return found
