"""Reading consultations for those who manage them."""

import datetime as dt

from consult.actor import Actor, Role
from consult.consultations import queries
from tests import factories


def test_a_role_on_an_old_consultation_finds_it_among_many(session):
    organisation = factories.make_organisation(session)
    session.info["tenant"] = organisation.id
    old, *_ = [
        factories.make_consultation(session, organisation, created_at=factories.NOW + dt.timedelta(minutes=rank))
        for rank in range(queries.LISTED + 1)
    ]
    scoped = Actor(by_consultation={old.id: frozenset({Role.MODERATOR})})
    assert queries.staff_consultations(session, scoped) == [old]
    organiser = Actor(roles=frozenset({Role.ORGANISER}))
    assert len(queries.staff_consultations(session, organiser)) == queries.LISTED
    assert queries.staff_consultations(session, Actor()) == []
