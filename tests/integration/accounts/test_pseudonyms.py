"""Being shown under another name in one consultation (AT-18.1, AT-18.2)."""

import pytest

from consult.accounts.models import ConsultationPseudonym
from consult.accounts.pseudonyms import service
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from tests import factories as f

PAGE = "/mon-compte/pseudonymes"


class Someone:
    """Somebody who wrote in two consultations, and another person."""

    def __init__(self, app) -> None:
        self.app, self.client, self.database = app, app.test_client(), app.extensions["database"]
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self.organisation = f.make_organisation(session, slug="agence", protected_names="Jeanne Dupré")
            self.account = f.make_account(session, self.organisation, pseudonym="Ysolde Quartz")
            self.other = f.make_account(session, self.organisation, pseudonym="Basalte")
            self.here, self.there = (f.make_consultation(session, self.organisation) for _ in range(2))
            self.draft = f.make_consultation(session, self.organisation, opened=False)
            self.items = [
                f.make_proposal(session, f.make_step(session, each), self.account) for each in (self.here, self.there)
            ]
        f.sign_in(self.client, self.account)

    def post(self, path, **values):
        return self.client.post(path, data={"csrf_token": f.csrf_token(self.client, PAGE), **values})

    def choose(self, name, consultation=None):
        return self.post(f"{PAGE}/{(consultation or self.here).slug}", pseudonym=name)

    def shown(self) -> list[str]:
        """The names that the page of each of their two proposals shows to a visitor."""
        pages = [self.app.test_client().get(f"/contributions/{item.id}").text for item in self.items]
        return [next(name for name in ("Nymphéa", "Onyx", "Ysolde Quartz") if name in page) for page in pages]


@pytest.fixture
def someone(app) -> Someone:
    return Someone(app)


def test_the_name_is_shown_there_and_nowhere_else_until_it_is_given_up(someone):
    assert someone.shown() == ["Ysolde Quartz", "Ysolde Quartz"]
    assert someone.choose("  Nymphéa ").status_code == 303
    assert someone.shown() == ["Nymphéa", "Ysolde Quartz"]
    assert "Nymphéa" in someone.client.get(PAGE).text
    assert someone.choose("Onyx").status_code == 303, "another, in its place"
    assert someone.shown() == ["Onyx", "Ysolde Quartz"]
    assert someone.post(f"{PAGE}/{someone.here.slug}/renoncer").status_code == 303
    assert someone.shown() == ["Ysolde Quartz", "Ysolde Quartz"]
    someone.client.get(PAGE)  # what was done is told once
    assert "Onyx" not in someone.client.get(PAGE).text


def test_changing_the_other_name_leaves_this_one(someone):
    someone.choose("Nymphéa")
    someone.post("/mon-compte/pseudonyme", pseudonym="Onyx")
    assert someone.shown() == ["Nymphéa", "Onyx"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [("", "Choisissez un pseudonyme"), ("basa1te", "déjà pris"), ("Préfet", "il rappelle"), ("j.dupre", "")],
)
def test_a_name_that_nobody_may_wear_is_refused_and_kept_in_the_form(someone, typed, said):
    reply = someone.choose(typed)
    assert reply.status_code == (422 if said else 303)
    assert said in reply.text
    assert not said or f'value="{typed}"' in reply.text
    assert someone.choose("Jeanne.Dupré 2").status_code == 422


def test_names_of_both_kinds_are_told_apart(someone, database):
    """What one wears in a consultation, nobody takes: neither there, nor in another, nor everywhere."""
    someone.choose("Nymphéa")
    names = {"reserved": (), "now": f.NOW}
    with database.transaction(tenant=someone.organisation.id) as session:
        for consultation in (someone.here, someone.there):
            with pytest.raises(InvalidError, match="déjà pris"):
                service.choose(session, someone.other.id, consultation.id, "NYMPHEA", **names)
        with pytest.raises(InvalidError, match="déjà pris"):
            service.rename(session, someone.other.id, "Nymphea", reserved=())
        service.choose(session, someone.account.id, someone.there.id, "Nymphéa", **names)  # theirs, in two places
        service.rename(session, someone.account.id, "Nymphéa", reserved=())  # and everywhere


def test_a_draft_and_an_unknown_consultation_are_not_found(someone):
    for slug in (someone.draft.slug, "rien"):
        assert someone.client.get(f"{PAGE}/{slug}").status_code == 404
        assert someone.post(f"{PAGE}/{slug}", pseudonym="Nymphéa").status_code == 404
        assert someone.post(f"{PAGE}/{slug}/renoncer").status_code == 404


def test_the_name_of_another_organisation_is_neither_seen_nor_kept_from_us(someone, database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        elsewhere = f.make_organisation(session, slug="ailleurs")
        consultation = f.make_consultation(session, elsewhere)
        account = f.make_account(session, elsewhere, pseudonym="Jade")
        f.make_pseudonym(session, account, consultation, "Nymphéa")
        slug = consultation.slug
    assert someone.client.get(f"{PAGE}/{slug}").status_code == 404
    assert someone.choose("Nymphéa").status_code == 303
    assert someone.client.get("/o/ailleurs/mon-compte/pseudonymes").status_code in {302, 303}, "another cookie's site"


def test_without_its_token_the_form_changes_nothing(someone, rows):
    reply = someone.client.post(f"{PAGE}/{someone.here.slug}", data={"pseudonym": "Nymphéa"})
    assert reply.status_code == 403
    assert rows(ConsultationPseudonym) == []
