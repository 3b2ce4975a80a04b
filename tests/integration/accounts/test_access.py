"""Roles: who may give and withdraw them, what the register keeps, what is journalled and mailed."""

import csv
import html
import io
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select

from consult.accounts import queries as accounts
from consult.accounts.access import queries, service
from consult.accounts.labels import REGISTER_COLUMNS
from consult.accounts.models import Membership
from consult.actor import ORGANISATION_ROLES, PLATFORM_ROLES, SYSTEM, Actor, Role
from consult.audit.models import AuditEntry
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from tests import factories as f
from tests.integration.accounts.visits import post

PAGE = "/gestion/acces"
SITE = "https://consultation.example"

one_database = pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # judged before any query


@pytest.fixture
def administrator(make, organisation):
    return make(f.make_account, organisation, Role.ADMINISTRATOR, pseudonym="Cassiopée")


@pytest.fixture
def office(client, administrator):
    """The browser of the administrator."""
    f.sign_in(client, administrator)
    return client


def test_an_administrator_gives_a_role(office, make, organisation, administrator, rows, mails):
    """AT-4.3."""
    account = make(f.make_account, organisation, email="agent@exemple.fr", pseudonym="Orion")
    reply = post(office, PAGE, email="Agent+mot@Exemple.fr", role="moderator", scope="")
    assert reply.status_code == 303
    (held,) = rows(Membership, Membership.account_id == account.id)
    assert (held.role, held.consultation_id, held.granted_by_id) == (Role.MODERATOR, None, administrator.id)
    (entry,) = rows(AuditEntry)
    assert (entry.action, entry.account_id, entry.target_id) == ("access.grant", administrator.id, str(account.id))
    assert entry.detail == {"role": "moderator", "consultation": None}
    ((recipient, text),) = mails("accounts_access_register")
    assert recipient == "rssi@exemple.fr"
    assert "Orion;agent@exemple.fr;modérateur;toute l’organisation;" in text
    page = html.unescape(office.get(PAGE).text)
    assert "Orion" in page
    assert "par Cassiopée" in page


def test_a_role_can_be_kept_to_one_consultation(office, make, organisation, rows):
    consultation = make(f.make_consultation, organisation, title="Nos trajets")
    foreign = make(f.make_consultation, make(f.make_organisation))
    make(f.make_account, organisation, email="agent@exemple.fr")
    assert post(office, PAGE, email="agent@exemple.fr", role="analyst", scope=str(foreign.id)).status_code == 422
    assert post(office, PAGE, email="agent@exemple.fr", role="analyst", scope=str(consultation.id)).status_code == 303
    assert rows(Membership, Membership.role == Role.ANALYST)[0].consultation_id == consultation.id
    assert "Nos trajets" in office.get(PAGE).text


@one_database
@pytest.mark.parametrize("role", [*sorted(PLATFORM_ROLES), "participant", "anonymous", "", "root", "<script>"])
def test_platform_roles_are_not_given_from_the_web(office, make, organisation, rows, role):
    make(f.make_account, organisation, email="agent@exemple.fr")
    assert post(office, PAGE, email="agent@exemple.fr", role=role, scope="").status_code == 422
    assert len(rows(Membership)) == 1


@one_database
@pytest.mark.parametrize("email", ["inconnue@exemple.fr", "attente@exemple.fr", "pas-une-adresse", ""])
def test_only_a_confirmed_account_is_given_a_role_and_what_was_typed_is_kept(office, make, organisation, rows, email):
    make(f.make_account, organisation, email="attente@exemple.fr", confirmed_at=None)
    reply = post(office, PAGE, email=email, role="organiser", scope="")
    assert reply.status_code == 422
    assert f'value="{email}"' in reply.text
    assert '<option selected value="organiser">' in reply.text
    assert len(rows(Membership)) == 1


def test_a_role_already_held_is_a_conflict(office, make, organisation, rows):
    make(f.make_account, organisation, Role.READER, email="agent@exemple.fr")
    reply = post(office, PAGE, email="agent@exemple.fr", role="reader", scope="")
    assert reply.status_code == 409
    assert "a déjà ce rôle" in reply.text
    assert len(rows(Membership)) == 2


def test_nobody_raises_or_lowers_themselves(office, make, organisation, administrator, rows):
    reply = post(office, PAGE, email=administrator.email, role="moderator", scope="")
    assert reply.status_code == 403
    (own,) = rows(Membership)
    assert post(office, f"{PAGE}/{own.id}/retirer", page=PAGE, reason="essai").status_code == 403
    assert rows(Membership)[0].revoked_at is None


def test_a_role_is_withdrawn_for_a_reason_at_once(office, app, make, organisation, administrator, rows, mails):
    """AT-4.3."""
    account = make(f.make_account, organisation, Role.MODERATOR, pseudonym="Orion")
    (held,) = rows(Membership, Membership.account_id == account.id)
    agent = app.test_client()
    f.sign_in(agent, account)
    assert agent.get("/gestion/moderation").status_code == 200
    page = f"{PAGE}/{held.id}/retirer"
    assert "Orion" in office.get(page).text
    assert post(office, page, reason="  ").status_code == 422
    assert post(office, page, reason="x" * 301).status_code == 422
    assert post(office, page, reason="Départ du \0service").status_code == 303
    assert agent.get("/gestion/moderation").status_code == 403
    assert post(office, page, page=PAGE, reason="encore").status_code == 409
    (held,) = rows(Membership, Membership.account_id == account.id)
    assert (held.revoked_by_id, held.revocation_reason) == (administrator.id, "Départ du service")
    (entry,) = rows(AuditEntry)
    assert (entry.action, entry.reason) == ("access.revoke", "Départ du service")
    assert "Départ du service" in mails("accounts_access_register")[0][1]
    assert "Départ du service" in office.get(PAGE).text, "the register keeps withdrawn roles"


def test_roles_of_another_organisation_cannot_be_reached(office, make, rows):
    """AT-19.4."""
    other = make(f.make_account, make(f.make_organisation), Role.ADMINISTRATOR, Role.MODERATOR)
    for held in rows(Membership, Membership.account_id == other.id):
        assert office.get(f"{PAGE}/{held.id}/retirer").status_code == 404
        assert post(office, f"{PAGE}/{held.id}/retirer", page=PAGE, reason="x").status_code == 404
    assert office.get(f"{PAGE}/{uuid.uuid4()}/retirer").status_code == 404
    assert other.pseudonym not in office.get(PAGE).text


def test_the_last_administrator_stays(session):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation, Role.ADMINISTRATOR)
    ditp = Actor(account_id=f.make_account(session, organisation, Role.DITP).id, pseudonym="DITP")
    (held,) = session.query(Membership).all()
    with pytest.raises(ConflictError, match="au moins un administrateur"):
        service.revoke(session, organisation, held.id, reason="essai", actor=ditp, now=f.NOW, site=SITE)
    second = f.make_account(session, organisation)
    service.grant(session, organisation, second, Role.ADMINISTRATOR, actor=ditp, now=f.NOW, site=SITE)
    service.revoke(session, organisation, held.id, reason="essai", actor=ditp, now=f.NOW, site=SITE)
    assert queries.administrators(session, organisation.id) == {second.id}
    service.grant(session, organisation, account, Role.ADMINISTRATOR, actor=SYSTEM, now=f.NOW, site=SITE)
    assert queries.administrators(session, organisation.id) == {second.id, account.id}, "given again: a second line"


def test_two_administrators_who_withdraw_each_other_leave_one(database, make, organisation):
    accounts = [make(f.make_account, organisation, Role.ADMINISTRATOR) for _ in range(2)]
    barrier = Barrier(2)

    def withdraw(by, of):
        with database.transaction(tenant=organisation.id) as session:
            (held,) = session.scalars(select(Membership.id).where(Membership.account_id == of.id))
            session.rollback()
            barrier.wait()
            try:
                actor = Actor(by.id, by.pseudonym, roles=frozenset({Role.ADMINISTRATOR}))
                service.revoke(session, organisation, held, reason="essai", actor=actor, now=f.NOW, site=SITE)
            except ConflictError:
                return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(withdraw, accounts, reversed(accounts))) == [False, True]


def test_services_refuse_what_the_pages_do_not_offer(session):
    organisation, other = f.make_organisation(session), f.make_organisation(session)
    account, foreign = f.make_account(session, organisation), f.make_account(session, other)
    consultation = f.make_consultation(session, other)
    give = {"actor": SYSTEM, "now": f.NOW, "site": SITE}
    for role in set(Role) - ORGANISATION_ROLES:
        with pytest.raises(InvalidError):
            service.grant(session, organisation, account, role, **give)
    with pytest.raises(NotFoundError):
        service.grant(session, organisation, foreign, Role.READER, **give)
    with pytest.raises(NotFoundError):
        service.grant(session, organisation, account, Role.READER, consultation_id=consultation.id, **give)
    with pytest.raises(InvalidError):
        service.grant_platform(session, account, Role.ADMINISTRATOR, now=f.NOW)
    with pytest.raises(ForbiddenError):
        oneself = give | {"actor": Actor(account_id=account.id)}
        service.grant(session, organisation, account, Role.READER, **oneself)
    assert session.query(Membership).count() == 0


def test_platform_roles_come_and_go_by_the_command_line(session):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation)
    service.grant_platform(session, account, Role.DITP, now=f.NOW)
    with pytest.raises(ConflictError):
        service.grant_platform(session, account, Role.DITP, now=f.NOW)
    assert accounts.staff_roles(session, account.id) == {Role.DITP}
    service.revoke_platform(session, account, Role.DITP, now=f.NOW)
    with pytest.raises(NotFoundError):
        service.revoke_platform(session, account, Role.DITP, now=f.NOW)
    service.grant_platform(session, account, Role.DITP, now=f.NOW)
    lines = queries.register(session, organisation.id, {})
    assert [line.revoked_at is None for line in lines] == [True, False]
    assert {line.granted_by for line in lines} == {"ligne de commande"}
    assert [entry.action for entry in session.query(AuditEntry)] == ["access.grant", "access.revoke", "access.grant"]


def test_the_register_is_exported_for_spreadsheets_without_formulas(office, make, organisation, rows, database):
    """AT-4.3, AT-19.8."""
    make(f.make_account, organisation, Role.READER, pseudonym="-1+2", email="=cmd@exemple.fr")
    with database.transaction(tenant=ALL_TENANTS) as session:
        held = session.query(Membership).filter_by(role=Role.READER).one()
        held.revoked_at, held.revocation_reason = f.NOW, '=HYPERLINK("https://ailleurs.example";"x")\nsuite; fin'
    reply = office.get(f"{PAGE}/registre.csv")
    assert reply.mimetype == "text/csv"
    assert "attachment; filename=" in reply.headers["Content-Disposition"]
    assert reply.headers["Cache-Control"] == "no-store"
    lines = list(csv.reader(io.StringIO(reply.data.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert tuple(lines[0]) == REGISTER_COLUMNS
    assert len(lines) == 3
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for line in lines[1:] for cell in line)
    assert lines[2][-1] == '\'=HYPERLINK("https://ailleurs.example";"x")\nsuite; fin'


def test_without_an_address_for_the_register_nothing_is_mailed_and_the_page_says_so(
    office, make, organisation, database, mails
):
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.get(type(organisation), organisation.id).access_register_email = ""
    make(f.make_account, organisation, email="agent@exemple.fr")
    assert post(office, PAGE, email="agent@exemple.fr", role="reader", scope="").status_code == 303
    assert mails("accounts_access_register") == []
    assert "Aucune adresse ne reçoit le registre" in office.get(PAGE).text
