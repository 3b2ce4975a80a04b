"""Rectification, limitation, objection: asked, acknowledged, answered in time (AT-6.3)."""

import datetime as dt

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from consult.audit.models import AuditEntry
from consult.clock import PARIS
from consult.consultations.models import ContentStatus
from consult.contributions.models import Proposal
from consult.errors import ConflictError, GoneError, NotFoundError
from consult.privacy.rights import policy, service
from consult.privacy.rights.jobs import RemindRights
from consult.privacy.rights.models import Outcome, Right, RightsRequest
from consult.privacy.rights.policy import State
from consult.settings import Settings
from tests import factories as f
from tests.integration.privacy.requests import (
    DAY,
    MAILBOX,
    SITE,
    WHY,
    agent,
    answer,
    ask,
    extend,
    lift,
    link_in,
    mails,
    one,
    write_in,
)
from tests.integration.privacy.town import EMAIL

# Asking -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("received", "first", "extended"),
    [
        (dt.datetime(2026, 1, 31, 12, tzinfo=PARIS), dt.date(2026, 2, 28), dt.date(2026, 4, 30)),
        (dt.datetime(2026, 12, 15, 12, tzinfo=PARIS), dt.date(2027, 1, 15), dt.date(2027, 3, 15)),
        (dt.datetime(2026, 3, 31, 23, 30, tzinfo=dt.UTC), dt.date(2026, 5, 1), dt.date(2026, 7, 1)),  # in Paris
    ],
)
def test_the_delay_is_one_month_and_two_more_when_extended(received, first, extended):
    """AT-6.3: article 12.3 of the GDPR."""
    assert policy.due_on(received, policy.ANSWER_MONTHS) == first
    assert policy.due_on(received, policy.EXTENDED_MONTHS) == extended


def test_a_request_is_acknowledged_with_its_due_date_and_told_to_who_must_answer(town):
    """AT-6.3."""
    town.organisation.dpo_email = "dpd@exemple.fr"
    request = ask(town)
    assert (request.due_on, policy.state(request, f.NOW)) == (dt.date(2026, 4, 2), State.WAITING)
    told = one(town, "rights_received")
    assert "2 avril 2026" in told
    assert f"{SITE}/mon-compte/droits" in told
    for to in ("dpd@exemple.fr", town.admin.email):
        told = one(town, "rights_waiting", to)
        assert f"{SITE}/gestion/droits/{request.id}" in told
        assert WHY not in told
        assert EMAIL not in told


def test_the_same_request_sent_twice_is_one_and_another_waits_for_the_answer(town):
    first = ask(town)
    assert ask(town).id == first.id
    with pytest.raises(ConflictError, match="2 avril 2026"):
        ask(town, statement="Autre chose, à traiter à part des autres.")
    assert ask(town, Right.OBJECTION).id != first.id
    assert len([mail for mail in mails(town) if mail.template == "rights_received"]) == 2


def test_an_account_confirms_its_address_first(town):
    with pytest.raises(ConflictError, match="Confirmez d’abord votre adresse"):
        ask(town, account=town.claimant)


# Without account ----------------------------------------------------------------------------------------------------


def test_a_visitor_is_heard_once_the_address_is_confirmed_and_nothing_tells_whether_it_is_known(town):
    """AT-6.3: somebody named in a contribution has no account."""
    for email in ("inconnue@exemple.fr", EMAIL):
        write_in(town, email)
    first, second = mails(town, "inconnue@exemple.fr") + mails(town)
    assert first.text.replace(link_in(first), "") == second.text.replace(link_in(second), "")
    assert town.session.scalars(select(RightsRequest.due_on)).all() == [None, None]
    token = link_in(first)
    request = service.confirm(town.session, town.organisation, token, site=SITE, now=f.NOW + DAY)
    assert request.due_on == dt.date(2026, 4, 3)
    again = service.confirm(town.session, town.organisation, token, site=SITE, now=f.NOW + 9 * DAY)
    assert again.due_on == request.due_on
    assert f"{SITE}/droits/{token}" in one(town, "rights_received", "inconnue@exemple.fr")
    assert token not in str(town.session.scalars(select(RightsRequest.token_digest)).all())


def test_a_mailbox_gets_its_share_of_links_and_no_more(town):
    for _ in range(MAILBOX.per_hour + 2):
        write_in(town, "inconnue@exemple.fr")
    assert len(mails(town, "inconnue@exemple.fr")) == MAILBOX.per_hour
    assert town.session.scalar(select(func.count()).select_from(RightsRequest)) == MAILBOX.per_hour


def test_a_link_that_expired_or_is_unknown_confirms_nothing(town):
    write_in(town, "inconnue@exemple.fr")
    token = link_in(mails(town, "inconnue@exemple.fr")[0])
    with pytest.raises(GoneError, match="expiré"):
        service.confirm(town.session, town.organisation, token, site=SITE, now=f.NOW + policy.LINK_LIFE + DAY)
    with pytest.raises(NotFoundError):
        service.confirm(town.session, town.organisation, "rien", site=SITE, now=f.NOW)


# Answering ----------------------------------------------------------------------------------------------------------


def test_a_refusal_says_why_and_how_to_complain(town):
    """AT-6.3: article 12.4 of the GDPR."""
    request = answer(town, ask(town, Right.OBJECTION), Outcome.REFUSED, "Le registre public l’exige, voici pourquoi.")
    told = one(town, "rights_answered")
    assert "refusée" in told
    assert "Le registre public l’exige" in told
    assert "https://www.cnil.fr/fr/plaintes" in told
    assert policy.state(request, f.NOW) is State.REFUSED
    assert town.session.get(Proposal, town.mine.id).status is ContentStatus.PUBLISHED
    with pytest.raises(ConflictError, match="déjà reçu une réponse"):
        answer(town, request)


def test_a_delay_is_extended_once_with_a_reason_before_the_first_month_is_over(town):
    """AT-6.3."""
    request = ask(town)
    with pytest.raises(ConflictError):
        extend(town, request, f.NOW + 40 * DAY)
    assert extend(town, request, f.NOW + 30 * DAY).due_on == dt.date(2026, 6, 2)
    told = one(town, "rights_extended")
    assert "2 juin 2026" in told
    assert "trois consultations" in told
    with pytest.raises(ConflictError):
        extend(town, request, f.NOW + 31 * DAY)


def test_each_decision_is_journalled_without_a_word_of_the_person(town):
    request = ask(town)
    extend(town, request, f.NOW + DAY)
    answer(town, request)
    lift(town, request, agent(town), words="La vérification est terminée.")
    entries = town.session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("rights.")))
    told = {entry.action: entry for entry in entries}
    assert set(told) == {"rights.extend", "rights.answer", "rights.lift"}
    assert told["rights.answer"].detail == {"right": "limitation", "outcome": "granted", "due_on": "2026-06-02"}
    assert all(entry.account_id == town.admin.id and not entry.reason for entry in told.values())


def test_the_database_refuses_an_answer_without_words(town):
    request = ask(town)
    with pytest.raises(IntegrityError):
        town.session.execute(
            text("UPDATE rights_request SET outcome = 'granted', answered_at = asked_at WHERE statement = :why"),
            {"why": request.statement},
        )


def test_who_must_answer_is_reminded_every_week_from_a_week_before(town):
    """AT-6.3."""
    request = ask(town)

    def reminded(now) -> list[str]:
        town.session.execute(text("DELETE FROM outgoing_mail"))
        for _ in RemindRights(Settings(), now=lambda: now).run(town.session, {}, {}):
            town.session.flush()
        return [mail.subject for mail in mails(town, town.admin.email)]

    due = dt.datetime.combine(request.due_on, dt.time(9), dt.UTC)
    assert reminded(due - 8 * DAY) == []
    assert [subject.split()[0] for subject in reminded(due - 7 * DAY)] == ["À"]
    assert reminded(due - 6 * DAY) == []
    assert len(reminded(due)) == 1
    assert reminded(due + 7 * DAY) == ["En retard : demande d’une personne sur ses données, due le 2 avril 2026"]
    answer(town, request)
    assert reminded(due + 30 * DAY) == []
