"""Reading consultations: by pages, whole, whatever their number, for the public and for those who manage them."""

import datetime as dt
import xml.etree.ElementTree as ET

import pytest
from sqlalchemy import event

from consult.actor import Actor, Role
from consult.consultations import policy, queries
from consult.consultations.models import ConsultationStatus
from consult.db import ALL_TENANTS
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.site import views as site
from tests import factories
from tests.registers import settle

DAY = dt.timedelta(days=1)
MANY = 130


def test_a_role_on_an_old_consultation_finds_it_among_many(session):
    organisation = factories.make_organisation(session)
    session.info["tenant"] = organisation.id
    old, *others = [
        factories.make_consultation(session, organisation, created_at=factories.NOW + dt.timedelta(minutes=rank))
        for rank in range(queries.PAGE_SIZE + 1)
    ]
    scoped = Actor(by_consultation={old.id: frozenset({Role.MODERATOR})})
    assert queries.staff_consultations(session, scoped).rows == [old]
    organiser = Actor(roles=frozenset({Role.ORGANISER}))
    first, second = (queries.staff_consultations(session, organiser, page=page) for page in (1, 2))
    assert [*first.rows, *second.rows] == [*reversed(others), old]
    assert queries.staff_consultations(session, Actor()).rows == []


def test_lists_and_home_tell_phases_as_the_policy_does(session):
    """One order in the database, one rule in the policy: they agree on every state and edge."""
    organisation = factories.make_organisation(session)
    session.info["tenant"] = organisation.id
    now = factories.NOW
    dates = [(a, b) for a in (-2, 0, 1) for b in (-1, 0, 3, 5) if a < b]
    for opens, closes in dates:
        for state in ({"status": "open"}, {"status": "closed", "closed_at": now - DAY}):
            span = {"opens_at": now + opens * DAY, "closes_at": now + closes * DAY}
            factories.make_consultation(session, organisation, **span, **state)
    factories.make_consultation(session, organisation, opened=False)
    whole = queries.public_consultations(session, now, page=1, size=100)
    assert whole.total == len(dates) * 2
    phases = [policy.phase(each, now) for each in whole.rows]
    assert phases == sorted(phases, key=queries.PHASES.index)
    grouped = queries.by_phase(whole.rows, now)
    assert queries.first_public(session, now, 100) == grouped
    assert queries.first_public(session, now, 2) == {phase: found[:2] for phase, found in grouped.items()}
    ends = [each.closes_at for each in grouped[policy.Phase.OPEN]]
    openings = [each.opens_at for each in grouped[policy.Phase.UPCOMING]]
    last = [each.closed_at or each.closes_at for each in grouped[policy.Phase.CLOSED]]
    assert (ends, openings, last) == (sorted(ends), sorted(openings), sorted(last, reverse=True))
    assert all(grouped.values())


@pytest.fixture
def many(database):
    """More public consultations than lists used to show, a draft, and another organisation's."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = factories.make_organisation(session, slug="agence")
        found = {factories.make_consultation(session, organisation, slug=f"c-{n}").slug for n in range(MANY)}
        factories.make_consultation(session, organisation, slug="brouillon", opened=False)
        factories.make_consultation(session, factories.make_organisation(session), slug="ailleurs")
        account = factories.make_account(session, organisation, Role.ORGANISER)
        session.expunge(account)
    return found, account


def walked(client, path, selects):
    """The slugs that a list links to, over all its pages, and the most queries that a page took."""
    seen, most, page = [], 0, 1
    while True:
        selects.clear()
        html = client.get(f"{path}?page={page}").get_data(as_text=True)
        most = max(most, len(selects))
        found = [part.split('"')[0] for part in html.split("/consultations/")[1:]]
        seen += dict.fromkeys(each for each in found if each.startswith(("c-", "brouillon", "ailleurs")))
        if 'rel="next"' not in html:
            return seen, most
        page += 1


@pytest.fixture
def selects(app):
    statements = []
    for engine in app.extensions["database"].engines:
        event.listen(
            engine,
            "before_cursor_execute",
            lambda *args: statements.append(args[2]) if args[2].startswith("SELECT") else None,
        )
    return statements


@pytest.mark.parametrize("path", ["/consultations", "/plan-du-site", "/donnees-ouvertes"])
def test_every_public_consultation_is_on_a_page_in_a_bounded_number_of_queries(client, many, selects, path):
    seen, most = walked(client, path, selects)
    assert sorted(seen) == sorted(many[0])
    assert most <= 12
    assert client.get(f"{path}?page=999999").status_code == client.get(f"{path}?page=-1").status_code == 200


def test_the_home_page_shows_the_first_ones_and_leads_to_all(client, many, selects):
    html = client.get("/").get_data(as_text=True)
    assert html.count('href="/consultations/c-') == 12
    assert "Toutes les consultations" in html
    assert len(selects) <= 12


@pytest.mark.parametrize("path", ["/gestion", "/gestion/donnees-ouvertes"])
def test_staff_reach_every_consultation(client, many, selects, path):
    factories.sign_in(client, many[1])
    page, titles = 1, 0
    while True:
        selects.clear()
        html = client.get(f"{path}?page={page}").get_data(as_text=True)
        assert len(selects) <= 14
        titles += html.count(">Consultation ")
        if 'rel="next"' not in html:
            break
        page += 1
    assert titles == MANY + (path == "/gestion"), "drafts are managed, and have no open data"


def test_the_api_reads_every_consultation_by_its_cursor(client, many, selects):
    seen, cursor = [], ""
    while cursor is not None:
        selects.clear()
        reply = client.get("/api/v1/consultations", query_string={"limit": 50, "cursor": cursor}).json
        assert len(selects) <= 6
        seen += [row["slug"] for row in reply["data"]]
        cursor = reply["next"]
    assert sorted(seen) == sorted(many[0])


def test_the_map_for_robots_holds_them_all_in_files_of_a_bounded_size(client, many, selects, monkeypatch):
    """AT-8.3."""

    def places(address):
        return [place.text for place in ET.fromstring(client.get(address).data).findall(".//{*}loc")]

    def slugs(found):
        return sorted(place.rpartition("/")[2] for place in found if "/consultations/" in place)

    assert slugs(places("/sitemap.xml")) == sorted(many[0])
    monkeypatch.setattr(site, "SITEMAP_SIZE", 50)
    files = [address.removeprefix("http://127.0.0.1:8000") for address in places("/sitemap.xml")]
    assert files == [f"/sitemap.xml?page={n}" for n in (1, 2, 3)]
    selects.clear()
    held = [slugs(places(address)) for address in files]
    assert [len(each) for each in held] == [50, 50, 30]
    assert sorted(slug for each in held for slug in each) == sorted(many[0])
    assert client.get("/sitemap.xml?page=4").status_code == 404
    assert len(selects) <= 30


def test_a_draft_has_no_census_until_it_opens(session):
    """What an import brings to it is public nowhere: not even its identifier (`/registry/<organisation>/census`)."""
    whole = factories.make_consultation(session, factories.make_organisation(session), opened=False)

    def log() -> dict:
        registry.append(
            session, organisation_id=whole.organisation_id, consultation_id=whole.id, kind=EntryKind.CONTENT,
            content={"import": "x"}, now=factories.NOW, effect=conservation.flow("proposal", "imported", "submitted"),
        )  # fmt: skip
        settle(session)
        return {key: [line.logged for line in lines] for key, lines in conservation.all_of(session).items()}

    assert log() == {}
    whole.status, whole.opened_at = ConsultationStatus.OPEN, factories.NOW
    assert log() == {whole.id: [2]}
