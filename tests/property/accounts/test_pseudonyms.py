"""Of two names that look alike, the first is worn and the second refused, whichever came first (AT-18.2)."""

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from consult.accounts.pseudonyms import policy, queries, service
from consult.errors import InvalidError
from tests import factories as f

# Letters of three alphabets, most of them taken for another in one case alone; digits and pairs taken for letters.
LETTERS = (*"AbHhnNuvMmPplI10oé", "rn", *"ΗηΑαΜμΝνΡρВвНнРрТтк", "ꓧ", "ʜ")
NAMES = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=4).map("".join)


@pytest.fixture
def people(database, session):
    """Two people of one organisation."""
    organisation = f.make_organisation(session)
    return session, [f.make_account(session, organisation, pseudonym=name) for name in ("Basalte", "Onyx")]


def refused(session, first, second, names) -> bool:
    """Whether the second name is refused to somebody once another one wears the first."""
    with session.begin_nested() as undone:
        for account, name in zip((first, second), names, strict=True):
            try:
                service.rename(session, account.id, name, reserved=())
            except InvalidError:
                assert account is second
                undone.rollback()
                return True
        undone.rollback()
    return False


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(NAMES, NAMES)
@example("Hanna", "ΗΑΝΝΑ")
@example("ηαννα", "ΗΑΝΝΑ")
def test_of_two_look_alikes_the_later_is_refused_whichever_it_is(people, one, other):
    session, (first, second) = people
    for name in (one, other):
        try:
            policy.clean(name)
        except InvalidError:
            assume(False)
    alike = bool(policy.looks(one) & policy.looks(other))
    assert refused(session, first, second, (one, other)) == alike
    assert refused(session, first, second, (other, one)) == alike


def test_a_look_alike_is_found_by_either_of_its_looks(people):
    session, (first, _) = people
    for worn, wanted in (("Hanna", "ΗΑΝΝΑ"), ("ΗΑΝΝΑ", "Hanna"), ("ΗΑΝΝΑ", "ηαννα"), ("ηαννα", "ΗΑΝΝΑ")):
        service.rename(session, first.id, worn, reserved=())
        assert queries.worn(session, first.organisation_id, wanted)
        assert not queries.worn(session, first.organisation_id, wanted, but=first.id)
    assert not queries.worn(session, first.organisation_id, "Hannah")
