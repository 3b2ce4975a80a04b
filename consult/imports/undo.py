"""Undoing a batch: its rows go, unless somebody has acted on them since."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Select, delete, exists, func, or_, select
from sqlalchemy.orm import Session

from consult.actor import Actor
from consult.audit import service as audit
from consult.consultations.models import Origin
from consult.contributions.models import Argument, Proposal, Vote
from consult.errors import ConflictError, NotFoundError
from consult.imports.mapping import Target
from consult.imports.models import BatchStatus, ImportBatch
from consult.imports.replies import reply_entry
from consult.labels import number
from consult.moderation import policy as moderation
from consult.moderation.models import Decision, Report
from consult.protocols import Progress
from consult.questionnaires import policy, queries
from consult.questionnaires.models import Answer, Question, Reply
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.search import service as search

CHUNK: Final = 500
Content: TypeAlias = type[Proposal] | type[Argument] | type[Reply]
CONTENTS: Final[dict[Target, Content]] = {
    Target.PROPOSALS: Proposal,
    Target.ARGUMENTS: Argument,
    Target.REPLIES: Reply,
}
TYPES: Final = {Target.PROPOSALS: "proposal", Target.ARGUMENTS: "argument", Target.REPLIES: "reply"}  # moderable
NAMES: Final = {Target.PROPOSALS: "contribution", Target.ARGUMENTS: "argument", Target.REPLIES: "reply"}  # in openings


def start(session: Session, batch_id: uuid.UUID, *, actor: Actor, now: dt.datetime) -> ImportBatch:
    """Mark a batch as being undone, once sure that nobody acted on its rows.

    Raises NotFoundError; ConflictError saying which acts depend on them.
    """
    batch = session.scalar(select(ImportBatch).where(ImportBatch.id == batch_id).with_for_update())
    if batch is None:
        raise NotFoundError(f"Aucun lot d’import ne porte l’identifiant {batch_id}.")
    if batch.status is BatchStatus.UNDONE:
        raise ConflictError("Ce lot a déjà été annulé.")
    _check_free(session, batch, None)
    if batch.status is not BatchStatus.UNDOING:
        batch.status = BatchStatus.UNDOING
        audit.record(
            session,
            actor=actor,
            organisation_id=batch.organisation_id,
            action="import.undo",
            target_type="import_batch",
            target_id=batch.id,
            now=now,
        )
    return batch


def steps(session: Session, batch_id: uuid.UUID, now: dt.datetime) -> Iterator[Progress]:
    """Delete the rows of a batch being undone, chunk by chunk; the caller commits at each yield.

    Each row leaves a tombstone in the public log, and the opening of its entry is destroyed.
    """
    gone = 0
    while True:
        batch = session.get_one(ImportBatch, batch_id, populate_existing=True)
        removed = _remove_answers(session, batch, now) or _remove_rows(session, batch, now)
        if not removed:
            break
        gone += removed
        yield Progress(gone, message=f"{number(gone)} lignes retirées")
    batch.status, batch.finished_at = BatchStatus.UNDONE, now
    _append(session, batch, EntryKind.CONTENT, [{"import": str(batch.id), "undone": True}], now)
    yield Progress(0, 0, "Lot annulé")


def _check_free(session: Session, batch: ImportBatch, ids: Collection[uuid.UUID] | None) -> None:
    model = CONTENTS[Target(batch.target)]
    mine = select(model.id).where(model.import_batch_id == batch.id)
    if ids is not None:
        mine = mine.where(model.id.in_(ids))
    counted = {label: session.scalar(query) or 0 for label, query in _dependents(batch, mine).items()}
    counted["signalements"] = _reports_of_people(session, mine)
    found = [f"{label} : {number(count)}" for label, count in counted.items() if count]
    if found:
        raise ConflictError(
            f"Ce lot ne peut pas être annulé : des actes dépendent de ses lignes ({', '.join(found)}). "
            "Masquez plutôt les contenus concernés."
        )


def _dependents(batch: ImportBatch, mine: Select[uuid.UUID]) -> dict[str, Select[int]]:
    """Counts of what would be lost with these rows."""
    target = Target(batch.target)
    if target is Target.REPLIES:
        foreign = or_(Answer.import_batch_id.is_(None), Answer.import_batch_id != batch.id)
        counts = {"réponses apportées par un autre lot": _count(Answer, Answer.reply_id.in_(mine), foreign)}
    else:
        voted = Vote.proposal_id if target is Target.PROPOSALS else Vote.argument_id
        counts = {"votes": _count(Vote, voted.in_(mine))}
        if target is Target.PROPOSALS:
            counts["propositions dotées de points"] = _count(Proposal, Proposal.id.in_(mine), Proposal.ballots > 0)
            counts["arguments"] = _count(Argument, Argument.proposal_id.in_(mine))
    counts["décisions de modération"] = _count(Decision, Decision.item_id.in_(mine))
    return counts


def _reports_of_people(session: Session, mine: Select[uuid.UUID]) -> int:
    """How many reports a person made of these rows; what a machine put in the queue goes with them."""
    query = select(Report.item_type, Report.item_id, Report.reporter_key).where(Report.item_id.in_(mine))
    machine = moderation.MACHINE
    return sum(row.reporter_key != moderation.reporter_key(*row[:2], machine) for row in session.execute(query))


def _count(model: Any, *conditions: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(model).where(*conditions)


def _remove_rows(session: Session, batch: ImportBatch, now: dt.datetime) -> int:
    model = CONTENTS[Target(batch.target)]
    query = select(model.id, model.registry_ref, model.version).where(model.import_batch_id == batch.id).limit(CHUNK)
    rows = session.execute(query.with_for_update()).all()
    ids = [row.id for row in rows]
    if not ids:
        return 0
    _check_free(session, batch, ids)  # somebody may have acted since the undoing began
    _bury(session, batch, rows, now)
    if model is Proposal:
        for key in ids:
            search.remove(session, key)
    for gone in (delete(Report).where(Report.item_id.in_(ids)), delete(model).where(model.id.in_(ids))):
        session.execute(gone, execution_options={"synchronize_session": False})
    return len(ids)


def _bury(session: Session, batch: ImportBatch, rows: Sequence[Any], now: dt.datetime) -> None:
    """Destroy what the log let read of these rows, and say so in it."""
    name = NAMES[Target(batch.target)]
    entries = registry.refs_of_texts(session, batch.consultation_id, name, rows)
    registry.destroy_openings(session, [ref for refs in entries.values() for ref in refs])
    typed = {"type": "reply"} if name == "reply" else {}
    graves = [
        {
            **typed,
            "step": str(batch.step_id),
            name: str(row.id),
            "version": row.version,
            "ground": "import_undone",
            "entries": entries[row.id],
        }
        for row in rows
    ]
    undone = conservation.flow(TYPES[Target(batch.target)], Origin.IMPORTED, conservation.UNDONE)
    _append(session, batch, EntryKind.TOMBSTONE, graves, now, [undone] * len(graves))


def _remove_answers(session: Session, batch: ImportBatch, now: dt.datetime) -> int:
    """Take back the answers by which this batch had completed the replies of another."""
    if batch.target != Target.REPLIES or not batch.rows_completed:
        return 0
    others = exists().where(
        Reply.id == Answer.reply_id, or_(Reply.import_batch_id.is_(None), Reply.import_batch_id != batch.id)
    )
    questions = select(Question.id).where(Question.step_id == batch.step_id)
    found = session.execute(
        select(Answer.id, Answer.reply_id)
        .where(Answer.question_id.in_(questions), Answer.import_batch_id == batch.id, others)
        .limit(CHUNK)
    )
    answers = dict(found.all())
    if answers:
        gone = delete(Answer).where(Answer.id.in_(answers))
        session.execute(gone, execution_options={"synchronize_session": False})
        for reply_id in dict.fromkeys(answers.values()):
            _log_what_is_left(session, batch, reply_id, now)
    return len(answers)


def _log_what_is_left(session: Session, batch: ImportBatch, reply_id: uuid.UUID, now: dt.datetime) -> None:
    reply = session.get_one(Reply, reply_id, populate_existing=True)
    left = policy.public_answers(queries.questions(session, batch.step_id), queries.answers_of(session, reply_id))
    reply.version += 1
    content = reply_entry(batch.step_id, reply_id, reply.version, left)
    _append(session, batch, EntryKind.EDIT, [content], now)


def _append(
    session: Session,
    batch: ImportBatch,
    kind: EntryKind,
    contents: list[dict[str, Any]],
    now: dt.datetime,
    effects: Sequence[Mapping[str, Any]] | None = None,
) -> list[str]:
    return registry.append_all(
        session,
        organisation_id=batch.organisation_id,
        consultation_id=batch.consultation_id,
        kind=kind,
        contents=contents,
        now=now,
        effects=effects,
    )
