"""Cases: what was typed, and figures that nobody types (AT-11.1, AT-11.2)."""

import csv
import datetime as dt
import io

import pytest

from consult.consultations.models import ConsultationStatus
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from consult.followup import cases
from consult.followup.models import UseCase
from consult.registry import service as registry
from consult.registry.models import EntryKind
from tests import factories as f
from tests.registers import settle

AFTER = dt.timedelta(days=60)


def close(world):
    world.now += AFTER
    world.consultation.status = ConsultationStatus.CLOSED
    world.consultation.closed_at = world.now


def test_AT_11_2_a_case_waits_for_the_end_of_its_consultation(world):
    case = world.case()
    with pytest.raises(InvalidError, match="pas terminée"):
        world.publish(case)
    close(world)
    world.publish(case)
    ((kind, told),) = world.entries()
    assert (kind, told["case"], told["version"]) == ("case", str(case.id), 1)


def test_AT_11_2_figures_are_those_of_the_consultation_where_the_log_stands(world, app):
    """What is hidden afterwards is counted no more, at a later position; the seal is named."""
    f.make_argument(world.session, world.proposal)
    close(world)
    case = world.publish(world.case())
    registry.append(
        world.session, organisation_id=world.organisation.id, consultation_id=world.consultation.id,
        kind=EntryKind.SEALED, content={"closed_at": "", "entries": {}}, now=world.now,
    )  # fmt: skip
    settle(world.session)
    case = world.session.get(UseCase, case.id)
    (row,) = cases.rows(world.session, [case], app.extensions["bindings"].step_kinds)
    assert list(cases.COLUMNS) == sorted(row, key=list(cases.COLUMNS).index)
    assert (row["contributions"], row["arguments"], row["votes"], row["replies"]) == (1, 1, 0, 0)
    assert (row["position"], row["sealed"]) == (1, 1)


def test_a_case_ends_after_it_starts(world):
    with pytest.raises(InvalidError) as refusal:
        world.case(starts_on=dt.date(2026, 3, 2), ends_on=dt.date(2026, 3, 1))
    assert list(refusal.value.fields) == ["ends_on"]


@pytest.fixture
def told(database):
    """Three cases, one of them a draft, one taken back, and one of another organisation."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session)
        over = {"status": ConsultationStatus.CLOSED, "closed_at": f.NOW}
        consultation = f.make_consultation(session, organisation, **over)
        f.make_proposal(session, f.make_step(session, consultation))
        gone = {"status": "withdrawn", "withdrawn_at": f.NOW, "withdrawal_reason": "Une erreur de partenaire."}
        made = {
            "trains": f.make_case(session, consultation, title="=Des trains", theme="Transports", partner="Région"),
            "schools": f.make_case(session, consultation, title="Des écoles", theme="Éducation"),
            "draft": f.make_case(session, consultation, published=False, title="Un brouillon"),
            "gone": f.make_case(session, consultation, title="Un cas retiré", **gone),
            "elsewhere": f.make_case(session, f.make_consultation(session, f.make_organisation(session), **over)),
        }
        unopened = f.make_consultation(session, organisation, opened=False)
        made["unopened"] = f.make_case(session, unopened, title="Trop tôt")
    return made


def test_AT_11_1_the_public_list_is_filtered_and_others_are_nowhere(client, told):
    page = client.get("/cas-d-usage").text
    assert "=Des trains" in page
    assert "Des écoles" in page
    for hidden in ("Un brouillon", "Un cas retiré", "Trop tôt"):
        assert hidden not in page
    transports = client.get("/cas-d-usage", query_string={"theme": "Transports", "partner": "Région"}).text
    assert ("=Des trains" in transports, "Des écoles" in transports) == (True, False)
    nothing = client.get("/cas-d-usage", query_string={"theme": "Transports", "partner": "Direction des mobilités"})
    assert "Aucun cas ne correspond" in nothing.text


def test_AT_11_2_unpublished_cases_are_not_found_and_what_was_taken_back_says_why(client, told):
    found = {name: client.get(f"/cas-d-usage/{case.id}") for name, case in told.items()}
    statuses = {name: reply.status_code for name, reply in found.items()}
    assert statuses == {
        "trains": 200, "schools": 200, "draft": 404, "gone": 410, "elsewhere": 404, "unopened": 404,
    }  # fmt: skip
    assert "Une erreur de partenaire." in found["gone"].text
    assert "Un cas retiré" not in found["gone"].text


def test_AT_11_1_json_and_csv_say_the_same(client, told):
    listed, cursor = [], ""
    while cursor is not None:
        reply = client.get("/api/v1/cases", query_string={"limit": 1, "cursor": cursor})
        assert reply.status_code == 200, reply.text
        listed += reply.json["data"]
        cursor = reply.json["next"]
    assert {row["title"] for row in listed} == {"=Des trains", "Des écoles"}
    assert reply.json["source"].endswith("/cas-d-usage")
    only = client.get("/api/v1/cases", query_string={"theme": "Éducation"}).json["data"]
    assert [row["title"] for row in only] == ["Des écoles"]
    text = client.get("/cas-d-usage.csv")
    assert text.mimetype == "text/csv"
    rows = list(csv.DictReader(io.StringIO(text.text)))
    for row, line in zip(listed, rows, strict=True):
        assert list(line) == list(cases.COLUMNS)
        assert line["title"].removeprefix("'") == row["title"]
        assert line["contributions"] == str(row["contributions"]) == "1"
    assert "'=Des trains" in {line["title"] for line in rows}
