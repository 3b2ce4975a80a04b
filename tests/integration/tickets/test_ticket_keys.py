"""The administration's own tool, by its key: report, follow, write; and nothing without the key."""

import datetime as dt

import pytest
from sqlalchemy import select

from consult.actor import Actor, Role
from consult.audit.models import AuditEntry
from consult.db import ALL_TENANTS
from consult.opendata.keys import service as keys
from consult.opendata.keys.models import Scope
from consult.tickets.models import Ticket
from tests import factories as f

ROOT = "/api/private/tickets"
ANOMALY = {"kind": "anomaly", "severity": "blocking", "title": "Le vote ne répond plus", "body": "Erreur 500 à midi."}


class Tool:
    """A program with a key of an organisation, and one with a key of another."""

    def __init__(self, app):
        self.app, self.client = app, app.test_client()
        now = dt.datetime.now(dt.UTC)
        with self.writing() as session:
            session.expire_on_commit = False
            self.here = f.make_organisation(session, created_at=f.NOW.replace(year=2020))  # served at the root
            self.other, self.keys = f.make_organisation(session), {}
            uses = {"tickets": (self.here, Scope.TICKETS), "figures": (self.here, Scope.FIGURES)}
            for name, (organisation, scope) in (uses | {"other": (self.other, Scope.TICKETS)}).items():
                account = f.make_account(session, organisation, Role.ADMINISTRATOR)
                maker = Actor(account.id, account.pseudonym, roles=frozenset({Role.ADMINISTRATOR}))
                session.info["tenant"] = organisation.id
                _, self.keys[name] = keys.create(
                    session, organisation.id, name=name, scopes=[scope], days=30, actor=maker, now=now
                )
                session.info["tenant"] = ALL_TENANTS

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def ask(self, method, path="", *, key="tickets", **sent):
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        return self.client.open(path if path.startswith("/o/") else ROOT + path, method=method, headers=headers, **sent)

    def tickets(self):
        with self.writing() as session:
            return len(session.scalars(select(Ticket)).all())


@pytest.fixture
def tool(app) -> Tool:
    return Tool(app)


def test_an_anomaly_is_reported_followed_and_written_about(tool):
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    reply = tool.ask("POST", json=ANOMALY)
    assert reply.status_code == 201
    told = reply.json
    t0 = dt.datetime.fromisoformat(told["t0"])
    assert before <= t0 <= dt.datetime.now(dt.UTC)
    minutes = [(dt.datetime.fromisoformat(each["deadline"]) - t0).total_seconds() / 60 for each in told["clocks"]]
    assert minutes == [15, 240, 480, 1_440, 2_880]
    path = f"/{told['id']}"
    assert reply.headers["Location"].endswith(ROOT + path)
    assert tool.ask("POST", f"{path}/messages", json={"body": "Où en êtes-vous ?"}).status_code == 201
    changed = tool.ask("POST", f"{path}/severity", json={"severity": "minor", "reason": "Un contournement suffit."})
    assert (changed.status_code, changed.json["t0"]) == (200, told["t0"])
    whole = tool.ask("GET", path).json
    assert [each["kind"] for each in whole["history"]] == ["opened", "message", "severity"]
    assert {each["side"] for each in whole["history"]} == {"administration"}
    assert [each["body"] for each in whole["messages"]] == ["Où en êtes-vous ?"]
    with tool.writing() as session:
        journal = select(AuditEntry.action).where(AuditEntry.target_type == "ticket")
        acts = session.scalars(journal.order_by(AuditEntry.id))
        assert list(acts) == ["key.ticket", "key.ticket_message", "key.ticket_severity"]


def test_the_list_goes_on_from_the_last_number(tool):
    for _ in range(3):
        tool.ask("POST", json=ANOMALY)
    listed = tool.ask("GET").json
    assert ([each["number"] for each in listed["data"]], listed["next"]) == ([1, 2, 3], None)
    assert [each["number"] for each in tool.ask("GET", "?after=2").json["data"]] == [3]
    for bad in ("x", "-1", "²", "9" * 12):
        assert tool.ask("GET", f"?after={bad}").status_code == 422


@pytest.mark.parametrize(
    ("sent", "status", "field"),
    [
        ({"json": []}, 400, None), ({"data": "{"}, 400, None), ({"json": {}}, 422, "title"),
        ({"json": ANOMALY | {"t0": "2020-01-01T00:00:00Z"}}, 422, "t0"),
        ({"json": ANOMALY | {"severity": "worst"}}, 422, "severity"),
        ({"json": ANOMALY | {"severity": None}}, 422, "severity"),
        ({"json": ANOMALY | {"title": 7}}, 422, "title"), ({"json": ANOMALY | {"body": "court"}}, 422, "body"),
        ({"json": ANOMALY | {"kind": "assistance"}}, 422, "kind"),
    ],
)  # fmt: skip
def test_what_cannot_be_accepted_is_named_and_opens_nothing(tool, sent, status, field):
    reply = tool.ask("POST", **sent)
    assert (reply.status_code, reply.content_type) == (status, "application/problem+json")
    assert field is None or field in reply.text
    assert tool.tickets() == 0


def test_nothing_is_done_without_a_key_of_that_use_nor_by_a_session(tool):
    assert tool.ask("POST", json=ANOMALY, key="").status_code == 401
    assert tool.ask("POST", json=ANOMALY, key="figures").status_code == 403
    assert tool.ask("POST", json=ANOMALY, key="other").status_code == 401, "a key opens its own organisation"
    with tool.writing() as session:
        session.expire_on_commit = False
        admin = f.make_account(session, tool.here, Role.ADMINISTRATOR)
    f.sign_in(tool.client, admin)
    assert tool.ask("POST", json=ANOMALY, key="").status_code == 401
    assert tool.tickets() == 0


def test_a_key_of_another_organisation_reads_no_ticket(tool):
    ticket = tool.ask("POST", json=ANOMALY).json["id"]
    root = f"/o/{tool.other.slug}{ROOT}"
    assert tool.ask("GET", root, key="other").json["data"] == []
    assert tool.ask("GET", f"{root}/{ticket}", key="other").status_code == 404
    assert tool.ask("POST", f"{root}/{ticket}/messages", key="other", json={"body": "Bonjour"}).status_code == 404
    assert tool.ask("GET", f"/{ticket}", key="other").status_code == 401
