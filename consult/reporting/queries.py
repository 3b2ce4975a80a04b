"""The figures of a run as they may be read now, and from one of them back to the contributions that it counts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consult.coding.labels import MEASURED_SINCE, VERDICTS
from consult.errors import NotFoundError

PAGE_SIZE = 50
WITHHELD: Final = "withheld"
FIGURES: Final = ("direct", "total", "without", "share")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run: what it counts, and the ids of what it counted at the time of the run."""

    corpus: Mapping[str, Any]
    title: str
    ids: Sequence[uuid.UUID]


def judged(results: Mapping[str, Any], later: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The results of a run as what was measured since lets them be read: a code that this measure withholds loses its
    figures and its contributions, as it will in the next run; those above it say that they count it.

    `later` is each such measure, of the codebook of the run, by corpus.
    """
    return {**results, "corpora": [_judged(each, later.get(each["key"])) for each in results["corpora"]]}


def _judged(corpus: Mapping[str, Any], measure: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if measure is None:
        return corpus
    found = {each["code"]: each for each in measure["codes"]}
    known = {each["code"]: each for each in corpus["codes"]}
    withheld = [code for code in known if found.get(code, {}).get("verdict") == WITHHELD]
    counting: dict[str, list[str]] = {}
    for code in withheld:
        above = known[code]["parent"]
        while above is not None:
            counting.setdefault(above, []).append(known[code]["label"])
            above = known[above]["parent"]
    return {
        **corpus,
        "codes": [_judged_code(each, found.get(code), counting.get(code, [])) for code, each in known.items()],
        "quality_note": MEASURED_SINCE,
        "cross": [] if withheld else corpus["cross"],  # they count what is withheld
    }


def _judged_code(code: Mapping[str, Any], found: Mapping[str, Any] | None, counting: list[str]) -> Mapping[str, Any]:
    reason = found["reason"] if found else ""
    if found and found["verdict"] == WITHHELD:
        return {**code, **dict.fromkeys(FIGURES), "contributions": [], "quality": reason}
    if counting:
        reason = f"{reason} Compte aussi des sous-codes retenus : {', '.join(counting)}.".strip()
    return {**code, "quality": reason or (VERDICTS[found["verdict"]] if found else code["quality"])}


def figure(results: Mapping[str, Any], report: Path, arguments: Mapping[str, str]) -> Figure:
    """The figure that an address names: `corpus`, then `code`, `mot`, `campagne` or `sans-code`.

    Raises NotFoundError.
    """
    missing = NotFoundError("Cette analyse ne contient pas ce chiffre.")
    corpus = next((each for each in results["corpora"] if each["key"] == arguments.get("corpus")), None)
    if corpus is None:
        raise missing
    if "sans-code" in arguments:
        return Figure(corpus, "Contributions sans code", _ids(corpus["uncoded"]))
    if "code" in arguments:
        code = next((each for each in corpus["codes"] if each["code"] == arguments["code"]), None)
        if code is None or code["total"] is None:  # withheld: its quality is not good enough to be shown
            raise missing
        return Figure(corpus, f"Contributions codées « {code['label']} »", _ids(code["contributions"]))
    if "campagne" in arguments:
        return _campaign(corpus, arguments["campagne"], missing)
    found = _behind_word(report, corpus["key"], arguments.get("mot", ""))
    if found is None:
        raise missing
    return Figure(corpus, f"Contributions contenant « {arguments['mot']} »", _ids(found))


def _campaign(corpus: Mapping[str, Any], number: str, missing: NotFoundError) -> Figure:
    listed = corpus.get("campaigns", {}).get("register", [])
    found = next((campaign for rank, campaign in enumerate(listed, start=1) if str(rank) == number), None)
    if found is None:
        raise missing
    return Figure(corpus, f"Contributions de la campagne {number}", _ids(found["contributions"]))


def _ids(raw: Sequence[str]) -> list[uuid.UUID]:
    return [uuid.UUID(each) for each in raw]


def _behind_word(report: Path, corpus: str, lemma: str) -> list[str] | None:
    with (report / "words.ndjson").open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if row["corpus"] == corpus and row["lemma"] == lemma:
                contributions: list[str] = row["contributions"]
                return contributions
    return None
