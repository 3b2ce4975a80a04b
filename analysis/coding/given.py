"""The codes that a machine gave, as the files of `code` and `classify` tell them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from analysis.coding.codebook import Codebook
from analysis.errors import AnalysisError
from analysis.lines import parsed

HUMAN = "human"


class Given(NamedTuple):
    """A code given to a contribution; `doubtful` when a person must decide."""

    unit: str
    code: str
    origin: str
    doubtful: bool


def read_given(path: Path, corpus: str, plan: Codebook | None = None) -> Iterator[Given]:
    """The codes given in one corpus; rows that do not name theirs are all of it.

    Raises AnalysisError naming the line that is none, or the first code that this plan cannot have given.
    """
    known = {code.id: set(code.patterns) for code in plan.codes} if plan else {}
    for number, line in enumerate(path.read_bytes().splitlines(), start=1):
        try:
            row = parsed(line)
            unit = str(row.get("unit") or row["contribution"])
            found = Given(unit, str(row["code"]), str(row.get("origin") or ""), bool(row.get("review")))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AnalysisError(f"« {path.name} », ligne {number} : attribution incomprise.") from None
        if row.get("corpus") in {None, corpus}:
            if plan and not _may_have_given(known, row):
                raise AnalysisError(
                    f"« {path.name} », ligne {number} : ce plan ne donne pas ainsi le code « {found.code} » ; prenez "
                    "celui qui a codé (« --codebook »)."
                )
            yield found


def _may_have_given(known: dict[str, set[str]], row: dict[str, Any]) -> bool:
    """Whether a codebook, by the patterns of its codes, may have given this; what people or a model gave is theirs."""
    if row.get("by") == "lexicon":
        return row.get("pattern") in known.get(row["code"], ())
    return row.get("origin") != "rule" or row["code"] in known
