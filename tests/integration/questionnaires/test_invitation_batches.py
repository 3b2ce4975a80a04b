"""Invitations issued, mailed or printed, reminded, revoked; organisers are told numbers, never who used which."""

import csv
import datetime as dt
import io
import re

import pytest
from sqlalchemy import select

from consult.actor import Role
from consult.audit.models import AuditEntry
from consult.db import ALL_TENANTS
from consult.errors import ConflictError, InvalidError
from consult.jobs.models import Job
from consult.privacy import retention
from consult.questionnaires.anonymous import urns
from consult.questionnaires.invitations import jobs, policy, queries, service
from consult.questionnaires.invitations.models import Invitation, InvitationBatch
from consult.questionnaires.models import Reply
from consult.registry.models import RegistryEntry
from tests import factories as f
from tests.integration.questionnaires.invited import Invited
from tests.integration.questionnaires.test_pages import NOW, _text


@pytest.fixture
def site(app):
    return Invited(app)


@pytest.fixture
def secret(app):
    return Invited(app, anonymous=True)


# Issuing ------------------------------------------------------------------------------------------------------------


def test_addresses_are_read_from_any_text_and_each_is_invited_once(site):
    text = "Nom;Courriel\nAnne;Anne@exemple.fr\n<b.b@exemple.fr>, anne@EXEMPLE.fr\tmailto:c+d@exemple.fr"
    batch_id, known = site.mail(text)
    assert known == 0
    sent = site.work()
    assert sorted(sent) == ["Anne@exemple.fr", "b.b@exemple.fr", "c+d@exemple.fr"]
    assert len(set(sent.values())) == 3
    assert site.work() == {}, "once written, a mail is not written again"
    _, known = site.mail("anne@exemple.fr d@exemple.fr", name="Encore")
    assert known == 1
    assert sorted(site.work()) == ["d@exemple.fr"]
    assert site.logged() == [3, 1]
    assert batch_id
    assert site.reply(sent["b.b@exemple.fr"]).status_code == 200


def test_the_database_keeps_no_code(site):
    drawn = site.codes(3)
    mailed = site.work() if site.mail("a@exemple.fr") else {}
    with site.writing() as session:
        kept = str([vars(row) for model in (Invitation, InvitationBatch, AuditEntry, Job, RegistryEntry)
                    for row in session.scalars(select(model))])  # fmt: skip
    for code in (*drawn, *mailed.values()):
        assert code not in kept
        assert code.replace("-", "") not in kept
    assert "a@exemple.fr" not in str([vars(row) for row in site.rows(AuditEntry)])


def test_a_crash_half_way_writes_to_nobody_twice(site, monkeypatch):
    monkeypatch.setattr(jobs, "CHUNK", 2)
    site.mail(" ".join(f"p{n}@exemple.fr" for n in range(5)))
    first, rest = site.work(turns=1), site.work()
    assert (len(first), len(rest)) == (2, 3)
    assert not first.keys() & rest.keys()


def test_the_reminder_goes_once_to_those_who_did_not_reply(site):
    batch_id, _ = site.mail("a@exemple.fr b@exemple.fr")
    first = site.work()
    site.reply(first["a@exemple.fr"])
    site.act(service.remind, batch_id)
    second = site.work()
    assert list(second) == ["b@exemple.fr"]
    assert second["b@exemple.fr"] != first["b@exemple.fr"]
    with pytest.raises(ConflictError, match="qu’un par envoi"):
        site.act(service.remind, batch_id)
    assert site.reply(second["b@exemple.fr"]).status_code == 200
    page, _ = site.follow(first["b@exemple.fr"])
    assert "Cette invitation a déjà servi" in _text(page), "both links are one invitation"
    assert len(site.rows(Reply)) == 2
    assert site.logged() == [2], "a reminder issues nothing"


def test_what_is_revoked_opens_nothing_and_what_served_stays(site):
    drawn = site.codes(3)
    assert site.reply(drawn[0]).status_code == 200
    (batch,) = site.rows(InvitationBatch)
    site.follow(drawn[1])
    assert site.act(service.revoke, batch.id) == 2
    assert site.client.get(f"/invitation?code={drawn[1]}").status_code == 404
    refused = site.post(1, "next", site.first())
    assert (refused.status_code, "a été retirée" in _text(refused)) == (403, True)
    assert "a déjà servi" in _text(site.client.get(f"/invitation?code={drawn[0]}"))
    assert (site.logged(), len(site.rows(Reply))) == ([3, -2], 1)
    with pytest.raises(ConflictError, match="déjà été révoquées"):
        site.act(service.revoke, batch.id)


def test_mails_not_written_yet_of_a_revoked_batch_are_never_written(site):
    batch_id, _ = site.mail("a@exemple.fr b@exemple.fr")
    assert site.act(service.revoke, batch_id) == 2
    assert site.work() == {}
    assert site.rows(Invitation) == []


def test_an_anonymous_questionnaire_takes_no_small_batch(secret):
    """AT-U4.9: nobody is alone with their invitation."""
    with pytest.raises(InvalidError, match="au moins 20"):
        secret.codes(urns.LEAST - 1)
    with pytest.raises(InvalidError, match="au moins 20"):
        secret.mail(" ".join(f"p{n}@exemple.fr" for n in range(urns.LEAST - 1)))
    assert len(secret.codes(urns.LEAST)) == urns.LEAST
    assert secret.logged() == [urns.LEAST]


@pytest.mark.parametrize("case", ["accounts", "draft", "over"])
def test_a_step_that_takes_no_invitation_issues_none(site, case):
    with site.writing() as session:
        step = site.step_of(session)
        if case == "accounts":
            step.settings = {}
        elif case == "draft":
            step.consultation.status, step.consultation.opened_at = "draft", None
        else:
            step.opens_at, step.closes_at = NOW - dt.timedelta(days=2), NOW - dt.timedelta(days=1)
    with pytest.raises(ConflictError):
        site.codes()
    assert (site.rows(InvitationBatch), site.logged()) == ([], [])


def test_addresses_go_when_the_step_is_over_and_numbers_stay(site):
    """AT-6.4."""
    site.mail("a@exemple.fr b@exemple.fr")
    site.codes(2)
    with site.writing() as session:
        assert sum(gone for _, gone in retention.sweep_all(session, NOW)) == 0
        closes_at = site.step_of(session).ends_at
        session.info["tenant"] = ALL_TENANTS
        dict(retention.sweep_all(session, closes_at + dt.timedelta(days=1)))
    assert [each.email for each in site.rows(Invitation)] == [None] * 4
    with site.writing() as session:
        assert sorted(each.batch.issued for each in queries.tallies(session, site.step.id)) == [2, 2]


def test_hostile_text_is_refused_with_the_addresses_to_mend(site):
    with pytest.raises(InvalidError) as refusal:
        site.mail("a@exemple.fr b@@exemple.fr c@ @d x@y\x00z")
    assert "b@@exemple.fr" in refusal.value.fields["addresses"]
    with pytest.raises(InvalidError, match="Collez au moins une adresse"):
        site.mail("rien ici")
    with pytest.raises(InvalidError, match="au plus 5"):
        site.mail(" ".join(f"p{n}@exemple.fr" for n in range(policy.MOST + 1)))
    assert site.rows(Invitation) == []


# The desk -----------------------------------------------------------------------------------------------------------


class Desk:
    """A member of staff on the page of invitations."""

    def __init__(self, site, *roles):
        self.site, self.client = site, site.app.test_client()
        with site.writing() as session:
            account = f.make_account(session, site.organisation, *roles)
            session.expunge_all()
        f.sign_in(self.client, account)
        self.page = f"/gestion/consultations/{site.consultation.slug}/etapes/{site.step.slug}/invitations"

    def post(self, path="", **fields):
        token = f.csrf_token(self.client, "/mon-compte/courriels")
        return self.client.post(f"{self.page}{path}", data={"csrf_token": token, **fields})


def test_an_organiser_invites_by_mail_and_sees_numbers_alone(site):
    desk = Desk(site, Role.ORGANISER)
    assert "Aucune invitation n’a été émise" in _text(desk.client.get(desk.page))
    upload = (io.BytesIO("Prénom,Courriel\nÉmile,e@exemple.fr\n".encode("cp1252")), "liste.csv")
    went = desk.post("/courriels", name="Maires du Gard", addresses="a@exemple.fr", file=upload)
    assert (went.status_code, went.location) == (303, desk.page)
    sent = site.work()
    site.reply(sent["a@exemple.fr"])
    page = _text(desk.client.get(desk.page))
    assert "Maires du Gard" in page
    assert re.findall(r'<td class="numeric" data-label="(\S[^"]*)">(\d+)', page) == [
        ("Émises", "2"), ("Parties", "2"), ("Ont servi", "1"), ("Révoquées", "0"),
    ]  # fmt: skip
    assert "@exemple.fr" not in page
    (batch,) = site.rows(InvitationBatch)
    assert desk.post(f"/{batch.id}/rappel").status_code == 303
    assert desk.post(f"/{batch.id}/rappel").status_code == 409
    assert "C’est définitif" in _text(desk.client.get(f"{desk.page}/{batch.id}/revoquer"))
    assert desk.post(f"/{batch.id}/revoquer").status_code == 303
    assert "Révoqué le" in _text(desk.client.get(desk.page))
    acts = [each.action for each in sorted(site.rows(AuditEntry), key=lambda each: each.id)]
    assert acts == ["invitations.issue", "invitations.remind", "invitations.revoke"]


def test_codes_come_once_as_a_file(site):
    desk = Desk(site, Role.ADMINISTRATOR)
    given = desk.post("/codes", name="Courriers", count="3")
    assert (given.status_code, given.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert "attachment" in given.headers["Content-Disposition"]
    assert given.headers["Cache-Control"] == "no-store"
    head, *lines = csv.reader(io.StringIO(given.text), delimiter=";")
    assert (head, len(lines)) == (["code", "lien"], 3)
    for code, link in lines:
        assert link.endswith(f"/invitation?code={code}")
    assert site.reply(lines[0][0]).status_code == 200


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("/codes", {"name": "", "count": "3"}, "Donnez un nom"),
        ("/codes", {"name": "x" * 101, "count": "3"}, "dépasse 100"),
        *(
            ("/codes", {"name": "Lot", "count": count}, "invitation")
            for count in ("", "0", "-1", "9" * 30, "5001", "٣")
        ),
        ("/courriels", {"name": "Lot", "addresses": "pas d’adresse"}, "Collez au moins"),
        ("/courriels", {"name": "Lot", "addresses": "a@@b.fr"}, "ne sont pas valables"),
    ],
)
def test_what_cannot_be_issued_says_why_and_keeps_what_was_typed(site, path, fields, words):
    desk = Desk(site, Role.ORGANISER)
    refused = desk.post(path, **fields)
    assert (refused.status_code, words in _text(refused)) == (422, True)
    assert all(value in _text(refused) for value in fields.values())
    assert (site.rows(InvitationBatch), site.logged()) == ([], [])


def test_only_those_who_prepare_the_consultation_issue_invitations(app, site):
    """AT-4.2, AT-4.3."""
    for role in (Role.ANALYST, Role.MODERATOR, Role.DECISION_MAKER, Role.READER):
        desk = Desk(site, role)
        assert desk.client.get(desk.page).status_code == 403, role
        assert desk.post("/codes", name="Lot", count="3").status_code == 403, role
    other = Desk(Invited(app), Role.ORGANISER)
    gone = other.client.get(Desk(site, Role.ORGANISER).page)
    assert (gone.status_code, "/connexion" in gone.location) == (303, True), "signed in elsewhere is nobody here"
    organiser = Desk(site, Role.ORGANISER)
    assert organiser.client.post(f"{organiser.page}/codes", data={"name": "Lot", "count": "3"}).status_code == 403
    assert site.rows(InvitationBatch) == []


def test_a_questionnaire_of_another_kind_says_how_to_make_it_one_on_invitation(app):
    site = Invited(app, access="everyone")
    desk = Desk(site, Role.ORGANISER)
    assert "n’est pas sur invitation" in _text(desk.client.get(desk.page))
    assert desk.post("/codes", name="Lot", count="3").status_code == 409
