"""A batch: what it writes, refuses, repeats, resumes and undoes, on both databases."""

import datetime as dt
import uuid

import pytest
from sqlalchemy import func, select

from consult.actor import SYSTEM
from consult.app import bindings
from consult.audit.models import AuditEntry
from consult.clock import now as clock_now
from consult.consultations.models import Consultation, ContentStatus
from consult.consultations.service import open_consultation
from consult.contributions.models import Proposal, Theme, Vote, VoteValue
from consult.errors import ConflictError, InvalidError, NotFoundError
from consult.imports import jobs, service, undo
from consult.imports.models import BatchStatus, ImportBatch, RejectedRow
from consult.jobs.models import Job, JobState
from consult.jobs.worker import Worker
from consult.organisations.models import Organisation
from consult.organisations.policy import LEGAL_NOTICE
from consult.questionnaires.models import Answer, Question, QuestionOption, Reply
from consult.registry.models import EntryKind, RegistryEntry
from consult.search.models import SearchDocument
from consult.settings import Settings
from tests.factories import make_account
from tests.integration.imports.conftest import STEP_KINDS

HEAD = "format: consult-import/1\nconsultation: {title: Essai}\n"
PROPOSALS = HEAD + "target: proposals\ncolumns: {ref: id, title: titre, body: texte, theme: theme, votes_for: oui}\n"
ARGUMENTS = HEAD + "target: arguments\ncolumns: {ref: id, proposal: sur, side: sens, body: texte}\n"
WIDE = HEAD + (
    "target: replies\ncolumns: {ref: id}\nquestions:\n  - {column: age, wording: Âge, kind: single, "
    "visibility: aggregates}\n  - {column: avis, kind: single, options: [oui, non]}\n"
    "  - {column: mot, wording: Un mot}\n"
)
LONG = HEAD + (
    "target: replies\nlayout: long\ncolumns: {ref: id, question: q, answer: r}\nreplies: existing\n"
    "question_defaults: {kind: single}\n"
)
TABLE = "id,titre,texte,theme,oui\n1,Un,Des arbres,Ville,3\n2,Deux,Des bancs,Ville,0\n3,Trois,Un lac,Eau,12\n"


def test_proposals_come_in_with_themes_totals_and_the_log(importing):
    batch = importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    rows = {row.external_ref: row for row in importing.all(select(Proposal))}
    assert {ref: (row.title, row.body, row.imported_votes_for, row.votes_for) for ref, row in rows.items()} == {
        "1": ("Un", "Des arbres", 3, 0),
        "2": ("Deux", "Des bancs", 0, 0),
        "3": ("Trois", "Un lac", 12, 0),
    }
    assert importing.all(select(Theme.title).order_by(Theme.position)) == ["Ville", "Eau"]
    assert all(row.origin.value == "imported" and row.import_batch_id == batch.id for row in rows.values())
    entries = {entry.ref: entry for entry in importing.all(select(RegistryEntry))}
    assert {entries[row.registry_ref].opening["contribution"] for row in rows.values()} == {
        str(row.id) for row in rows.values()
    }
    summary = [entry.opening for entry in entries.values() if entry.kind is EntryKind.CONTENT]
    assert summary[-1]["import"] == str(batch.id)
    assert (summary[-1]["read"], summary[-1]["added"]) == (3, 3)
    assert importing.count(SearchDocument) == 3
    assert importing.all(select(AuditEntry.action).order_by(AuditEntry.id))[-2:] == ["import.begin", "import.done"]
    assert importing.all(select(Consultation.status)) == ["draft"]


def test_the_same_file_twice_adds_nothing(importing):
    path = importing.file("p.csv", TABLE)
    importing.run(path, PROPOSALS)
    again = importing.run(path, PROPOSALS)
    assert (again.rows_added, again.rows_existing) == (0, 3)
    assert importing.count(Proposal) == 3


def test_rows_without_reference_are_known_by_their_content(importing):
    text = PROPOSALS.replace("ref: id, ", "")
    path = importing.file("p.csv", TABLE + "1,Un,Des arbres,Ville,3\n")
    assert importing.run(path, text).rows_added == 4, "the same text on two lines is two contributions"
    assert importing.run(path, text).rows_existing == 4


def test_every_refused_row_is_kept_with_its_line_and_reason(importing):
    path = importing.file(
        "p.csv",
        'id,titre,texte,theme,oui\n1,Un,"a\nb",V,1\n,Sans id,t,V,1\n1,Double,t,V,1\n4,Vide,,V,1\n5,Votes,t,V,x\n'
        "6,court\n",
    )
    batch = importing.run(path, PROPOSALS)
    assert service.summary(batch) == {
        "target": "proposals", "read": 6, "added": 1, "completed": 0, "existing": 0, "empty": 0, "rejected": 5,
    }  # fmt: skip
    assert [(line, reason[:24]) for line, reason in importing.rejected(batch)] == [
        (4, "L’identifiant est vide ("),
        (5, "L’identifiant « 1 » port"),
        (6, "Le texte est vide (colon"),
        (7, "« x » n’est pas un nombr"),
        (8, "La ligne compte 2 champs"),
    ]
    assert '"titre": "Votes"' in importing.all(select(RejectedRow.raw).where(RejectedRow.line == 7))[0]


def test_arguments_find_their_proposal_and_orphans_are_refused(importing):
    importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    path = importing.file("a.csv", "id,sur,sens,texte\n1,1,pour,Oui\n2,1,contre,Non\n3,99,pour,Où ?\n1,2,pour,Aussi\n")
    batch = importing.run(path, ARGUMENTS)
    assert (batch.rows_added, batch.rows_rejected) == (3, 1)
    assert importing.rejected(batch) == [(4, "La proposition « 99 » est absente de cette étape.")]


def test_replies_are_completed_by_a_second_file(importing):
    importing.run(importing.file("u.csv", "id,age,avis,mot\n1,20-29,oui,Élan\n2,30-39,,\n3,20-29,peut-être,x\n"), WIDE)
    batch = importing.run(
        importing.file("r.csv", "id,q,r\n1,FI1,bleu\n2,FI1,vert\n1,FI1,rouge\n9,FI1,bleu\n2,FI2,\n"), LONG
    )
    assert service.summary(batch) == {
        "target": "replies", "read": 5, "added": 0, "completed": 2, "existing": 0, "empty": 1, "rejected": 2,
    }  # fmt: skip
    refused = [(4, "L’identifiant « 1 » a déjà une autre réponse à «\u00a0FI1\u00a0» dans cette étape.")]
    assert importing.rejected(batch)[:1] == refused
    assert "rouge" not in importing.all(select(QuestionOption.label)), "a refused answer is no option"
    labels = {str(key): label for key, label in rows(importing, select(QuestionOption.id, QuestionOption.label))}
    given = {
        (ref, wording): labels[options[0]] if options else text
        for ref, wording, text, options in rows(
            importing,
            select(Reply.external_ref, Question.wording, Answer.text, Answer.options)
            .join(Answer, Answer.reply_id == Reply.id)
            .join(Question, Question.id == Answer.question_id),
        )
    }
    assert given == {
        ("1", "Âge"): "20-29", ("1", "avis"): "oui", ("1", "Un mot"): "Élan", ("1", "FI1"): "bleu",
        ("2", "Âge"): "30-39", ("2", "FI1"): "vert",
    }  # fmt: skip
    assert importing.all(select(Reply.version).order_by(Reply.external_ref)) == [2, 2]


def rows(importing, statement):
    with importing.database.session(write=False, tenant=importing.organisation_id) as session:
        return [tuple(row) for row in session.execute(statement)]


def test_a_closed_list_of_options_refuses_the_others(importing):
    batch = importing.run(importing.file("u.csv", "id,age,avis,mot\n3,20-29,peut-être,x\n"), WIDE)
    assert importing.rejected(batch) == [
        (2, "«\u00a0peut-être\u00a0» n’est pas une des réponses à «\u00a0avis\u00a0».")
    ]
    assert importing.count(Reply) == 0


def opened(importing):
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        organisation = session.get_one(Organisation, importing.organisation_id)
        for name in LEGAL_NOTICE:
            setattr(organisation, name, "renseigné")
        open_consultation(
            session,
            session.scalars(select(Consultation)).one(),
            organisation=organisation,
            actor=SYSTEM,
            step_kinds=STEP_KINDS,
            now=clock_now(),
        )


def test_once_opened_nothing_new_is_made_for_an_import_but_rows_still_come(importing):
    importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    opened(importing)
    batch = importing.run(
        importing.file("q.csv", "id,titre,texte,theme,oui\n8,Huit,t,Ville,1\n9,Neuf,t,Air,1\n"), PROPOSALS
    )
    assert batch.rows_added == 1
    assert importing.rejected(batch)[0][1].startswith("Le thème « Air » n’existe pas")
    with pytest.raises(InvalidError, match="les étapes sont figées"):
        importing.run(importing.file("r.csv", "id,q,r\n1,FI1,bleu\n"), LONG)


def test_hidden_rows_stay_hidden_and_out_of_search(importing):
    text = PROPOSALS.replace("votes_for: oui", "hidden: oui")
    importing.run(importing.file("p.csv", "id,titre,texte,theme,oui\n1,a,secret,V,oui\n2,b,public,V,non\n"), text)
    assert rows(importing, select(Proposal.external_ref, Proposal.status, Proposal.status_reason).order_by(
        Proposal.external_ref
    )) == [("1", ContentStatus.HIDDEN, "hidden_at_source"), ("2", ContentStatus.PUBLISHED, None)]  # fmt: skip
    (decision,) = importing.all(select(RegistryEntry.opening).where(RegistryEntry.kind == EntryKind.MODERATION))
    assert (decision["act"], decision["ground"], decision["decision"]) == ("hide", "hidden_at_source", None)
    withheld = importing.all(select(Proposal.registry_ref).where(Proposal.status == ContentStatus.HIDDEN))
    assert decision["entries"] == withheld == importing.all(select(RegistryEntry.ref).where(RegistryEntry.withheld))
    assert importing.count(SearchDocument) == 1


def test_an_identifier_that_the_platform_keeps_for_itself_is_refused(importing):
    with pytest.raises(InvalidError, match="mot réservé"):
        importing.run(importing.file("p.csv", TABLE), PROPOSALS, slug="nouvelle")
    assert importing.count(Consultation) == 0


@pytest.mark.parametrize("slug", ["Majuscules", "a b", "../x", "é"])
def test_an_impossible_identifier_is_refused_with_a_possible_one(importing, slug):
    with pytest.raises(InvalidError, match="essayez « "):
        importing.run(importing.file("p.csv", TABLE), PROPOSALS, slug=slug)


def test_a_consultation_that_does_not_exist_must_be_described(importing):
    with pytest.raises(InvalidError, match="n’existe pas"):
        importing.run(importing.file("p.csv", TABLE), PROPOSALS.replace("consultation: {title: Essai}\n", ""))
    assert importing.count(Consultation) == 0


def test_a_step_of_another_kind_is_refused(importing):
    importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    with pytest.raises(InvalidError, match="il faut « questionnaire »"):
        importing.run(importing.file("u.csv", "id,age,avis,mot\n"), WIDE, step_slug="propositions")


def test_hostile_texts_arrive_as_typed_or_stripped(importing):
    texts = [
        "=cmd|' /C calc'!A0",
        "'; DROP TABLE proposal; --",
        "😀" * 2000,
        "x" * 64_537,
        "{{ 7*7 }}",
        "\u202erenversé",
    ]
    content = "id,titre,texte,theme,oui\n" + "".join(
        '{},Titre,"{}",V,0\n'.format(n, text.replace('"', '""')) for n, text in enumerate(texts)
    )
    assert importing.run(importing.file("p.csv", content), PROPOSALS).rows_added == len(texts)
    assert importing.all(select(Proposal.body).order_by(Proposal.external_ref)) == texts


# Interruptions


def test_an_import_cut_in_the_middle_goes_on_where_it_was(importing, monkeypatch):
    path = importing.file("p.csv", "id,titre,texte,theme,oui\n" + "".join(f"{n},T,t{n},V,0\n" for n in range(1300)))
    written = []
    write = service.Importer.write

    def failing(self, session, chunk, now):
        if len(written) == 1:
            write(self, session, chunk, now)
            raise KeyboardInterrupt
        written.append(chunk)
        return write(self, session, chunk, now)

    with monkeypatch.context() as patched:
        patched.setattr(service.Importer, "write", failing)
        with pytest.raises(KeyboardInterrupt):
            importing.run(path, PROPOSALS)
    assert importing.count(Proposal) == importing.count(RegistryEntry) - opening_entries(importing) == 500
    batch = importing.run(path, PROPOSALS)
    assert (batch.rows_read, batch.rows_added, batch.rows_existing) == (1300, 1300, 0)
    assert importing.count(ImportBatch) == 1
    assert importing.count(Proposal) == 1300


def opening_entries(importing):
    return importing.count(RegistryEntry, RegistryEntry.kind != EntryKind.CONTRIBUTION)


def test_a_file_that_becomes_unreadable_stops_the_batch_and_keeps_what_was_read(importing):
    good = "".join(f"{n},T,t,V,0\n" for n in range(600))
    path = importing.file("p.csv", "id,titre,texte,theme,oui\n" + good + '700,T,"sans fin\n' + "x,y\n" * 300_000)
    with pytest.raises(InvalidError, match="à partir de la ligne 602"):
        importing.run(path, PROPOSALS)
    (batch,) = importing.all(select(ImportBatch))
    assert batch.status is BatchStatus.STOPPED
    assert "ligne 602" in batch.stopped_because
    assert importing.count(Proposal) == batch.rows_added == 500


def test_the_same_chunks_run_as_a_job(importing):
    path = importing.file("p.csv", TABLE)
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        plan = service.plan(path, PROPOSALS)
        batch = service.begin(
            session,
            plan,
            organisation_id=importing.organisation_id,
            slug="essai",
            step_kinds=STEP_KINDS,
            actor=SYSTEM,
            now=clock_now(),
        )
        jobs.ask(session, batch, path, now=clock_now())
        batch_id = batch.id
    handlers = jobs.handlers(bindings(Settings()).content_types)
    worker = Worker(importing.database, {handler.kind: handler for handler in handlers})
    assert worker.run_once()
    assert worker.run_once(), "then the texts are read for personal data"
    assert importing.all(select(Job.state)) == [JobState.DONE] * 2
    assert importing.all(select(ImportBatch.flagged)) == [0]
    assert importing.all(select(ImportBatch.status)) == [BatchStatus.DONE]
    assert importing.count(Proposal) == 3
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        jobs.ask_undo(session, batch_id, actor=SYSTEM, now=clock_now())
    assert worker.run_once()
    assert importing.count(Proposal) == 0


# Undoing


def test_undoing_removes_the_rows_and_leaves_tombstones(importing):
    batch = importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    refs = importing.all(select(Proposal.registry_ref))
    importing.undo(batch)
    assert importing.count(Proposal) == importing.count(SearchDocument) == 0
    assert importing.all(select(ImportBatch.status)) == [BatchStatus.UNDONE]
    tombs = importing.all(select(RegistryEntry.opening).where(RegistryEntry.kind == EntryKind.TOMBSTONE))
    assert {ref for tomb in tombs for ref in tomb["entries"]} == set(refs)
    assert {tomb["ground"] for tomb in tombs} == {"import_undone"}
    openings = importing.all(select(RegistryEntry.opening).where(RegistryEntry.ref.in_(refs)))
    assert openings == [None, None, None]
    with pytest.raises(ConflictError, match="déjà été annulé"):
        importing.undo(batch)
    assert importing.run(importing.file("p.csv", TABLE), PROPOSALS).rows_added == 3


@pytest.mark.parametrize("act", ["vote", "argument"])
def test_a_batch_on_which_people_acted_cannot_be_undone(importing, act):
    batch = importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    with importing.database.transaction(tenant=importing.organisation_id) as session:
        proposal = session.scalars(select(Proposal).where(Proposal.external_ref == "2")).one()
        if act == "vote":
            organisation = type("Org", (), {"id": importing.organisation_id})
            account = make_account(session, organisation)
            shared = {"consultation_id": proposal.consultation_id, "step_id": proposal.step_id}
            session.add(
                Vote(proposal_id=proposal.id, account_id=account.id, value=VoteValue.FOR, cast_at=clock_now(), **shared)
            )
    if act == "argument":
        importing.run(importing.file("a.csv", "id,sur,sens,texte\n1,1,pour,Oui\n"), ARGUMENTS)
    with pytest.raises(ConflictError, match=r"des actes dépendent de ses lignes \((votes|arguments) : 1\)"):
        importing.undo(batch)
    assert importing.count(Proposal) == 3
    assert importing.all(select(ImportBatch.status).where(ImportBatch.id == batch.id)) == [BatchStatus.DONE]


def test_files_are_undone_in_the_reverse_order(importing):
    people = importing.run(importing.file("u.csv", "id,age,avis,mot\n1,20-29,oui,Élan\n2,30-39,non,\n"), WIDE)
    answers = importing.run(importing.file("r.csv", "id,q,r\n1,FI1,bleu\n2,FI1,vert\n"), LONG)
    with pytest.raises(ConflictError, match="réponses apportées par un autre lot : 2"):
        importing.undo(people)
    importing.undo(answers)
    assert importing.count(Answer) == 5
    assert importing.all(select(Reply.version)) == [3, 3], "taken away as it was given, in the open"
    importing.undo(people)
    assert importing.count(Reply) == importing.count(Answer) == 0


def test_a_batch_of_another_organisation_cannot_be_found(importing, database):
    batch = importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    with database.transaction(tenant=uuid.uuid4()) as session, pytest.raises(NotFoundError):
        undo.start(session, batch.id, actor=SYSTEM, now=dt.datetime.now(dt.UTC))
    assert importing.count(Proposal) == 3


def test_counts_of_a_batch_add_up_whatever_the_file(importing):
    messy = "id,titre,texte,theme,oui\n" + "".join(
        f"{n % 40},T,{'t' if n % 3 else ''},V,{n % 7 or 'x'}\n" for n in range(200)
    )
    batch = importing.run(importing.file("p.csv", messy), PROPOSALS)
    counts = service.summary(batch)
    assert (
        counts["read"] == 200 == sum(counts[name] for name in ("added", "completed", "existing", "empty", "rejected"))
    )
    assert importing.all(select(func.count()).select_from(RejectedRow)) == [counts["rejected"]]
