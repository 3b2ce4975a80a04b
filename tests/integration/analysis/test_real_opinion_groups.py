"""Opinion groups on real conversations whose groups were published, and beside one server's own numbers."""

import csv
import gzip
import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.semantic.opinion_groups import find_groups
from analysis.semantic.positions import (
    counts,
    group_informed_consensus,
    priorities,
    representative,
    share,
    z_half,
)
from analysis.semantic.votes import VoteEvent, from_events

pytestmark = pytest.mark.real_data

TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def server(real_data):
    folder = real_data / "polis_math_reference" / "25ptpt-3gp-no-strict-with-meta"
    votes = json.loads(gzip.decompress((folder / "votes.json.gz").read_bytes()))
    votes.sort(key=lambda row: row["modified"])
    events = [VoteEvent(str(row["participant_id"]), str(row["statement_id"]), row["vote"]) for row in votes]
    return from_events(events), json.loads(gzip.decompress((folder / "math-pca2.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def published(server):
    """The server's group of each participant."""
    votes, math = server
    members = dict(zip(math["base-clusters"]["id"], math["base-clusters"]["members"], strict=True))
    group = {
        str(person): cluster["id"]
        for cluster in math["group-clusters"]
        for base in cluster["members"]
        for person in members[base]
    }
    return np.array([group[name] for name in votes.participants])


def same_up_to_sign(mine, theirs):
    return min(np.abs(mine - theirs).max(), np.abs(mine + theirs).max()) < TOLERANCE


def test_projection_equals_the_server(server):
    votes, math = server
    excluded = np.isin(np.array(votes.statements, dtype=int), math["mod-out"])
    found = find_groups(votes, excluded=excluded, scaled=True, resamples=0).projection
    assert np.allclose(found.centre, -np.array(math["pca"]["center"]), atol=TOLERANCE)  # agreeing is -1 over there
    assert all(same_up_to_sign(a, np.array(b)) for a, b in zip(found.axes, math["pca"]["comps"], strict=True))
    place = {str(m[0]): rank for rank, m in enumerate(math["base-clusters"]["members"])}
    order = [place[name] for name in votes.participants]
    for axis, key in enumerate("xy"):
        assert same_up_to_sign(found.coordinates[:, axis], np.array(math["base-clusters"][key])[order])
    assert np.allclose(found.extremity, math["pca"]["comment-extremity"], atol=TOLERANCE)


def test_groups_of_the_server_are_found_from_its_state(server, published):
    """From no state, k is the server's and the partition another optimum, slightly better (53.2 against 53.6)."""
    votes, math = server
    excluded = np.isin(np.array(votes.statements, dtype=int), math["mod-out"])
    free = find_groups(votes, excluded=excluded, scaled=True, resamples=0)
    assert len(free.sizes) == len(math["group-clusters"])
    points = free.projection.coordinates
    centres = np.stack([points[published == group].mean(axis=0) for group in range(3)])
    found = find_groups(votes, excluded=excluded, scaled=True, start=centres, resamples=0)
    assert adjusted_rand_score(published, found.label) == 1.0
    assert adjusted_rand_score(published, free.label) > 0.5

    def inertia(label):
        return sum(((points[label == g] - points[label == g].mean(axis=0)) ** 2).sum() for g in range(3))

    assert inertia(free.label) <= inertia(published)


def test_statistics_of_statements_equal_the_server(server, published):
    votes, math = server
    table = counts(votes, published)
    consensus = [math["group-aware-consensus"][name] for name in votes.statements]
    assert np.allclose(group_informed_consensus(share(table.agree, table.cast)), consensus, atol=TOLERANCE)
    meta = np.isin(np.array(votes.statements, dtype=int), math["meta-tids"])
    found = priorities(table, np.array(math["pca"]["comment-extremity"]), meta)
    assert np.allclose(found, [math["comment-priorities"][name] for name in votes.statements], atol=TOLERANCE)
    whole = table.total
    weight = share(whole.agree, whole.cast)[0] * z_half(whole.agree, whole.cast)[0] * ~meta
    best = [int(votes.statements[rank]) for rank in np.argsort(-weight, kind="stable")[:5]]
    assert best == [row["tid"] for row in math["consensus"]["agree"]]


def test_representative_statements_equal_the_server(server, published):
    votes, math = server
    excluded = np.isin(np.array(votes.statements, dtype=int), math["mod-out"])
    found = representative(votes.statements, counts(votes, published), excluded=excluded)
    theirs = [(int(group), row) for group, rows in sorted(math["repness"].items()) for row in rows]
    assert [(item.group, int(item.statement), item.side) for item in found] == [
        (group, row["tid"], row["repful-for"]) for group, row in theirs
    ]
    for item, (_, row) in zip(found, theirs, strict=True):
        numbers = (row["p-success"], row["repness"], row["p-test"], row["repness-test"])
        assert (item.share, item.ratio, item.z, item.z_ratio) == pytest.approx(numbers, abs=1e-6)
        assert (item.votes, item.cast) == (row["n-success"], row["n-trials"])


@pytest.mark.parametrize(("conversation", "floor"), [("15-per-hour-seattle", 0.85), ("scoop-hivemind.taxes", 0.85)])
def test_published_groups_are_found_again(real_data, conversation, floor):
    folder = real_data / "polis_votes" / conversation
    with (folder / "participants-votes.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["group-id"]]
    events = [
        VoteEvent(row["participant"], key, int(value)) for row in rows for key, value in row.items()
        if key.isdecimal() and value
    ]  # fmt: skip
    votes = from_events(events)
    group = {row["participant"]: row["group-id"] for row in rows}
    truth = [group[name] for name in votes.participants]
    assert adjusted_rand_score(truth, find_groups(votes, k=2, min_votes=1, resamples=0).label) >= floor
    assert len(find_groups(votes, min_votes=1, resamples=0).sizes) == 2
