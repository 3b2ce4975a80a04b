"""Every endpoint × every role, compared with `roles.yaml` (AT-4.2); every unsafe one without its token (AT-19.3).

An endpoint that the table does not list fails, so does a line that names none.
"""

import hmac
import uuid
from pathlib import Path

import pytest
import yaml

from consult import security
from consult.actor import Role
from consult.db import ALL_TENANTS
from consult.errors import text_for
from tests import factories as f

TABLE = yaml.safe_load(Path(__file__).with_name("roles.yaml").read_text(encoding="utf-8"))
STAFF = (
    *(Role.MODERATOR, Role.ANALYST, Role.DECISION_MAKER, Role.ORGANISER, Role.ADMINISTRATOR),
    *(Role.DITP, Role.OPERATOR),
)
PEOPLE = ("anonymous", "participant", *(role.value for role in STAFF), "without_factor", "of_another_organisation")
SKIPPED_METHODS = {"HEAD", "OPTIONS"}

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]  # no query differs


class Town:
    """One organisation with a consultation, one person of each role, and another organisation's administrator."""

    def __init__(self, app) -> None:
        self.app = app
        self.database = app.extensions["database"]
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            here, elsewhere = f.make_organisation(session), f.make_organisation(session)
            consultation = f.make_consultation(session, here, opened=False)
            self.step = f.make_step(session, consultation)
            self.consultation = consultation
            self.accounts = {role.value: f.make_account(session, here, role) for role in STAFF}
            self.accounts["participant"] = f.make_account(session, here)
            self.accounts["without_factor"] = f.make_account(session, here, Role.ADMINISTRATOR, totp_enrolled_at=None)
            self.accounts["of_another_organisation"] = f.make_account(session, elsewhere, Role.ADMINISTRATOR)

    def ask(self, person: str, rule, method: str, *, csrf: bool = True):
        """Send one request as that person, in a new session."""
        client = self.app.test_client()
        secret = None
        if person in self.accounts:
            secret = f.sign_in(client, self.accounts[person])
        if person in {"anonymous", "of_another_organisation"}:
            with client.session_transaction() as form_cookie:
                secret = form_cookie["csrf"] = "a form of this browser"
        key = self.app.config["SECRET_KEY"].encode()
        token = hmac.new(key, f"csrf:{secret}".encode(), "sha256").hexdigest()
        headers = {"X-CSRF-Token": token} if csrf else {}
        return client.open(self.address(rule), method=method, headers=headers)

    def address(self, rule) -> str:
        known = {"slug": self.consultation.slug, "step_slug": self.step.slug, "extension": "ttl"}
        known["desk"] = "reponses-officielles"
        values = {}
        for name, converter in rule._converters.items():
            kind = type(converter).__name__
            values[name] = {"UUIDConverter": uuid.UUID(int=7), "IntegerConverter": 1}.get(kind, known.get(name, "rien"))
        _, path = rule.build(values)
        return path


@pytest.fixture
def town(app) -> Town:
    return Town(app)


def rules(app):
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted(rule.methods - SKIPPED_METHODS)
    ]


def refused(reply) -> bool:
    """Whether the gate, not the view, turned the person away."""
    if reply.status_code == 303:
        return reply.location.startswith(("/connexion?", "/connexion#", "/gestion/second-facteur")) or (
            reply.location == "/connexion" and "session" not in reply.headers.get("Set-Cookie", "")
        )
    return reply.status_code == 401 or (reply.status_code == 403 and text_for(403).message in reply.text)


def expected(endpoint: str, person: str) -> bool:
    allowed = TABLE[endpoint]
    if allowed == "anyone":
        return True
    if allowed == "key" or person in {"anonymous", "of_another_organisation"}:
        return False
    if allowed == "password":
        return True
    return person != "without_factor" and (allowed == "account" or person in allowed)


def test_the_table_lists_every_endpoint_and_no_other(app):
    """AT-4.2."""
    assert set(TABLE) == {rule.endpoint for rule, _ in rules(app)}


def test_every_endpoint_declares_its_access(app):
    """AT-4.2: deny by default."""
    undeclared = [
        rule.endpoint for rule, _ in rules(app) if security.access_of(app.view_functions[rule.endpoint]) is None
    ]
    assert undeclared == []


@pytest.mark.parametrize("person", PEOPLE)
def test_each_person_reaches_what_the_table_says_and_nothing_else(town, person):
    """AT-4.2, AT-D.5 (`without_factor`), tenant isolation (`of_another_organisation`)."""
    wrong = {}
    for rule, method in rules(town.app):
        reply = town.ask(person, rule, method)
        if refused(reply) is expected(rule.endpoint, person) or reply.status_code == 500:
            wrong[f"{method} {rule.endpoint}"] = reply.status_code
    assert wrong == {}


def test_no_unsafe_request_passes_without_its_token(town):
    """AT-19.3."""
    passed = {}
    for rule, method in rules(town.app):
        if method not in security.UNSAFE_METHODS or TABLE[rule.endpoint] == "key":
            continue  # no cookie opens what a key does: test_ticket_keys.py
        person = next(
            person for person in ("participant", *(role.value for role in STAFF)) if expected(rule.endpoint, person)
        )
        reply = town.ask(person, rule, method, csrf=False)
        if reply.status_code not in {400, 403} or "formulaire a expiré" not in reply.text:
            passed[f"{method} {rule.rule}"] = reply.status_code
    assert passed == {}


def test_every_unsafe_request_is_limited(app):
    """AT-19.6: by a limit of its own, or by the common one."""
    views = {app.view_functions[rule.endpoint] for rule, method in rules(app) if method in security.UNSAFE_METHODS}
    assert len(views) > 40
    assert [view.__qualname__ for view in views if "__wrapper-limiter-instance" not in vars(view)] == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_role_on_one_consultation_opens_that_one_alone(app, method):
    """AT-4.2."""
    with app.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        session.expire_on_commit = False
        organisation = f.make_organisation(session)
        mine, other = (f.make_consultation(session, organisation, opened=False) for _ in range(2))
        account = f.make_account(session, organisation, Role.ORGANISER, consultation=mine)
    client = app.test_client()
    secret = f.sign_in(client, account)
    key = app.config["SECRET_KEY"].encode()
    headers = {"X-CSRF-Token": hmac.new(key, f"csrf:{secret}".encode(), "sha256").hexdigest()}
    replies = [
        client.open(f"/gestion/consultations/{slug}/modifier", method=method, headers=headers)
        for slug in (mine.slug, other.slug)
    ]
    assert [refused(reply) for reply in replies] == [False, True]
    assert replies[0].status_code in {200, 422}
