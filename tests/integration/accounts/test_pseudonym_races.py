"""Look-alike pseudonyms taken at the same instant: one person has it, the others are told so in French (AT-18.2)."""

import threading
from collections import Counter

import pytest

from consult.accounts.models import Account, ConsultationPseudonym
from consult.accounts.pseudonyms.policy import skeleton
from tests import factories as f
from tests.integration.accounts.visits import hidden, solve

ALIKE = ("Nymphea", "nymphéa", "NYMPHÉA", "Nym-phea", "nymphéá", "Nymphęa")
TAKEN = "est déjà pris"


@pytest.fixture
def people(app, make, organisation):
    """As many signed-in browsers as there are names, and a consultation for each."""
    found = []
    for _ in ALIKE:
        client, account = app.test_client(), make(f.make_account, organisation)
        f.sign_in(client, account)
        found.append((client, make(f.make_consultation, organisation).slug))
    return found


def at_once(sends) -> list:
    """The replies to requests that leave together."""
    barrier, replies = threading.Barrier(len(sends)), []

    def send(request) -> None:
        barrier.wait()
        replies.append(request())

    threads = [threading.Thread(target=send, args=(request,)) for request in sends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def form(client, page, path, **data):
    """A form that was opened, ready to leave."""
    values = {"csrf_token": f.csrf_token(client, page), **data}
    return lambda: client.post(path, data=values)


def judge(replies, rows) -> None:
    """One took the name, the others are told why they may not, in the form they sent."""
    assert Counter(reply.status_code for reply in replies) == {303: 1, 422: len(ALIKE) - 1}
    refused = [reply.text for reply in replies if reply.status_code == 422]
    assert all(TAKEN in text for text in refused)
    assert sorted(set(ALIKE) - {hidden(text, "pseudonym") for text in refused}) == [
        name for name in sorted(ALIKE) if name in worn(rows)
    ]


def worn(rows) -> list[str]:
    every = [row.pseudonym for model in (Account, ConsultationPseudonym) for row in rows(model)]
    return [name for name in every if skeleton(name) == skeleton(ALIKE[0])]


def test_the_names_look_alike():
    assert len({skeleton(name) for name in ALIKE}) == 1
    assert len(set(ALIKE)) == len(ALIKE)


def test_renamed_at_the_same_instant(people, rows):
    path = "/mon-compte/pseudonyme"
    sends = [form(client, path, path, pseudonym=name) for (client, _), name in zip(people, ALIKE, strict=True)]
    judge(at_once(sends), rows)


def test_chosen_at_the_same_instant_in_as_many_consultations_and_everywhere(people, rows):
    """No index spans the two tables, nor two consultations: who comes second is still told."""
    pages = ["/mon-compte/pseudonyme", *(f"/mon-compte/pseudonymes/{slug}" for _, slug in people[1:])]
    sends = [
        form(client, page, page, pseudonym=name) for (client, _), page, name in zip(people, pages, ALIKE, strict=True)
    ]
    judge(at_once(sends), rows)


def test_signed_up_at_the_same_instant(app, organisation, rows):
    sends = []
    for rank, name in enumerate(ALIKE):
        client = app.test_client()
        said = {"email": f"nouveau{rank}@exemple.fr", "password": f.PASSWORD, "terms": "y", "proof": solve(client)}
        sends.append(form(client, "/inscription", "/inscription", pseudonym=name, **said))
    judge(at_once(sends), rows)
