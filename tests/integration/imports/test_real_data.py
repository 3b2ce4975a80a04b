"""The three real sets go through the whole import (no row of them is quoted here)."""

import csv
import gzip
import io
import itertools

import pytest
from sqlalchemy import func, select

from consult.consultations.models import ContentStatus, Origin
from consult.contributions.models import Argument, Proposal, Side, Theme
from consult.imports import readers
from consult.imports.service import summary
from consult.questionnaires.models import Answer, Question, QuestionOption, Reply
from consult.registry.models import EntryKind, RegistryEntry
from consult.search.models import SearchDocument

pytestmark = [pytest.mark.real_data, pytest.mark.sqlite_first]


def csv_rows(path, **options):
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = raw.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline=""), **options))


def test_a_bill_with_its_proposals_arguments_and_totals_of_votes(importing, real_data):
    folder = real_data / "republique_numerique_2015"
    proposals = importing.run(folder / "propositions.csv.gz", "republique_numerique_propositions")
    arguments = importing.run(folder / "arguments.csv.gz", "republique_numerique_arguments")
    assert summary(proposals)["added"] == 348
    assert summary(arguments)["added"] == 1811
    assert importing.rejected(arguments) == []

    source = csv_rows(folder / "propositions.csv.gz")
    totals = importing.all(
        select(func.sum(Proposal.imported_votes_for + Proposal.imported_votes_mixed + Proposal.imported_votes_against))
    )
    assert totals == [sum(int(row["votes_total"]) for row in source)]
    assert importing.count(Proposal, Proposal.votes_total != 0) == 0, "imported totals never join live votes"
    assert importing.count(Theme) == len({row["section_label"] for row in source})
    assert importing.count(Proposal, Proposal.status == ContentStatus.HIDDEN) == 3
    assert importing.count(Proposal, Proposal.origin != Origin.IMPORTED) == 0
    assert importing.count(Proposal, Proposal.body.contains("</p>")) == 0
    assert importing.count(SearchDocument) == 345
    source = csv_rows(folder / "arguments.csv.gz")
    for side, word in ((Side.FOR, "pour"), (Side.AGAINST, "contre")):
        assert importing.count(Argument, Argument.side == side) == sum(row["side"] == word for row in source)
    assert importing.all(select(func.sum(Argument.imported_votes_for))) == [sum(int(row["votes"]) for row in source)]
    assert importing.count(RegistryEntry, RegistryEntry.kind == EntryKind.CONTRIBUTION) == 348
    assert importing.count(RegistryEntry, RegistryEntry.kind == EntryKind.ARGUMENT) == 1811


def test_a_questionnaire_in_two_dirty_files_with_orphans(importing, real_data, tmp_path):
    """The first tenth of each file, as its bytes are."""
    for name in ("users.csv", "answers_qcm.csv", "matching_answers_qcm.csv"):
        lines = (real_data / "elf_survey" / name).read_bytes().split(b"\r")
        (tmp_path / name).write_bytes(b"\r".join(lines[: max(len(lines) // 10, 200)]))
    check_questionnaire(importing, tmp_path)


@pytest.mark.slow
@pytest.mark.audit
def test_the_whole_questionnaire_in_two_dirty_files(importing, real_data):
    check_questionnaire(importing, real_data / "elf_survey")


def check_questionnaire(importing, folder):
    people = importing.run(folder / "users.csv", "elf_repondants")
    answers = importing.run(folder / "answers_qcm.csv", "elf_reponses")

    users = csv_rows(folder / "users.csv", delimiter=";")
    given = csv_rows(folder / "answers_qcm.csv", delimiter=";")
    known = {row["user_id"] for row in users}
    orphans = sum(row["user_id"] not in known for row in given)
    skipped = sum(row["answer"].startswith("🤷") and row["user_id"] in known for row in given)
    assert summary(people)["added"] == len(users) == importing.count(Reply)
    assert summary(answers) == {
        "target": "replies",
        "read": len(given),
        "added": 0,
        "completed": len(given) - orphans - skipped,
        "existing": 0,
        "empty": skipped,
        "rejected": orphans,
    }
    refused = importing.rejected(answers)
    assert len(refused) == orphans
    assert all("Aucune réponse importée ne porte l’identifiant" in reason for _, reason in refused)

    closed = 8
    described = sum(row[name] != "?" for row in users for name in list(row)[1:] if name != "nom_departement")
    assert importing.count(Question) == closed + len({row["question_id"] for row in given})
    assert importing.count(Answer) == described + len(given) - orphans - skipped
    sizes = importing.all(
        select(QuestionOption.label)
        .join(Question, Question.id == QuestionOption.question_id)
        .where(Question.wording == "Taille de l’organisation")
        .order_by(QuestionOption.position)
    )
    assert sizes == ["1-10", "10-250", "250-5000", "Plus de 5000"], "a spreadsheet's date is read back as a size"
    departments = importing.all(
        select(QuestionOption.label)
        .join(Question, Question.id == QuestionOption.question_id)
        .where(Question.wording == "Département")
    )
    assert set(departments) >= {"01", "08"}
    assert "8" not in departments

    again = importing.run(folder / "answers_qcm.csv", "elf_reponses")
    assert (again.rows_completed, again.rows_added, again.rows_existing) == (0, 0, answers.rows_completed)


def test_open_answers_of_a_parquet_file(importing, real_data, tmp_path):
    whole = readers.open_source(real_data / "gd_open_answers" / "gd_open_answers_fiscalite_transition.parquet")
    rows = list(itertools.islice(whole.rows(), 3000))
    path = tmp_path / "extrait.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, whole.columns)
        writer.writeheader()
        writer.writerows(row.values for row in rows)
    batch = importing.run(path, "gd_open_answers")
    assert (batch.rows_read, batch.rows_added + batch.rows_empty) == (3000, 3000)
    assert importing.count(Question) == len({row.values["question_id"] for row in rows})
    assert importing.count(Answer) == batch.rows_added


@pytest.mark.slow
@pytest.mark.audit
def test_all_the_open_answers_of_a_parquet_file(importing, real_data):
    path = real_data / "gd_open_answers" / "gd_open_answers_fiscalite_transition.parquet"
    batch = importing.run(path, "gd_open_answers")
    assert batch.rows_read == 98_469
    assert batch.rows_rejected == 0
    assert importing.count(Question) == 11
    assert importing.count(Reply) == batch.rows_added
