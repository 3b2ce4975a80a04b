"""The index on both databases: the same words find the same contents."""

import uuid

import pytest
from sqlalchemy import select, text

from consult.search import queries, service
from consult.search.models import SearchDocument
from tests import factories

TEXTS = {
    "gare": "Rouvrir les petites gares : des trains toutes les heures",
    "école": "Des pistes cyclables devant chaque école primaire",
    "travaux": "Annoncer les travaux 15 jours avant",
    "œuvre": "Mettre en œuvre l’œuvre",
}


@pytest.fixture
def step(session):
    return factories.make_step(session, factories.make_consultation(session, factories.make_organisation(session)))


@pytest.fixture
def ids(session, step):
    ids = {name: uuid.uuid4() for name in TEXTS}
    for name, written in TEXTS.items():
        service.index(session, organisation_id=step.organisation_id, step_id=step.id, item_id=ids[name], text=written)
    return ids


def found(session, step, typed):
    return set(session.scalars(queries.find(session, step.id, typed)))


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("gare", {"gare"}),
        ("GARES train", {"gare"}),
        ("les écoles", {"école"}),
        ("piste travail", set()),
        ("travail", {"travaux"}),
        ("15", {"travaux"}),
        ("oeuvres", {"œuvre"}),
        ("inconnu", set()),
        ("🚲", set()),
        ("' OR \" * NEAR & | ! ()", set()),
    ],
)
def test_contents_that_hold_every_word_are_found(session, step, ids, typed, names):
    assert found(session, step, typed) == {ids[name] for name in names}


def test_a_new_text_replaces_the_old_and_removal_forgets(session, step, ids):
    service.index(
        session, organisation_id=step.organisation_id, step_id=step.id, item_id=ids["gare"], text="Des bus la nuit"
    )
    assert found(session, step, "train") == set()
    assert found(session, step, "nuit") == {ids["gare"]}
    service.remove(session, ids["gare"])
    service.remove(session, ids["gare"])
    assert found(session, step, "nuit") == set()


def test_another_step_is_not_searched(session, step, ids):
    other = factories.make_step(session, factories.make_consultation(session, factories.make_organisation(session)))
    assert found(session, other, "gare") == set()


def test_deleting_the_step_forgets_its_words(session, step, ids):
    session.execute(text("DELETE FROM step WHERE id = :id"), {"id": step.id.hex if is_sqlite(session) else step.id})
    assert session.scalars(select(SearchDocument)).all() == []
    if is_sqlite(session):
        assert session.scalar(text("SELECT count(*) FROM search_words WHERE search_words MATCH 'gare'")) == 0


def is_sqlite(session):
    return session.get_bind().dialect.name == "sqlite"


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("Des trains toutes les heures dans les petites gares", ["gare"]),
        ("Une piste cyclable pour l’école primaire", ["école"]),
        ("Rouvrir des écoles primaires", ["école"]),
        ("Des trains pour partir en vacances au bord de la mer", []),
        ("inconnu", []),
        ("🚲", []),
        ("", []),
    ],
)
def test_texts_that_say_much_the_same_are_found_the_closest_first(session, step, ids, typed, names):
    assert queries.similar(session, step.id, typed) == [ids[name] for name in names]


def test_a_word_that_all_hold_makes_no_two_texts_alike(session, step, monkeypatch):
    monkeypatch.setattr(queries, "_COMMON", 20)
    rare = uuid.uuid4()
    texts = [(uuid.uuid4(), f"Le vélo numero{rank}") for rank in range(40)] + [(rare, "Le vélo cargo électrique")]
    service.index_many(session, organisation_id=step.organisation_id, step_id=step.id, texts=texts)
    assert queries.similar(session, step.id, "Vélo cargo électrique") == [rare]
    assert queries.similar(session, step.id, "Vélo pliant, trottinette, patinette") == []
    assert queries.similar(session, step.id, "Vélo") == []


def test_likeness_stays_within_a_step(session, step, ids):
    other = factories.make_step(session, factories.make_consultation(session, factories.make_organisation(session)))
    assert queries.similar(session, other.id, TEXTS["gare"]) == []
