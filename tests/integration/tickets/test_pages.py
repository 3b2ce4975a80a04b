"""The pages of tickets: who sees and does what, hostile input, files."""

import html
import io
import re

import pytest
from PIL import Image
from sqlalchemy import select

from consult.actor import Role
from consult.db import ALL_TENANTS
from consult.tickets.models import Ticket
from tests import factories as f
from tests.plans import watched

ROOT = "/gestion/tickets"
HOSTILE = "<script>alert(1)</script> **gras** <img src=x onerror=alert(1)>"
ANOMALY = {"kind": "anomaly", "title": "Le vote ne répond plus", "body": "Erreur 500 à midi.", "severity": "blocking"}


class Site:
    """An administrator and an operator, each in their browser."""

    def __init__(self, app):
        self.app = app
        with self.writing() as session:
            session.expire_on_commit = False
            self.organisation = f.make_organisation(session)
            home = f.make_organisation(session)
            people = {"admin": (self.organisation, Role.ADMINISTRATOR), "operator": (home, Role.OPERATOR)}
            accounts = {name: f.make_account(session, *where) for name, where in people.items()}
        self.admin, self.operator = (self.browser(account) for account in accounts.values())

    def browser(self, account):
        client = self.app.test_client()
        f.sign_in(client, account)
        return client

    def writing(self):
        return self.app.extensions["database"].transaction(tenant=ALL_TENANTS)

    def post(self, client, path, **fields):
        return client.post(ROOT + path, data={"csrf_token": f.csrf_token(client), **fields})

    def ticket(self):
        with self.writing() as session:
            session.expire_on_commit = False
            return session.scalar(select(Ticket).order_by(Ticket.number.desc()))

    def opened(self, **values):
        reply = self.post(self.admin, "/nouveau", **(ANOMALY | values))
        assert reply.status_code == 303, errors(reply)
        return f"/{self.ticket().id}"


@pytest.fixture
def site(app) -> Site:
    return Site(app)


def errors(reply):
    return [html.unescape(each) for each in re.findall(r"Erreur\s: </span>(.*?)</span>", reply.text)]


def test_a_ticket_is_reported_worked_on_and_closed(site):
    path = site.opened()
    assert "Le vote ne répond plus" in site.operator.get(ROOT).text
    for milestone in ("acknowledged", "caught_up"):
        assert site.post(site.operator, f"{path}/etapes", milestone=milestone).status_code == 303
    page = site.admin.get(ROOT + path).text
    assert page.count("atteinte dans le délai") == 5
    assert "Étape atteinte\u00a0: rattrapage" in page
    assert "Clos" in page
    assert site.ticket().closed_at is not None
    assert "Aucun ticket ouvert" in site.admin.get(ROOT).text
    assert "Le vote ne répond plus" in site.admin.get(f"{ROOT}?etat=closed").text


def test_a_new_severity_is_in_the_history_with_its_reason(site):
    path = site.opened()
    reply = site.post(
        site.admin, f"{path}/gravite", **{"severity-severity": "minor", "severity-reason": "Un contournement suffit."}
    )
    assert reply.status_code == 303
    assert "Gravité\u00a0: mineure, Un contournement suffit." in site.admin.get(ROOT + path).text
    same = site.post(site.admin, f"{path}/gravite", **{"severity-severity": "minor", "severity-reason": "Encore elle."})
    assert (same.status_code, errors(same)) == (422, ["C’est déjà sa gravité."])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"title": ""}, "Ce champ est requis."),
        ({"title": "abc"}, "Le titre compte 3 caractères"),
        ({"body": "court"}, "Le texte compte 5 caractères"),
        ({"severity": ""}, "Dites la gravité"),
        ({"severity": "worst"}, "n’est pas"),
        ({"kind": "other"}, ""),
        ({"kind": "assistance"}, ""),
    ],
)
def test_a_report_that_cannot_be_accepted_says_why_and_keeps_what_was_typed(site, values, told):
    reply = site.post(site.admin, "/nouveau", **(ANOMALY | values))
    assert reply.status_code == 422
    assert errors(reply)
    assert told.replace("n’est pas", "") in " ".join(errors(reply))
    assert ANOMALY["title" if "title" not in values else "body"] in html.unescape(reply.text)
    assert site.ticket() is None


def test_what_was_typed_is_shown_as_text(site):
    path = site.opened(title="Titre " + HOSTILE, body=HOSTILE)
    assert site.post(site.operator, f"{path}/messages", body=HOSTILE).status_code == 303
    for page in (site.admin.get(ROOT + path).text, site.admin.get(ROOT).text):
        assert "<script>alert" not in page
        assert "<img src" not in page


def test_a_message_of_nothing_and_one_on_a_closed_ticket_are_refused_in_words(site):
    path = site.opened()
    empty = site.post(site.admin, f"{path}/messages", body=" ")
    assert (empty.status_code, errors(empty)) == (422, ["Le message est vide : écrivez au moins 2 caractères."])
    site.post(site.admin, f"{path}/clore", **{"close-reason": "Signalée deux fois."})
    late = site.post(site.admin, f"{path}/messages", body="Encore un mot.")
    assert late.status_code == 422
    assert "Ce ticket est clos" in html.unescape(late.text)


def test_a_file_is_only_ever_saved(site):
    path, out = site.opened(), io.BytesIO()
    Image.new("RGB", (20, 10), "red").save(out, "PNG")
    sent = {"file": (io.BytesIO(out.getvalue()), 'écran".png')}
    assert site.post(site.admin, f"{path}/pieces", **sent).status_code == 303
    assert site.post(site.admin, f"{path}/pieces", file=(io.BytesIO(b"<script>"), "page.html")).status_code == 303
    links = re.findall(rf'href="({ROOT}{path}/pieces/[^"]+)"', site.operator.get(ROOT + path).text)
    replies = [site.operator.get(link) for link in links]
    replies.sort(key=lambda each: each.headers["Content-Type"])  # sent in the same second: in no order
    assert [each.headers["Content-Type"] for each in replies] == ["image/webp", "text/plain; charset=utf-8"]
    assert all(each.headers["Content-Disposition"].startswith('attachment; filename="piece-') for each in replies)
    assert replies[1].text == "<script>"
    refused = site.post(site.admin, f"{path}/pieces", file=(io.BytesIO(b"\xff\xd8"), "x.jpg"))
    assert refused.status_code == 422
    assert "texte brut" in errors(refused)[0]


def test_each_side_is_shown_its_own_acts(site):
    path = site.opened()
    mine, theirs = site.admin.get(ROOT + path).text, site.operator.get(ROOT + path).text
    assert ("Changer la gravité" in mine, "Étape atteinte" in mine) == (True, False)
    assert ("Changer la gravité" in theirs, "Étape atteinte" in theirs) == (False, True)
    assert "gravité</legend>" not in site.operator.get(f"{ROOT}/nouveau").text.lower()


@pytest.mark.parametrize("asked", ["etat=x&nature=y&gravite=z", "page=9999", "page=-1", "etat=%00", "gravite=blocking"])
def test_no_address_of_the_list_breaks_it(site, asked):
    site.opened()
    assert site.admin.get(f"{ROOT}?{asked}").status_code == 200


def test_another_organisation_reaches_neither_a_ticket_nor_its_files(site):
    path = site.opened()
    site.post(site.admin, f"{path}/pieces", file=(io.BytesIO(b"un texte"), "a.txt"))
    (link,) = re.findall(rf'href="({ROOT}{path}/pieces/[^"]+)"', site.admin.get(ROOT + path).text)
    with site.writing() as session:
        session.expire_on_commit = False
        other = f.make_organisation(session)
        operator = f.make_account(session, other, Role.OPERATOR)
    client = site.browser(operator)
    elsewhere = f"/o/{other.slug}"
    for address in (ROOT + path, link):
        assert client.get(elsewhere + address).status_code == 404
        assert client.get(f"/o/{site.organisation.slug}{address}").status_code == 200, "they run it for both"
    assert "Le vote" not in client.get(f"{elsewhere}{ROOT}?etat=").text


@pytest.mark.slow
def test_the_pages_of_many_tickets_ask_a_bounded_number_of_queries(site):
    path = site.opened()
    database = site.app.extensions["database"]
    counts = []
    for more in (0, 12):
        for number in range(more):
            site.opened(title=f"Une anomalie de plus, n° {number}")
            site.post(site.admin, f"{path}/messages", body="Un message de plus.")
        with watched(database) as few:
            assert site.admin.get(ROOT).status_code == 200
        with watched(database) as one:
            assert site.admin.get(ROOT + path).status_code == 200
        counts.append((len(few), len(one)))
    assert counts[0] == counts[1]
    assert max(counts[0]) < 20
