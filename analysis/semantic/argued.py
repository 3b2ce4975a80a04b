"""Arguments to be mapped: those of a dump, and those that external sources make for and against the same proposals."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis import nonresponse
from analysis.corpus import Corpus, Variable
from analysis.errors import AnalysisError
from analysis.inputs import is_list, read_list
from analysis.languages import language
from analysis.readers import SIDE_LABELS, set_apart
from analysis.reconciliation import Reconciliation, reconcile
from analysis.semantic.arguments import Argument
from analysis.semantic.votes import dump_rows

_NEEDED = ("side", "contribution")


@dataclass(frozen=True)
class Argued:
    """Arguments of one corpus that can be read, and where all the others went."""

    corpus: Corpus
    arguments: tuple[Argument, ...]
    reconciliation: Reconciliation


def read_arguments(dump: Path, external: Path | None, code: str) -> list[Argued]:
    """The arguments of a dump (or of `arguments.ndjson`), then those of each external source.

    Raises AnalysisError when a source does not say what its arguments are about, or on which side they are.
    """
    found = [] if is_list(dump) else [_published(dump)]
    for path in (dump, external):
        if path and is_list(path):
            found += [(corpus, _external(corpus)) for corpus in read_list(path).corpora]
    return [_readable(corpus, arguments, code) for corpus, arguments in found]


def _published(dump: Path) -> tuple[Corpus, list[Argument]]:
    apart: Counter[str] = Counter()
    arguments = []
    try:
        for row in dump_rows(dump, "arguments.ndjson"):
            reason = set_apart(row)
            if reason:
                apart[reason] += 1
                continue
            text = "\n".join(part for part in (row.get("title"), row.get("body")) if part)
            arguments.append(
                Argument(row["id"], row["contribution"], row["side"], text, int(row.get("votes_for") or 0))
            )
    except KeyError as missing:
        raise AnalysisError(f"La colonne {missing} manque dans « arguments.ndjson » : refaites l’export.") from None
    ids, texts = (tuple(getattr(argument, name) for argument in arguments) for name in ("id", "text"))
    return Corpus("arguments", "Arguments", "argument", ids, texts, set_apart=dict(sorted(apart.items()))), arguments


def _external(corpus: Corpus) -> list[Argument]:
    columns = {variable.key: variable for variable in corpus.variables}
    sides = {label.lower(): side for side, label in SIDE_LABELS.items()} | {side: side for side in SIDE_LABELS}
    if not set(_NEEDED) <= columns.keys():
        raise AnalysisError(
            f"« {corpus.title} » : il faut à chaque argument une colonne « side » (pour ou contre) et une colonne "
            "« contribution » (soixante au plus)."
        )
    about, side = (_values(columns[name]) for name in reversed(_NEEDED))
    return [
        Argument(name, target, sides.get(position.lower(), position), text)
        for name, text, target, position in zip(corpus.ids, corpus.texts, about, side, strict=True)
    ]


def _values(variable: Variable) -> list[str]:
    """The category of each row, empty for none."""
    first = variable.members.argmax(axis=1).tolist()
    known = variable.answered.tolist()
    return [variable.categories[rank] if held else "" for rank, held in zip(first, known, strict=True)]


def _readable(corpus: Corpus, arguments: list[Argument], code: str) -> Argued:
    sorting = nonresponse.sort(corpus.texts, nonresponse.load(language(code).rules))
    kept: NDArray[np.bool_] = sorting.readable
    read = tuple(argument for argument, readable in zip(arguments, kept.tolist(), strict=True) if readable)
    return Argued(corpus, read, reconcile(corpus, sorting, kept))
