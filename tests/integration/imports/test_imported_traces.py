"""What an import brings is read for personal data: a machine puts it in the queue, a person decides (AT-6.4)."""

import pytest
from sqlalchemy import select, update

from consult.app import bindings
from consult.clock import now as clock_now
from consult.contributions.models import Proposal
from consult.errors import ConflictError
from consult.imports import jobs, service
from consult.imports.models import ImportBatch
from consult.jobs.models import Job
from consult.moderation.models import Report
from consult.moderation.service import report
from consult.questionnaires.models import AnswerVisibility, Question
from consult.settings import Settings

HEAD = "format: consult-import/1\nconsultation: {title: Essai}\n"
PROPOSALS = HEAD + "target: proposals\ncolumns: {ref: id, title: titre, body: texte}\n"
REPLIES = HEAD + "target: replies\ncolumns: {ref: id}\nquestions:\n  - {column: mot, wording: Un mot}\n"
HELD = "id,titre,texte\n1,Un,Écrivez à jeanne@exemple.fr\n2,Deux,Des bancs\n3,Mme Durand,Voilà\n"


def flagged(importing, batch) -> int | None:
    """Read the texts of a batch as a worker does, one content at a time; gives what the batch then says."""
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        handler = jobs.FlagImported(bindings(Settings()).content_types)
        for _ in handler.run(session, {"batch": str(batch.id)}, {}):
            session.flush()
    return importing.all(select(ImportBatch.flagged).where(ImportBatch.id == batch.id))[0]


@pytest.mark.parametrize("chunk", [1, 1000])
def test_imported_texts_are_read_for_personal_data_and_go_to_the_queue(importing, monkeypatch, chunk):
    """Not refused: a person decides. A crash in the middle flags nothing twice."""
    monkeypatch.setattr("consult.imports.queries.CHUNK", chunk)
    batch = importing.run(importing.file("p.csv", HELD), PROPOSALS)
    assert (batch.rows_added, batch.flagged) == (3, None)
    assert importing.all(select(Job.kind).where(Job.kind == service.TRACES_JOB)) == [service.TRACES_JOB]
    assert flagged(importing, batch) == 2
    assert flagged(importing, batch) == 0, "they wait already"
    reports = importing.all(select(Report).order_by(Report.comment))
    assert [each.reason for each in reports] == ["personal_data"] * 2
    assert ["le nom d’une personne" in reports[0].comment, "une adresse électronique" in reports[1].comment] == [
        True
    ] * 2
    importing.undo(batch)
    assert importing.count(Report) == importing.count(Proposal) == 0, "what a machine said keeps no row"


def test_a_report_by_a_person_keeps_a_batch_from_being_undone(importing):
    batch = importing.run(importing.file("p.csv", HELD), PROPOSALS)
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        (item, *_) = session.scalars(select(Proposal).order_by(Proposal.external_ref))
        report(
            session, bindings(Settings()).content_types["proposal"], item.id, organisation_id=importing.organisation_id,
            reason="personal_data", comment="", reporter="account:x", now=clock_now(),
        )  # fmt: skip
    with pytest.raises(ConflictError, match="signalements : 1"):
        importing.undo(batch)


def test_answers_that_everybody_reads_are_read_too(importing):
    text = "id,mot\n1,je m’appelle Jeanne Martin\n2,rien\n"
    batch = importing.run(importing.file("u.csv", text), REPLIES)
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        session.execute(update(Question).values(visibility=AnswerVisibility.ROWS))
    assert flagged(importing, batch) == 1
    assert importing.all(select(Report.item_type)) == ["reply"]
