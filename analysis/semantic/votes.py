"""Votes of participants on statements, as a sparse matrix, and the files they are read from.

A file is `votes.ndjson` of an open dump (or the dump itself), or a CSV with one vote a row (columns `participant`,
`statement`, `vote`, and `cast_at` when someone may have voted twice). A vote is `for`, `mixed`, `against`, or 1, 0, -1.

In a dump, a vote whose `voter` is null is that of an account since removed: it still counts for its statement, but
nobody can tell whose it was, so it places no one in a group.
"""

import csv
import datetime as dt
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from analysis.errors import AnalysisError
from analysis.lines import parsed

ASKED = "contribution"
AGREE, PASS, DISAGREE = 1, 0, -1
VALUES = {"for": AGREE, "mixed": PASS, "against": DISAGREE, "1": AGREE, "0": PASS, "-1": DISAGREE}
_PARIS = ZoneInfo("Europe/Paris")
COLUMNS = {
    "participant": ("participant", "voter", "voter-id"),
    "statement": ("statement", "target", "comment-id"),
    "vote": ("vote", "value"),
}


class VoteEvent(NamedTuple):
    """One act of voting; a later one by the same participant on the same statement replaces it.

    `cast_at` is as the file gives it, empty when it gives none.
    """

    participant: str
    statement: str
    value: int
    cast_at: str = ""


@dataclass(frozen=True)
class Ballots:
    """Every vote of a file: those whose voter can be told, in the order they were cast; those of removed accounts,
    unlinked, as (statement, value); how many are on something else than a proposal.
    """

    events: tuple[VoteEvent, ...]
    removed: tuple[tuple[str, int], ...]
    elsewhere: int

    @property
    def received(self) -> int:
        """Votes in the file."""
        return len(self.events) + len(self.removed) + self.elsewhere


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


def read_ballots(path: Path) -> Ballots:
    """Read the acts of voting, none left out. Raises AnalysisError naming the line at fault."""
    if not path.exists():
        raise AnalysisError(f"Le fichier ou dossier « {path} » n’existe pas : vérifiez le chemin.")
    rows = list(_csv_rows(path) if path.suffix.lower() == ".csv" else dump_rows(path, "votes.ndjson"))
    when = [str(row.get("cast_at") or "") for row in rows]
    order: Callable[[int], Any] = (lambda i: _instant(when[i])) if all(map(is_instant, when)) else (lambda i: when[i])
    asked = [rows[i] for i in sorted(range(len(rows)), key=order) if rows[i].get("target_type", ASKED) == ASKED]
    events, removed = list[VoteEvent](), list[tuple[str, int]]()
    for row in asked:
        gone = "voter" in row and not row["voter"]
        event = _event({**row, "voter": "-"} if gone else row)
        if gone:
            removed.append((event.statement, event.value))
        else:
            events.append(event)
    return Ballots(tuple(events), tuple(removed), len(rows) - len(asked))


def split(events: Iterable[VoteEvent], instant: str) -> tuple[list[VoteEvent], list[VoteEvent]]:
    """The acts of voting before an instant, and those from it on; a day alone begins at midnight in Paris.

    Raises AnalysisError when a vote has no instant, or one that is not ISO 8601.
    """
    cut = _instant(instant)
    before, after = list[VoteEvent](), list[VoteEvent]()
    for event in events:
        if not is_instant(event.cast_at):
            raise AnalysisError(
                f"Le vote de « {event.participant} » sur « {event.statement} » n’est pas daté : pour couper à une "
                "date, il faut une colonne « cast_at » (2026-03-02T10:00:00Z)."
            )
        (before if _instant(event.cast_at) < cut else after).append(event)
    return before, after


def is_instant(text: str) -> bool:
    """Whether this reads as a day or an instant in ISO 8601."""
    try:
        _instant(text)
    except ValueError:
        return False
    return True


def _instant(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=_PARIS)


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
    return VoteEvent(found["participant"], found["statement"], VALUES[found["vote"]], str(row.get("cast_at") or ""))


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
