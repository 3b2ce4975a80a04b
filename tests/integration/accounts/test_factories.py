"""The factories write rows that both databases accept, in the state their names promise."""

from consult.accounts.queries import identify
from consult.accounts.service import open_session
from consult.actor import Role
from tests import factories as f


def test_a_chain_of_rows_from_organisation_to_vote(session):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation)
    consultation = f.make_consultation(session, organisation)
    proposal = f.make_proposal(session, f.make_step(session, consultation), account)
    vote = f.make_vote(session, f.make_argument(session, proposal), account)
    assert vote.organisation_id == organisation.id


def test_staff_made_by_the_factory_hold_their_role_once_signed_in(session, now):
    organisation = f.make_organisation(session)
    account = f.make_account(session, organisation, Role.MODERATOR)
    life = (f.dt.timedelta(hours=1), f.dt.timedelta(hours=2))
    token, _ = open_session(session, account, now=now, life=life, second_factor_at=now)
    identity = identify(session.connection(), token=token, organisation_id=organisation.id, now=now)
    assert identity is not None
    assert identity.actor.holds(Role.MODERATOR)
