"""Which rows are known already: those of the same step that say the same; nothing else is passed over in silence."""

import pytest
from sqlalchemy import Engine, event, select

from consult.contributions.models import Argument, Proposal
from consult.questionnaires.models import Answer, Reply
from tests.integration.imports.test_batches import ARGUMENTS, LONG, PROPOSALS, TABLE, WIDE

PEOPLE = "id,age,avis,mot\n1,20-29,oui,Élan\n2,30-39,non,\n3,,,\n"
ANSWERS = "id,q,r\n1,FI1,bleu\n2,FI1,vert\n"
CREATING = LONG.replace("replies: existing\n", "")


def test_the_same_titles_and_references_in_another_consultation_are_new_rows(importing):
    """The consultation named by the command receives the rows, whatever title the mapping gives."""
    importing.run(importing.file("r.csv", ANSWERS), CREATING, slug="premiere")
    people = importing.run(importing.file("u.csv", PEOPLE), WIDE, slug="seconde")
    assert (people.rows_added, people.rows_existing, people.rows_completed) == (3, 0, 0)
    again = importing.run(importing.file("r.csv", ANSWERS), CREATING, slug="seconde")
    assert (again.rows_added, again.rows_existing, again.rows_completed) == (0, 0, 2)
    for table, mapping in ((TABLE, PROPOSALS), ("id,sur,sens,texte\n1,1,pour,Oui\n", ARGUMENTS)):
        path = importing.file("t.csv", table)
        here, there = (importing.run(path, mapping, slug=slug) for slug in ("premiere", "seconde"))
        assert here.rows_added == there.rows_added == here.rows_read
    assert importing.count(Proposal) == 6
    assert importing.count(Argument) == 2


def test_the_same_references_in_another_step_are_new_rows(importing):
    for step in ("questionnaire", "autre"):
        assert importing.run(importing.file("u.csv", PEOPLE), WIDE, step_slug=step).rows_added == 3
    assert importing.count(Reply) == 6


@pytest.mark.parametrize(
    ("mapping", "first", "second", "model"),
    [
        (PROPOSALS, TABLE, TABLE.replace("Des bancs", "Des cars"), Proposal),
        (
            ARGUMENTS,
            "id,sur,sens,texte\n1,1,pour,Oui\n2,1,contre,Non\n",
            "id,sur,sens,texte\n2,1,contre,Si\n",
            Argument,
        ),
    ],
)
def test_a_text_of_another_source_under_a_known_reference_is_refused_not_passed_over(
    importing, mapping, first, second, model
):
    importing.run(importing.file("p.csv", TABLE), PROPOSALS)
    importing.run(importing.file("a.csv", first), mapping)
    before = importing.count(model)
    batch = importing.run(importing.file("b.csv", second), mapping)
    assert (batch.rows_rejected, batch.rows_existing) == (1, batch.rows_read - 1)
    assert [reason for _, reason in importing.rejected(batch)] == [
        "L’identifiant « 2 » porte déjà un autre texte dans cette étape."
    ]
    assert importing.count(model) == before


def test_a_reply_of_another_source_under_a_known_reference_is_refused_whole(importing):
    importing.run(importing.file("u.csv", PEOPLE), WIDE)
    other = importing.file("v.csv", "id,age,avis,mot\n1,20-29,oui,Élan\n2,20-29,,Soir\n3,20-29,oui,Midi\n")
    batch = importing.run(other, WIDE)
    assert (batch.rows_existing, batch.rows_completed, batch.rows_rejected) == (1, 1, 1)
    assert importing.rejected(batch) == [
        (3, "L’identifiant « 2 » a déjà une autre réponse à «\u00a0Âge\u00a0» dans cette étape.")
    ]
    assert "Soir" not in importing.all(select(Answer.text))


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_is_known_is_looked_up_by_its_reference_however_long_the_table(importing):
    """By the index of organisations, each chunk read the whole table: a million rows took hours."""
    plans: list[str] = []

    def explain(connection, cursor, statement, parameters, _context, _many):
        if "external_ref IN" in statement or "answer.reply_id IN" in statement:
            explained = connection.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in explained)

    event.listen(Engine, "before_cursor_execute", explain)
    try:
        importing.run(importing.file("p.csv", TABLE), PROPOSALS)
        importing.run(importing.file("a.csv", "id,sur,sens,texte\n1,1,pour,Oui\n"), ARGUMENTS)
        for _ in range(2):
            importing.run(importing.file("u.csv", PEOPLE), WIDE, step_slug="questionnaire")
    finally:
        event.remove(Engine, "before_cursor_execute", explain)
    searched = {plan for plan in plans if "external_ref=?" in plan or "reply_id=?" in plan}
    assert {plan.split()[1] for plan in searched} == {"proposal", "argument", "reply", "answer"}
    assert set(plans) == searched
