"""FTS5 and tsvector find the same contents for the same words, and those that the rule says."""

import csv
import gzip
import io
import random
import uuid

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from consult.consultations.models import Step
from consult.db import ALL_TENANTS
from consult.search import policy, queries, service
from tests import factories

# Words that the rule takes for the same, or nearly so, and what a query language would understand.
WORDS = [
    *(
        "gare",
        "Gares",
        "l’école",
        "ÉCOLES",
        "e\u0301cole",
        "cheval",
        "chevaux",
        "travail",
        "travaux",
        "œuvre",
        "ŒUVRES",
    ),
    *(
        "bus",
        "bu",
        "n’est",
        "aujourd’hui",
        "de",
        "la",
        "2030",
        "2\u202f030",
        "a-t-il",
        "ﬁn",
        "ＧＡＲＥ",
        "Straße",
        "İzmir",
    ),
    *("AND", "OR", "NOT", "NEAR/2", "*", '"', "'", "&", "|", "!", "(", ")", ":*", "<->", "gare*", "-gare", "école:"),
    *("%", "\\", "\x00", ";", "--", "中文", "🚲"),
]
TEXTS = st.lists(
    st.one_of(st.sampled_from(WORDS), st.text(max_size=8)),
    min_size=1,
    max_size=9,
).map(" ".join)


class Steps:
    """The same step, with the same contents, in each database."""

    def __init__(self, databases):
        self.databases = databases
        self.ids, self.words, self.step_ids = {}, {}, []
        for database in databases:
            with database.transaction(tenant=ALL_TENANTS) as session:
                consultation = factories.make_consultation(session, factories.make_organisation(session))
                self.step_ids.append(factories.make_step(session, consultation).id)

    def write(self, texts):
        self.ids = {uuid.uuid4(): text for text in texts}
        self.words = {item_id: set(policy.words(text)) for item_id, text in self.ids.items()}
        for database, step_id in zip(self.databases, self.step_ids, strict=True):
            with database.transaction(tenant=ALL_TENANTS) as session:
                step = session.get_one(Step, step_id)
                known = {"organisation_id": step.organisation_id, "step_id": step_id}
                service.index_many(session, **known, texts=self.ids.items())

    def asked(self, ask):
        answers = []
        for database, step_id in zip(self.databases, self.step_ids, strict=True):
            with database.session(write=False, tenant=ALL_TENANTS) as session:
                answers.append(ask(session, step_id))
        return answers

    def forget(self):
        for database in self.databases:
            with database.transaction(tenant=ALL_TENANTS) as session:
                for item_id in self.ids:
                    service.remove(session, item_id)


@pytest.fixture
def steps(both_databases):
    return Steps(both_databases)


def found(typed):
    return lambda session, step_id: set(session.scalars(queries.find(session, step_id, typed)))


def expected(steps, typed):
    wanted = set(policy.query_words(typed))
    return {item_id for item_id, words in steps.words.items() if wanted and wanted <= words}


@pytest.mark.slow
@hypothesis_settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(TEXTS, min_size=1, max_size=12), typed=st.lists(TEXTS, min_size=1, max_size=6))
def test_whatever_is_written_and_typed_both_find_the_same(steps, texts, typed):
    steps.write(texts)
    for each in [*typed, *texts]:
        assert steps.asked(found(each)) == [expected(steps, each)] * 2
        one, other = steps.asked(lambda session, step_id, each=each: queries.similar(session, step_id, each))
        assert one == other
    steps.forget()


@pytest.mark.real_data
def test_real_answers_are_found_by_their_words_on_both(steps, real_data):
    raw = gzip.decompress((real_data / "gd_open_answers" / "sample_q165_protection_sociale.csv.gz").read_bytes())
    answers = [row["comment"] for row in csv.DictReader(io.StringIO(raw.decode()))][:800]
    steps.write(answers)
    drawn = random.Random(165)  # a sample, not a secret
    for _ in range(60):
        words = drawn.choice(answers).split()
        typed = " ".join(drawn.sample(words, k=min(len(words), drawn.randint(1, 3))))
        assert steps.asked(found(typed)) == [expected(steps, typed)] * 2
        one, other = steps.asked(lambda session, step_id, typed=typed: queries.similar(session, step_id, typed))
        assert one == other
