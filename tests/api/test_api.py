"""The public API: the same rows as the datasets and the dump, in pages, with what a reuser must be told."""

import json
import re
import uuid

import pytest
from sqlalchemy import select

from consult.contributions.models import Proposal
from consult.opendata import envelopes
from consult.registry import service as registry
from consult.registry.models import EntryKind
from tests import factories
from tests.api.conftest import SECRETS

LISTS = [*envelopes.ROWS]
BASE = "/api/v1/consultations/essai"


def walk(client, address, limit=2):
    """Every row of a list, page by page."""
    rows, cursor = [], ""
    while True:
        reply = client.get(address, query_string={"limit": limit, "cursor": cursor})
        assert reply.status_code == 200, reply.text
        rows += reply.json["data"]
        assert len(reply.json["data"]) <= limit
        cursor = reply.json["next"]
        if cursor is None:
            return rows


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_its_dataset_row_for_row(app, client, filled, database, name):
    """AT-20.10."""
    dataset = app.extensions["bindings"].public_datasets[name]
    with database.session(write=False, tenant=filled.organisation_id) as session:
        expected = [dict(row) for row in dataset.rows(session, filled.consultation_id)]
    assert expected, "the fixture has rows of every list"
    assert walk(client, f"{BASE}/{name}", limit=1) == expected == walk(client, f"{BASE}/{name}", limit=500)


def test_every_schema_has_the_columns_of_its_dataset(app):
    datasets = app.extensions["bindings"].public_datasets
    for name, reply in envelopes.ROWS.items():
        row = reply.model_fields["data"].annotation.__args__[0]
        assert list(row.model_fields) == list(datasets[name].columns), name
    assert set(datasets) == {*envelopes.ROWS, "consultation"}


def test_every_reply_tells_its_licence_source_position_and_last_update(client, filled, database):
    """AT-20.7."""
    with database.transaction(tenant=filled.organisation_id) as session:
        registry.append(
            session,
            organisation_id=filled.organisation_id,
            consultation_id=filled.consultation_id,
            kind=EntryKind.CONTENT,
            content={"a": 1},
            now=factories.NOW,
        )
    addresses = [f"{BASE}/{name}" for name in (*LISTS, "questionnaires", "exports")]
    for address in (*addresses, BASE, "/api/v1/consultations"):
        body = client.get(address).json
        assert body["licence"] == "etalab-2.0"
        assert body["position"] is None
        assert body["updated_at"] == "2026-03-02T09:00:00Z"
        assert body["source"].startswith("http://127.0.0.1:8000/consultations")
    assert client.get("/api/v1/version").json["licence"] == "etalab-2.0"


def test_walking_a_list_while_rows_are_added_gives_each_one_once(client, filled, database):
    """AT-20.9."""
    before = {row["id"] for row in walk(client, f"{BASE}/contributions")}
    seen, cursor, added = [], "", 0
    while cursor is not None:
        body = client.get(f"{BASE}/contributions", query_string={"limit": 1, "cursor": cursor}).json
        seen += [row["id"] for row in body["data"]]
        cursor = body["next"]
        if added < 8:
            added += 1
            with database.transaction(tenant=filled.organisation_id) as session:
                step = session.scalars(select(Proposal).limit(1)).one()
                session.add(
                    Proposal(
                        **{name: getattr(step, name) for name in ("consultation_id", "step_id", "random_rank")},
                        title="Ajout",
                        body="t",
                        created_at=factories.NOW,
                    )
                )
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_questionnaires_hold_their_questions_in_order(client, filled):
    (questionnaire,) = client.get(f"{BASE}/questionnaires").json["data"]
    positions = [question["position"] for question in questionnaire["questions"]]
    assert positions == sorted(positions)
    assert {question["visibility"] for question in questionnaire["questions"]} == {
        "rows",
        "aggregates",
        "administration",
    }


def test_no_secret_and_no_hidden_text_comes_out(client, filled):
    """AT-21.5."""
    names = (*LISTS, "questionnaires", "exports")
    texts = [client.get(f"{BASE}/{name}", query_string={"limit": 500}).text for name in LISTS]
    texts += [client.get(address).text for address in (BASE, "/api/v1/consultations", "/donnees-ouvertes")]
    everything = "".join(json.dumps(json.loads(text), ensure_ascii=False) if text[0] == "{" else text for text in texts)
    for secret in (*SECRETS, str(filled.account_id), filled.account_id.hex):
        assert secret not in everything, secret
    assert names


@pytest.mark.parametrize("slug", ["brouillon", "ailleurs", "rien", "%00", "a" * 3000, "..%2F..", "'; --"])
def test_drafts_other_organisations_and_nothing_are_the_same_404(client, filled, slug):
    for address in ("", "/contributions", "/exports", "/questionnaires"):
        reply = client.get(f"/api/v1/consultations/{slug}{address}")
        assert reply.status_code == 404
        assert reply.mimetype == "application/problem+json"
    assert client.get("/o/autre/api/v1/consultations/essai").status_code == 404
    assert client.get("/o/autre/api/v1/consultations/ailleurs").status_code == 200


def test_lists_of_consultations_hold_only_public_ones(client, filled):
    assert [row["slug"] for row in walk(client, "/api/v1/consultations", limit=1)] == ["essai"]


# Bad arguments


@pytest.mark.parametrize(
    ("query", "field", "words"),
    [
        ("limit=0", "limit", "de 1 à 500"),
        ("limit=501", "limit", "de 1 à 500"),
        ("limit=x", "limit", "de 1 à 500"),
        ("limit=1e99999", "limit", "de 1 à 500"),
        ("cursor=abc", "cursor", "reprenez au début"),
        ("cursor=%00%ff", "cursor", "reprenez au début"),
        ("cursor=" + "x" * 600, "cursor", "reprenez au début"),
        ("offset=3", "offset", "paramètre inconnu"),
    ],
)
def test_a_bad_argument_is_told_in_french_as_a_problem(client, filled, query, field, words):
    reply = client.get(f"{BASE}/contributions?{query}")
    assert reply.status_code == 422
    assert reply.mimetype == "application/problem+json"
    assert set(reply.json) >= {"type", "title", "status", "detail", "instance", "errors"}
    assert reply.json["errors"][0]["field"] == field
    assert words in reply.json["errors"][0]["detail"]


def test_a_cursor_serves_only_the_list_that_gave_it(client, filled):
    cursor = client.get(f"{BASE}/contributions?limit=1").json["next"]
    assert client.get(f"{BASE}/contributions", query_string={"cursor": cursor}).status_code == 200
    assert client.get(f"{BASE}/votes", query_string={"cursor": cursor}).status_code == 422
    middle = len(cursor) // 2  # the last characters of base64 may say the same bytes in several ways
    forged = cursor[:middle] + ("A" if cursor[middle] != "A" else "B") + cursor[middle + 1 :]
    assert client.get(f"{BASE}/contributions", query_string={"cursor": forged}).status_code == 422


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_is_written_through_the_public_api(client, filled, method):
    reply = getattr(client, method)(f"{BASE}/contributions", json={})
    assert reply.status_code in {403, 405}
    assert reply.mimetype == "application/problem+json"
    assert "Access-Control-Allow-Origin" not in reply.headers


# Headers


def test_an_etag_spares_the_bytes_of_what_has_not_changed(client, filled, database):
    first = client.get(f"{BASE}/contributions")
    again = client.get(f"{BASE}/contributions", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with database.transaction(tenant=filled.organisation_id) as session:
        session.scalars(select(Proposal).where(Proposal.title == "Visible")).one().votes_for = 7
    changed = client.get(f"{BASE}/contributions", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_any_site_may_read_anonymously_and_only_so(client, filled, database):
    reply = client.get(f"{BASE}/votes")
    assert reply.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in reply.headers
    assert "Set-Cookie" not in reply.headers
    assert re.match("noindex", reply.headers["X-Robots-Tag"])
    assert "Access-Control-Allow-Origin" not in client.get(f"{BASE}/votes?limit=0").headers
    with database.transaction(tenant=filled.organisation_id) as session:
        organisation = type("Org", (), {"id": filled.organisation_id})
        account = factories.make_account(session, organisation)
        session.expunge_all()
    factories.sign_in(client, account)
    assert "Access-Control-Allow-Origin" not in client.get(f"{BASE}/votes").headers


@pytest.mark.slow
def test_a_reader_in_a_hurry_is_asked_to_wait(settings, filled):
    import dataclasses

    from consult.app import create_app

    app = create_app(dataclasses.replace(settings, rate_limits=True))
    with app.test_client() as client:
        statuses = [client.get("/api/v1/version").status_code for _ in range(301)]
        assert statuses[:300] == [200] * 300
        reply = client.get("/api/v1/version")
    app.extensions["database"].dispose()
    assert statuses[300] == reply.status_code == 429
    assert int(reply.headers["Retry-After"]) > 0
    assert reply.mimetype == "application/problem+json"


def test_a_list_is_read_in_a_bounded_number_of_queries(app, client, filled, database):
    from sqlalchemy import event

    with database.transaction(tenant=filled.organisation_id) as session:
        model = session.scalars(select(Proposal).filter_by(consultation_id=filled.consultation_id).limit(1)).one()
        shared = {name: getattr(model, name) for name in ("consultation_id", "step_id", "random_rank")}
        session.add_all(
            Proposal(**shared, id=uuid.uuid4(), title=f"T{n}", body="t", created_at=factories.NOW) for n in range(300)
        )
    statements = []
    for engine in app.extensions["database"].engines:
        event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(client.get(f"{BASE}/contributions?limit=300").json["data"]) == 300
    assert len([each for each in statements if each.startswith("SELECT")]) <= 10
