"""From a figure of a run back to the contributions that it counts."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consult.errors import NotFoundError

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run: what it counts, and the ids of what it counted at the time of the run."""

    corpus: Mapping[str, Any]
    title: str
    ids: Sequence[uuid.UUID]


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
