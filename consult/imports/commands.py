"""What `consult import` does once the database and the organisation are known."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

from consult.db import Database
from consult.errors import InvalidError
from consult.imports import guess, jobs, queries, service
from consult.imports.mapping import read_text
from consult.imports.models import ImportBatch
from consult.imports.readers import open_source
from consult.imports.records import RejectedError
from consult.imports.writers import Outcome
from consult.labels import number
from consult.protocols import Progress, StepKind

COUNTS: Final = {
    Outcome.ADDED: "ajoutées",
    Outcome.COMPLETED: "ajoutées à une réponse connue",
    Outcome.EXISTING: "déjà importées",
    Outcome.EMPTY: "sans rien à importer",
    Outcome.REJECTED: "refusées",
}
SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Console:
    """Runs imports for one organisation: `tell` says what happens, `write` gives what was asked for."""

    database: Database
    organisation_id: uuid.UUID
    tell: Callable[[str], None]
    write: Callable[[str], None]

    def run(
        self,
        file: Path,
        *,
        consultation: str,
        step: str,
        mapping: str,
        sheet: str,
        dry_run: bool,
        step_kinds: Mapping[str, StepKind],
    ) -> None:
        """Import a file; without mapping, write a guessed one and import nothing. Raises ConsultError."""
        if not mapping:
            self.write(guess.guess(open_source(file, sheet=sheet), slug=consultation))
            self.tell("Rien n’a été importé : relisez cette correspondance, enregistrez-la, donnez-la avec --mapping.")
            return
        plan = service.plan(file, read_text(mapping), sheet=sheet)
        for note in plan.source.notes:
            self.tell(f"{file.name} : {note}")
        if dry_run:
            self._tell_all(rehearsal(plan))
            return
        batch = jobs.import_file(
            self.database,
            plan,
            organisation_id=self.organisation_id,
            slug=destination(plan, consultation),
            step_slug=step,
            step_kinds=step_kinds,
            tell=self._progress,
        )
        with self.database.session(write=False, tenant=self.organisation_id) as session:
            self.tell(f"Dans {queries.where(session, batch)} :")
            self._tell_all(report(batch, queries.refused_rows(session, batch.id)))

    def undo(self, batch_id: uuid.UUID) -> None:
        """Undo a batch. Raises NotFoundError, ConflictError."""
        jobs.undo_batch(self.database, batch_id, organisation_id=self.organisation_id, tell=self._progress)
        self.tell("Lot annulé. Les étapes, thèmes et questions créés pour lui restent.")

    def rejected(self, batch_id: uuid.UUID) -> None:
        """Write the refused rows of a batch as CSV. Raises NotFoundError."""
        with self.database.session(write=False, tenant=self.organisation_id) as session:
            queries.batch_or_404(session, batch_id)
            self.write(_csv("line", "reason", "row"))
            for line, reason, raw in queries.refused_rows(session, batch_id):
                self.write(_csv(line, reason, raw))

    def _progress(self, progress: Progress) -> None:
        self.tell(progress.message)

    def _tell_all(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.tell(line)


def destination(plan: service.Plan, given: str) -> str:
    """The consultation to import into, from the command or from the mapping. Raises InvalidError."""
    told = plan.mapping.consultation.slug if plan.mapping.consultation else ""
    if given and told and given != told:
        raise InvalidError(
            f"La commande dit « {given} » et la correspondance « {told} » : donnez la même consultation aux deux."
        )
    if not given and not told:
        raise InvalidError("Dites dans quelle consultation importer : --consultation IDENTIFIANT.")
    return given or told


def report(batch: ImportBatch, refused: Iterator[tuple[int, str, str]]) -> Iterator[str]:
    """What a batch did, line by line: counts that add up, the first refusals, how to see them all and how to undo."""
    yield f"{number(batch.rows_read)} lignes lues."
    for outcome, words in COUNTS.items():
        count = getattr(batch, f"rows_{outcome.value}")
        if count:
            yield f"  {number(count)} {words}"
    yield from (f"  ligne {line} : {reason}" for line, reason, _raw in islice(refused, SHOWN))
    if batch.rows_rejected:
        yield f"Toutes les lignes refusées : consult import --rejected {batch.id}"
    yield "Une tâche relit les textes\u00a0: ce qui semble une donnée personnelle entre dans la file de modération."
    yield f"Pour annuler ce lot : consult import --undo {batch.id}"


def rehearsal(plan: service.Plan) -> Iterator[str]:
    """What the file itself would allow, without writing: orphans and duplicates show at the import alone."""
    read, refused = 0, 0
    shown: list[str] = []
    for chunk in service.chunks(plan):
        read += len(chunk)
        found = [f"  ligne {row.line} : {record}" for row, record in chunk if isinstance(record, RejectedError)]
        refused += len(found)
        shown += found[: SHOWN - len(shown)]
    yield f"{number(read)} lignes lues, {number(refused)} à refuser ; rien n’a été écrit."
    yield from shown
    yield "Les doublons et les lignes orphelines ne se voient qu’à l’import."


def _csv(*cells: object) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(cells)
    return out.getvalue()
