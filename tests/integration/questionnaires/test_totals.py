"""Questions published in totals only: their totals on page, API and dump, as they were last published (AT-21.3)."""

import pytest
from sqlalchemy import select

from consult.consultations.models import ContentStatus, Origin
from consult.db import ALL_TENANTS
from consult.questionnaires import totals
from consult.questionnaires.models import Answer, AnswerVisibility, Reply
from consult.questionnaires.totals import TotalsDataset
from consult.registry.models import EntryKind, RegistryEntry
from tests import factories as f


class Asked:
    """A questionnaire with one question in totals, and replies."""

    def __init__(self, session):
        self.session = session
        organisation = f.make_organisation(session, slug="agence")
        session.info["tenant"] = organisation.id
        self.consultation = f.make_consultation(session, organisation)
        self.step = f.make_step(session, self.consultation, kind="questionnaire")
        self.question = f.make_question(
            session, self.step, "single", ["Ain", "Aisne", "Allier"], visibility=AnswerVisibility.AGGREGATES
        )
        self.several = f.make_question(
            session, self.step, "multiple", ["Vélo", "Train"], visibility=AnswerVisibility.AGGREGATES
        )
        f.make_question(session, self.step, "single", ["Oui", "Non"], visibility="administration")

    def reply(self, *counts, **values) -> list[Reply]:
        return [
            f.make_reply(self.session, self.step, None, {self.question: [option]}, **values)
            for option, count in zip(self.question.options, counts, strict=False)
            for _ in range(count)
        ]

    def publish(self) -> int:
        return totals.publish(self.session, self.step.id, f.NOW)

    def counts(self) -> list[int | None]:
        rows = TotalsDataset().rows(self.session, self.consultation.id)
        return [row["count"] for row in rows if row["option"]]


@pytest.fixture
def asked(session) -> Asked:
    return Asked(session)


def test_totals_wait_for_ten_people_and_move_by_ten(asked):
    asked.reply(5, 4)
    assert (asked.publish(), asked.counts()) == (0, [])
    asked.reply(15, 10, 12)
    assert (asked.publish(), asked.counts()) == (1, [20, 14, 12])
    asked.reply(1)
    assert (asked.publish(), asked.counts()) == (0, [20, 14, 12]), "one reply more would be told by the difference"
    asked.reply(9)
    assert (asked.publish(), asked.counts()) == (1, [30, 14, 12])
    assert asked.publish() == 0, "nothing has changed"
    logged = asked.session.scalars(
        select(RegistryEntry.opening).where(RegistryEntry.kind == EntryKind.CONTENT).order_by(RegistryEntry.id)
    ).all()
    assert [(entry["number"], entry["answered"]) for entry in logged] == [(1, 46), (2, 56)]


def test_a_reply_that_goes_does_not_show(asked):
    replies = asked.reply(20, 20, 20)
    asked.publish()
    replies[0].status, replies[0].status_reason = ContentStatus.HIDDEN, "insult"
    assert (asked.publish(), asked.counts()) == (0, [20, 20, 20])


def test_small_answers_are_withheld_with_another(asked):
    asked.reply(30, 3, 12)
    asked.publish()
    assert asked.counts() == [30, None, None]
    assert [row["answered"] for row in TotalsDataset().rows(asked.session, asked.consultation.id)] == [45] * 4


def test_origins_are_apart_and_tests_nowhere(asked):
    asked.reply(10, 10, 10)
    asked.reply(10, 0, 0, origin=Origin.IMPORTED)
    asked.reply(11, 0, 0, origin=Origin.TEST)
    assert asked.publish() == 2
    rows = list(TotalsDataset().rows(asked.session, asked.consultation.id))
    assert {(row["origin"], row["answered"]) for row in rows} == {("live", 30), ("imported", 10)}
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)
    first = TotalsDataset().rows(asked.session, asked.consultation.id, after=rows[1]["id"], limit=2)
    assert [row["id"] for row in first] == [row["id"] for row in rows[2:4]]


def test_the_page_shows_what_was_published_and_nothing_since(app):
    database = app.extensions["database"]
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        asked = Asked(session)
        asked.reply(31, 3, 13)
        asked.publish()
        asked.reply(7)
    here = f"/consultations/{asked.consultation.slug}/{asked.step.slug}/reponses"
    page = app.test_client().get(here).text
    assert "Ain" in page
    assert "47 personnes" in page.replace("\u202f", " ")
    assert (">31 (" in page, ">38 (" in page) == (True, False)
    assert "moins de 10 personnes" in page.replace("\u00a0", " ")


def test_each_row_of_a_table_is_protected_as_a_partition(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        step = f.make_step(session, f.make_consultation(session, f.make_organisation(session)), kind="questionnaire")
        labels = [("Train", "row"), ("Vélo", "row"), "Oui", "Non"]
        asked = f.make_question(session, step, "matrix", labels, visibility=AnswerVisibility.AGGREGATES)
        train, bike, yes, no = (str(option.id) for option in asked.options)
        for rank in range(30):
            cells = [f"{train}:{yes if rank < 15 else no}", f"{bike}:{yes if rank < 3 else no}"]
            reply = f.make_reply(session, step)
            owned = {"organisation_id": step.organisation_id, "reply_id": reply.id, "question_id": asked.id}
            session.add(Answer(**owned, options=cells))
        session.flush()
        assert totals.publish(session, step.id, f.NOW) == 1
        (table,) = totals.latest(session, [asked.id])[asked.id]
        assert {key: table.counts[key] for key in (f"{train}:{yes}", f"{train}:{no}")} == {
            f"{train}:{yes}": 15,
            f"{train}:{no}": 15,
        }
        # Three people: shown, or found by subtracting the others from those who answered, they would be known.
        assert [table.counts[f"{bike}:{column}"] for column in (yes, no)] == [None, None]


def test_a_ranking_is_published_whole_or_not_at_all(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        step = f.make_step(session, f.make_consultation(session, f.make_organisation(session)), kind="questionnaire")
        asked = f.make_question(session, step, "ranking", ["A", "B"], visibility=AnswerVisibility.AGGREGATES)
        a, b = (str(option.id) for option in asked.options)

        def rank(first, second, times):
            for _ in range(times):
                owned = {"organisation_id": step.organisation_id, "question_id": asked.id}
                session.add(
                    Answer(**owned, reply_id=f.make_reply(session, step).id, options=[f"{first}:1", f"{second}:2"])
                )
            session.flush()

        rank(a, b, 27)
        rank(b, a, 3)
        assert totals.publish(session, step.id, f.NOW) == 0
        rank(b, a, 10)
        assert totals.publish(session, step.id, f.NOW) == 1
        (table,) = totals.latest(session, [asked.id])[asked.id]
        assert (table.counts[f"{a}:1"], table.counts[f"{b}:1"]) == (27, 13)
