"""Votes of participants on statements, as a sparse matrix, and the files they are read from.

A file is `votes.ndjson` of an open dump (or the dump itself), or a CSV with one vote a row (columns `participant`,
`statement`, `vote`, and `cast_at` when someone may have voted twice). A vote is `for`, `mixed`, `against`, or 1, 0, -1.
"""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.errors import AnalysisError
from analysis.lines import parsed

AGREE, PASS, DISAGREE = 1, 0, -1
VALUES = {"for": AGREE, "mixed": PASS, "against": DISAGREE, "1": AGREE, "0": PASS, "-1": DISAGREE}
COLUMNS = {
    "participant": ("participant", "voter", "voter-id"),
    "statement": ("statement", "target", "comment-id"),
    "vote": ("vote", "value"),
}


class VoteEvent(NamedTuple):
    """One act of voting; a later one by the same participant on the same statement replaces it."""

    participant: str
    statement: str
    value: int


@dataclass(frozen=True)
class Votes:
    """The last vote of each of `n` participants on each of `p` statements, entries sorted by row then column.

    `row`, `column` and `value` (1 agree, 0 pass, -1 disagree) have one entry a vote cast; an absent pair is no vote.
    """

    participants: tuple[str, ...]
    statements: tuple[str, ...]
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    value: NDArray[np.int8]

    @property
    def shape(self) -> tuple[int, int]:
        """Participants × statements."""
        return len(self.participants), len(self.statements)

    @property
    def cast(self) -> NDArray[np.int64]:
        """Votes of each participant, passes included, shape (n,)."""
        return np.bincount(self.row, minlength=self.shape[0])

    def cells(self, values: NDArray[Any]) -> Any:
        """A sparse n × p matrix that holds `values` where a vote was cast."""
        return sparse.csr_array((values, (self.row, self.column)), shape=self.shape)

    def take(self, rows: NDArray[Any]) -> "Votes":
        """The votes of some participants, given by rank; one drawn twice counts twice."""
        matrix = self.cells(np.arange(1, len(self.row) + 1))[rows].tocoo()
        entry = np.asarray(matrix.data, dtype=np.int64) - 1
        names = tuple(self.participants[int(rank)] for rank in rows)
        order = np.lexsort((matrix.col, matrix.row))
        row, column = np.asarray(matrix.row, np.int64)[order], np.asarray(matrix.col, np.int64)[order]
        return Votes(names, self.statements, row, column, self.value[entry][order])


def from_events(events: Iterable[VoteEvent]) -> Votes:
    """The matrix of the last votes; participants and statements are sorted by name, so row order does not matter.

    Events must come in the order they were cast. Raises AnalysisError when there is none.
    """
    last = {(event.participant, event.statement): event.value for event in events}
    if not last:
        raise AnalysisError("Aucun vote à lire : donnez un jeu où des participants ont voté sur des propositions.")
    participants = sorted({participant for participant, _ in last}, key=_natural)
    statements = sorted({statement for _, statement in last}, key=_natural)
    rows = {name: rank for rank, name in enumerate(participants)}
    columns = {name: rank for rank, name in enumerate(statements)}
    cells = sorted((rows[participant], columns[statement], value) for (participant, statement), value in last.items())
    table = np.array(cells, dtype=np.int64)
    return Votes(tuple(participants), tuple(statements), table[:, 0], table[:, 1], table[:, 2].astype(np.int8))


def _natural(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (-1, name)


def read_events(path: Path) -> list[VoteEvent]:
    """Read the acts of voting, in the order they were cast. Raises AnalysisError naming the line at fault."""
    if not path.exists():
        raise AnalysisError(f"Le fichier ou dossier « {path} » n’existe pas : vérifiez le chemin.")
    rows = list(_csv_rows(path) if path.suffix.lower() == ".csv" else dump_rows(path, "votes.ndjson"))
    rows = [row for row in rows if row.get("voter", "") is not None]  # accounts removed: their votes are unlinked
    if any(row.get("cast_at") for row in rows):
        rows.sort(key=lambda row: str(row.get("cast_at") or ""))
    return [_event(row) for row in rows if row.get("target_type", "contribution") == "contribution"]


def _event(row: Mapping[str, Any]) -> VoteEvent:
    found = {}
    for name, keys in COLUMNS.items():
        value = next((row[key] for key in keys if row.get(key) not in {None, ""}), None)
        if value is None:
            raise AnalysisError(
                f"Votes, ligne {row['line']} : « {name} » manque ; il faut participant, statement et vote."
            )
        found[name] = str(value)
    if found["vote"] not in VALUES:
        raise AnalysisError(
            f"Votes, ligne {row['line']} : « {found['vote']} » n’est pas un vote ; au choix : {', '.join(VALUES)}."
        )
    return VoteEvent(found["participant"], found["statement"], VALUES[found["vote"]])


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from ({**row, "line": number} for number, row in enumerate(csv.DictReader(file), start=2))
    except (UnicodeDecodeError, csv.Error) as error:
        raise AnalysisError(f"« {path.name} » n’est pas un CSV en UTF-8.") from error


def dump_rows(path: Path, name: str) -> Iterator[dict[str, Any]]:
    """Rows of one dataset of an open dump (directory, zip, or the file itself), each with its `line`.

    Raises AnalysisError naming the line at fault.
    """
    for number, line in enumerate(_dump_bytes(path, name).split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            row = parsed(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise AnalysisError(f"« {name} », ligne {number} : ce n’est pas un objet JSON valide.")
        yield {**row, "line": number}


def _dump_bytes(path: Path, name: str) -> bytes:
    try:
        if path.is_dir():
            return (path / name).read_bytes()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return archive.read(min((n for n in archive.namelist() if Path(n).name == name), key=len))
        return path.read_bytes()
    except (FileNotFoundError, ValueError) as error:  # no such file; no such member
        raise AnalysisError(f"« {name} » manque ou est illisible dans « {path.name} ».") from error
