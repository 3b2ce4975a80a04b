"""Counting failures: none is lost, whoever comes at the same instant."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import select

from consult.accounts import policy, queries, service
from consult.accounts.models import AttemptCount, SpentProof
from consult.accounts.sign_up.policy import Spent
from consult.accounts.sign_up.service import remember_spent
from consult.db import ALL_TENANTS
from tests.factories import NOW

TRIES = 6


def at_once(database, act):
    barrier = Barrier(TRIES)

    def one(_rank):
        with database.transaction(tenant=ALL_TENANTS) as session:
            barrier.wait()
            act(session)

    with ThreadPoolExecutor(TRIES) as pool:
        list(pool.map(one, range(TRIES)))


def test_first_failures_at_the_same_instant_all_count(database):
    at_once(database, lambda session: service.record_failure(session, "k", policy.LOGIN_FROM_ADDRESS, NOW))
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.get_one(AttemptCount, "k").failures == TRIES


def test_a_proof_refused_in_several_tabs_is_remembered(database):
    at_once(database, lambda session: remember_spent(session, Spent("d", NOW)))
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert session.scalars(select(SpentProof.digest)).all() == ["d"]


def test_a_request_begun_before_a_failure_within_the_allowance_is_not_refused(database):
    """Two requests at once: the one that waited for the writer reads the clock of its own beginning."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        service.record_failure(session, "k", policy.SECOND_FACTOR, NOW)
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        assert queries.seconds_to_wait(session, ["k"], NOW - dt.timedelta(milliseconds=5)) == 0
        assert queries.seconds_to_wait(session, ["k"], NOW) == 0


def test_the_wait_begins_with_the_failure_that_spends_the_allowance(database):
    with database.transaction(tenant=ALL_TENANTS) as session:
        for _ in range(policy.SECOND_FACTOR.free):
            assert queries.seconds_to_wait(session, ["k"], NOW) == 0
            service.record_failure(session, "k", policy.SECOND_FACTOR, NOW)
        assert queries.seconds_to_wait(session, ["k"], NOW) == 1
