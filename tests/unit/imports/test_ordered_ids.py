"""Ids that follow one another: UUID version 7 as RFC 9562 lays it out."""

import datetime as dt

from consult.imports.writers import ordered_id

NOW = dt.datetime(2022, 2, 22, 19, 22, 22, tzinfo=dt.UTC)


def test_an_ordered_id_is_laid_out_as_the_example_of_rfc_9562():
    # Appendix A.6: 0x017F22E279B0 milliseconds, version 7, variant 0b10.
    made = ordered_id(NOW)
    assert made.int >> 80 == 0x017F22E279B0
    assert (made.version, made.variant) == (7, "specified in RFC 4122")


def test_ordered_ids_follow_the_clock_and_never_meet():
    instants = [NOW + dt.timedelta(milliseconds=each) for each in range(50)]
    made = [ordered_id(now) for now in instants]
    assert made == sorted(made)
    assert len({ordered_id(NOW) for _ in range(1_000)}) == 1_000
