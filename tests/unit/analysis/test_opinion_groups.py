import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from analysis.__main__ import main
from analysis.errors import AnalysisError
from analysis.semantic.opinion_groups import find_groups, project
from analysis.semantic.positions import changes, counts, representative, statements
from analysis.semantic.votes import VoteEvent, from_events, read_ballots

SIDES = {"a": (1, 1, 1, -1, -1, 1), "b": (-1, -1, -1, 1, 1, 1)}


def two_camps(each=30, *, noise=0.05, missing=0.1, seed=3):
    """Participants a0… and b0… of two camps opposed on s0 to s4 and agreed on s5."""
    draws = np.random.default_rng(seed)
    return [
        VoteEvent(f"{side}{rank}", f"s{place}", int(-value if draws.random() < noise else value))
        for side, values in SIDES.items()
        for rank in range(each)
        for place, value in enumerate(values)
        if draws.random() >= missing
    ]


@pytest.fixture(scope="module")
def camps():
    votes = from_events(two_camps())
    return votes, find_groups(votes, min_votes=2, resamples=10)


def test_opposed_camps_are_found_with_their_number_and_stability(camps):
    votes, found = camps
    truth = [name[0] for name in votes.participants]
    assert len(found.sizes) == 2
    assert adjusted_rand_score(truth, found.label) > 0.9
    assert found.stability.rand > 0.8
    assert max(found.stability.chosen, key=found.stability.chosen.get) == 2
    assert found.notices == ()


def test_groups_do_not_depend_on_the_order_of_votes_and_repeat_with_the_seed(camps):
    """AT-U4.7: the consensus map from votes is reproducible."""
    _, found = camps
    events = two_camps()
    again = find_groups(from_events(events[::-1]), min_votes=2, resamples=10)
    assert again.label.tolist() == found.label.tolist()
    assert again.stability.rand == found.stability.rand
    assert again.stability.kept.tolist() == found.stability.kept.tolist()
    assert np.array_equal(again.projection.coordinates, found.projection.coordinates)


def test_axes_equal_those_of_the_dense_imputed_matrix(camps):
    votes, _ = camps
    dense = np.full(votes.shape, np.nan)
    dense[votes.row, votes.column] = votes.value
    mean = np.nanmean(dense, axis=0)
    centred = np.where(np.isnan(dense), mean, dense) - mean
    _, singular, axes = np.linalg.svd(centred)
    mine = project(votes)
    assert np.allclose(np.abs(mine.axes), np.abs(axes[:2]), atol=1e-10)
    assert mine.explained == pytest.approx(singular[:2] ** 2 / (singular**2).sum(), abs=1e-6)
    stretched = project(votes, scaled=True).coordinates
    assert np.allclose(stretched, mine.coordinates * np.sqrt(6 / votes.cast)[:, None])


def test_many_statements_take_the_iterative_way_to_the_same_axes(camps, monkeypatch):
    votes, _ = camps
    monkeypatch.setattr("analysis.semantic.opinion_groups._LARGEST_GRAM", 2)
    iterative = project(votes)
    monkeypatch.undo()
    assert np.allclose(iterative.axes, project(votes).axes, atol=1e-8)


def test_the_last_vote_counts_and_silent_ones_are_not_placed():
    events = [*two_camps(), VoteEvent("late", "s0", 1), VoteEvent("late", "s0", -1)]
    votes = from_events(events)
    rank = votes.participants.index("late")
    assert votes.value[votes.row == rank].tolist() == [-1]
    found = find_groups(votes, min_votes=2, resamples=0)
    assert found.label[rank] == -1
    assert found.notices == ("1 participant a trop peu voté pour être placé dans un groupe.",)


@pytest.mark.parametrize(
    "events",
    [
        [VoteEvent("a", "s", 1)],
        [VoteEvent(str(n), "s", 1) for n in range(30)],
        [VoteEvent("a", f"s{n}", 1) for n in range(30)],
        [VoteEvent(str(n), f"s{n}", -1) for n in range(30)],
    ],
)
def test_votes_that_separate_nobody_make_one_group(events):
    found = find_groups(from_events(events), resamples=5)
    assert len(found.sizes) == 1
    assert "Les votes ne séparent pas de groupes" in found.notices[-1]
    assert found.stability is None


def test_statements_are_told_by_what_each_group_thinks():
    events = [
        *two_camps(20, noise=0, missing=0),
        *(VoteEvent(f"a{n}", "amended", 1) for n in range(20)),
        *(VoteEvent(f"b{n}", "amended", (1, 1, 0, -1)[n % 4]) for n in range(20)),
        *(VoteEvent(f"{side}{n}", "refused", -1) for side in "ab" for n in range(20)),
        *(VoteEvent(f"a{n}", "unsure", 0) for n in range(20)),
    ]
    votes = from_events(events)
    label = np.array([0 if name[0] == "a" else 1 for name in votes.participants])
    found = {item.statement: item for item in statements(votes.statements, counts(votes, label))}
    assert {name: item.kind for name, item in found.items()} == {
        "amended": "compromise",
        "refused": "rejection",
        "s0": "dissensus",
        "s1": "dissensus",
        "s2": "dissensus",
        "s3": "dissensus",
        "s4": "dissensus",
        "s5": "consensus",
        "unsure": "open",
    }
    assert found["s5"].consensus == pytest.approx((21 / 22) ** 2, abs=1e-6)
    assert found["s5"].lowest == found["s5"].geometric_mean == pytest.approx(21 / 22, abs=1e-4)
    assert (found["s0"].agree, found["s0"].disagree, found["s0"].divergence) == (20, 20, round(20 / 22, 4))
    assert found["unsure"].passed == 20


def test_a_view_held_by_a_small_group_alone_is_listed_as_minority():
    events = [VoteEvent(f"a{n}", "s", 1) for n in range(8)] + [VoteEvent(f"b{n}", "s", -1) for n in range(40)]
    votes = from_events(events)
    label = np.array([int(name[0] == "b") for name in votes.participants])
    (found,) = statements(votes.statements, counts(votes, label))
    assert found.minority == (0,)
    listed = representative(votes.statements, counts(votes, label), limit=None)
    assert [(item.group, item.side, item.corrected) for item in listed] == [(0, "agree", True), (1, "disagree", True)]


def test_change_of_position_is_a_paired_test():
    """AT-U4.7: opinion change; reference values from statsmodels on the same tables."""
    from statsmodels.stats.contingency_tables import SquareTable, mcnemar

    moves = [(1, 1)] * 10 + [(-1, 1)] * 9 + [(0, 1)] * 4 + [(1, -1)] * 2 + [(1, 0)] * 3 + [(-1, -1)] * 7 + [(0, -1)]
    before = [VoteEvent(str(n), "s", first) for n, (first, _) in enumerate(moves)]
    after = [VoteEvent(str(n), "s", second) for n, (_, second) in enumerate(moves)]
    (found,) = changes([*before, VoteEvent("absent", "s", 1)], [*after, VoteEvent("new", "s", -1)])
    assert (found.people, found.towards, found.away) == (36, 13, 6)
    assert found.moves == ((10, 3, 2), (4, 0, 1), (9, 0, 7))
    assert found.p_direction == pytest.approx(mcnemar(np.array([[0, 13], [6, 0]]), exact=True).pvalue, rel=1e-3)
    table = SquareTable(np.array(found.moves, dtype=float), shift_zeros=False)
    assert found.p_margins == pytest.approx(table.homogeneity(method="stuart_maxwell").pvalue, rel=1e-3)


def test_nobody_moved():
    events = [VoteEvent(str(n), "s", 1) for n in range(5)]
    (found,) = changes(events, events)
    assert (found.towards, found.away, found.p_direction, found.p_margins, found.corrected) == (0, 0, 1.0, None, False)
    assert changes([], events) == ()


def test_command_writes_groups_and_changes(tmp_path, capsys):
    votes = tmp_path / "votes.csv"
    lines = [f"{e.participant},{e.statement},{e.value}" for e in two_camps()]
    votes.write_text("participant,statement,vote\n" + "\n".join(lines), encoding="utf-8")
    before = tmp_path / "before.csv"
    before.write_text("participant,statement,vote\na0,s0,-1\na1,s0,-1\n", encoding="utf-8")
    out = tmp_path / "groups.json"
    arguments = [
        "groups",
        str(votes),
        "--out",
        str(out),
        "--resamples",
        "3",
        "--min-votes",
        "2",
        "--before",
        str(before),
    ]
    assert main([*arguments, "--exclude", "s5"]) == 0
    assert "60 participants, 2 groupes" in capsys.readouterr().out
    report = json.loads(out.read_text(encoding="utf-8"))
    assert sum(report["sizes"]) == sum(row["group"] is not None for row in report["participants"])
    assert {row["kind"] for row in report["statements"]} >= {"dissensus"}
    assert [row["statement"] for row in report["changes"]] == ["s0"]
    assert main([*arguments, "--exclude", "zzz"]) == 1
    assert "« zzz » n’a reçu aucun vote" in capsys.readouterr().err


def test_votes_of_an_open_dump_are_read_in_the_order_they_were_cast(tmp_path):
    vote = {"target_type": "contribution", "target": "p1", "voter": "v", "value": "for"}
    rows = [
        {**vote, "cast_at": "2026-03-02T10:00:00Z"},
        {**vote, "value": "against", "cast_at": "2026-03-01T10:00:00Z"},
        {**vote, "target_type": "argument", "cast_at": "2026-03-01T10:00:00Z"},
        {**vote, "voter": None, "cast_at": "2026-03-01T10:00:00Z"},
    ]
    (tmp_path / "votes.ndjson").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_ballots(tmp_path)
    assert [event[:3] for event in found.events] == [("v", "p1", -1), ("v", "p1", 1)]
    assert (found.removed, found.elsewhere, found.received) == ((("p1", 1),), 1, 4)


def test_votes_of_removed_accounts_are_counted_by_statement_and_every_vote_is_accounted_for(tmp_path, capsys):
    """AT-U4.7: received = in groups + not placed + of removed accounts + replaced + on something else."""
    live = [
        {"target": event.statement, "voter": event.participant, "value": {1: "for", -1: "against"}[event.value]}
        for event in two_camps()
    ]
    gone = [{"target": "s0", "voter": None, "value": value} for value in ("for", "for", "against")]
    shy = [{"target": "s0", "voter": "shy", "value": "for"}]
    again = [{**live[0], "cast_at": "2026-03-09T10:00:00Z"}]
    other = [{**live[0], "target_type": "argument"}]
    rows = [
        {"target_type": "contribution", "cast_at": "2026-03-01T10:00:00+01:00", **row}
        for row in (*live, *gone, *shy, *again, *other)
    ]
    (tmp_path / "votes.ndjson").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    out = tmp_path / "groups.json"
    assert main(["groups", str(tmp_path), "--min-votes", "3", "--resamples", "0", "--out", str(out)]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    account = report["reconciliation"]
    assert account == {
        "received": len(rows),
        "in_groups": len(live),
        "of_unplaced": 1,
        "of_removed_accounts": 3,
        "replaced": 1,
        "elsewhere": 1,
    }
    assert report["removed_accounts"] == [{"statement": "s0", "agree": 2, "disagree": 1, "passed": 0}]
    manifest = json.loads((tmp_path / "groups.json.manifest.json").read_text(encoding="utf-8"))
    assert manifest["summary"]["reconciliation"] == account
    assert f"{len(rows)} votes reçus = {len(live)} dans les groupes + 1 de participants" in capsys.readouterr().out


def write_events(path, *events):
    lines = ["participant,statement,vote,cast_at", *(",".join(map(str, event)) for event in events)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_one_file_of_vote_events_is_split_at_a_date(tmp_path, capsys):
    """AT-U4.7: the same people before and after a day of exchange, which begins at midnight in Paris."""
    path, out = tmp_path / "votes.csv", tmp_path / "groups.json"
    night = "2026-03-01T23:30:00Z"  # already the 2nd in Paris
    first = [(f"p{n}", "s", -1, "2026-02-20T10:00:00Z") for n in range(9)]
    second = [(f"p{n}", "s", 1, night) for n in range(7)] + [("new", "s", 1, night)]
    write_events(path, *second, *first)
    line = ["groups", str(path), "--min-votes", "1", "--resamples", "0", "--out", str(out), "--before"]
    assert main([*line, "2026-03-02"]) == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    (change,) = report["changes"]
    assert (change["people"], change["towards"], change["away"]) == (7, 7, 0)
    assert change["p_direction"] == pytest.approx(2 / 2**7, rel=1e-3)
    assert report["paired"] == {"both": 7, "before_only": 2, "after_only": 1}
    manifest = json.loads((tmp_path / "groups.json.manifest.json").read_text(encoding="utf-8"))
    assert manifest["parameters"]["options"]["cut"] == "2026-03-02"
    assert main(["verify", str(out)]) == 0
    assert main([*line, "2026-01-01"]) == 0
    assert "aucun changement ne se mesure" in capsys.readouterr().out
    write_events(path, ("p", "s", 1, "hier"))
    assert main([*line, "2026-03-02"]) == 1
    assert "n’est pas daté" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("v.csv", "participant,statement,vote\na,s,peut-être\n", "ligne 2 : « peut-être » n’est pas un vote"),
        ("v.csv", "participant,statement,vote\na,,1\n", "ligne 2 : « statement » manque"),
        ("v.csv", "x\n1\n", "« participant » manque"),
        ("v.csv", "", "Aucun vote à lire"),
        ("v.ndjson", "{}", "« participant » manque"),
        ("v.ndjson", "[1]", "ligne 1 : ce n’est pas un objet JSON"),
    ],
)
def test_faulty_votes_are_refused_naming_line_and_remedy(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(AnalysisError, match=message):
        from_events(read_ballots(path).events)


def test_impossible_requests_are_refused(tmp_path):
    with pytest.raises(AnalysisError, match="9 groupes pour 1 participant"):
        find_groups(from_events([VoteEvent("a", "s", 1)]), k=9)
    with pytest.raises(AnalysisError, match="n’existe pas"):
        read_ballots(tmp_path / "absent")
    (tmp_path / "votes.csv").write_bytes(b"participant\xff")
    with pytest.raises(AnalysisError, match="n’est pas un CSV en UTF-8"):
        read_ballots(tmp_path / "votes.csv")
    with pytest.raises(AnalysisError, match=r"« votes\.ndjson » manque"):
        read_ballots(tmp_path)
