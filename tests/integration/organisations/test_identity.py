"""The administrator keeps the organisation's identity and legal notice."""

import html

import pytest

from consult.actor import Role
from consult.audit.models import AuditEntry
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from consult.organisations import queries, service
from consult.organisations.models import Organisation
from consult.organisations.policy import LEGAL_NOTICE
from consult.settings import Settings
from tests import factories as f

PAGE = "/gestion/organisation"

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


@pytest.fixture
def organisation(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session, name="Agence des trajets")
        administrator = f.make_account(session, organisation, Role.ADMINISTRATOR)
        organisation.administrator = administrator
        return organisation


@pytest.fixture
def office(client, organisation):
    f.sign_in(client, organisation.administrator)
    return client


def send(client, **data):
    return client.post(PAGE, data={"csrf_token": f.csrf_token(client, PAGE), **data})


def kept(database) -> Organisation:
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        session.expire_on_commit = False
        return session.query(Organisation).one()


FILLED = {name: f"{name} rempli" for name in LEGAL_NOTICE} | {
    "name": "Agence des trajets", "contact_email": "contact@exemple.fr", "dpo_email": "dpd@exemple.fr",
    "access_register_email": "rssi@exemple.fr", "protected_names": "Jeanne Dupré",
}  # fmt: skip


def test_the_page_tells_what_the_legal_notice_lacks_until_it_is_filled(office, database):
    """AT-17.1."""
    assert "mentions légales sont incomplètes" in office.get(PAGE).text
    assert send(office, **FILLED).status_code == 303
    page = html.unescape(office.get(PAGE).text)
    assert "mentions légales sont incomplètes" not in page
    assert 'value="host_name rempli"' in page
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        (entry,) = session.query(AuditEntry).all()
        assert entry.action == "organisation.update"
        assert set(entry.detail["fields"]) == set(FILLED) - {"name"}


def test_saving_what_is_already_there_journals_nothing(office, database):
    send(office, **FILLED)
    send(office, **FILLED)
    with database.transaction(tenant=ALL_TENANTS, write=False) as session:
        assert session.query(AuditEntry).count() == 1


@one_database
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 201),
        ("contact_email", "pas une adresse"),
        ("access_register_email", "a@exemple.fr\r\nBcc: b@exemple.fr"),
        ("phone", "0" * 41),
        ("legal_address", "x" * 1001),
        ("protected_names", "x" * 4001),
    ],
)
def test_a_field_that_cannot_be_accepted_is_named_and_the_rest_is_kept(office, database, field, value):
    reply = send(office, **(FILLED | {field: value}))
    assert reply.status_code == 422
    assert "directeur" in html.unescape(reply.text).casefold()
    assert 'value="host_name rempli"' in html.unescape(reply.text)
    assert f'id="{field}-error"' in reply.text
    assert kept(database).host_name == ""


def test_fields_that_the_form_does_not_have_are_ignored(office, database, organisation):
    """AT-19.4."""
    send(office, **FILLED, slug="pris", id="0" * 32, fictional="1")
    after = kept(database)
    assert (after.slug, after.id, after.fictional) == (organisation.slug, organisation.id, False)


def test_hostile_text_is_shown_as_text(office):
    """AT-19.7."""
    send(office, **(FILLED | {"name": "<script>alert(1)</script>\0", "tagline": '"><img src=x onerror=alert(1)>'}))
    for path in (PAGE, "/", "/mentions-legales"):
        page = office.get(path).text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


@pytest.mark.parametrize("slug", ["", "Majuscule", "é", "a b", "a/b", "../a", "-a", "a--b", "a" * 3 + "-"])
def test_an_identifier_is_fit_for_an_address(session, slug):
    with pytest.raises(InvalidError) as refusal:
        service.create_organisation(session, slug=slug, name="Agence", now=f.NOW)
    assert set(refusal.value.fields) == {"slug"}


def test_organisations_are_created_once_and_found(session):
    first = service.create_organisation(session, slug="a", name=" Agence A ", now=f.NOW, phone="01 02 03 04 05")
    assert (first.name, first.phone) == ("Agence A", "01 02 03 04 05")
    with pytest.raises(InvalidError):
        service.create_organisation(session, slug="a", name="Autre", now=f.NOW)
    second = service.create_organisation(session, slug="b", name="Agence B", now=f.NOW)
    with pytest.raises(TypeError):
        service.create_organisation(session, slug="c", name="C", now=f.NOW, theme="noir")
    session.flush()
    assert queries.by_slug(session, "b").id == second.id
    assert queries.default(session, Settings()).id == first.id
    assert queries.default(session, Settings(organisation="b")).id == second.id
    assert queries.address_of(session, second, Settings()) == "http://127.0.0.1:8000/o/b"
    assert queries.address_of(session, first, Settings()) == "http://127.0.0.1:8000"
    assert [one.slug for one in queries.every(session)] == ["a", "b"]


@one_database
def test_nobody_takes_a_name_that_the_organisation_protects(office, app):
    """AT-18.2: said to the person, with the remedy, in the form as it was typed."""
    send(office, **FILLED)
    visitor = app.test_client()
    form = {"csrf_token": f.csrf_token(visitor, "/inscription"), "pseudonym": "jeanne.DUPRE", "email": "a@exemple.fr"}
    reply = visitor.post("/inscription", data=form | {"password": f.PASSWORD, "terms": "y"})
    assert reply.status_code == 422
    said = html.unescape(reply.text)
    assert "il rappelle «\u00a0Jeanne Dupré\u00a0». Choisissez-en un qui n’en contienne pas le nom." in said
    assert 'value="jeanne.DUPRE"' in said
