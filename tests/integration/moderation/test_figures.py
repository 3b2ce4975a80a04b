"""The public figures of moderation, recomputed from what anybody downloads: the decisions and the log (AT-U2.3)."""

import datetime as dt
from collections import Counter
from statistics import median

import pytest
from sqlalchemy import select

from consult.moderation import figures, policy, service
from consult.moderation.bindings import ModerationDataset
from consult.moderation.models import Act
from consult.registry.models import RegistryEntry
from consult.security import digest, new_token
from tests.integration.moderation.world import World


@pytest.fixture
def world(session, now):
    """Reported by people, by the machine, by nobody; hidden, reworded, set aside; contested, upheld and reversed."""
    world = World(session)

    def at(n):
        return now + dt.timedelta(hours=n)

    def contest(decision, n):
        token = new_token()
        decision.contest_digest = digest(token)
        service.contest(session, token, "Relisez-moi.", now=at(n))

    world.report(at(0), reporter=policy.MACHINE, reason="personal_data")
    world.report(at(1), reporter="b")
    contest(world.decide(at(3), Act.HIDE, ground="personal_data"), 4)
    world.decide(at(5), Act.UPHOLD, seen=1, actor=world.actor(1))
    world.report(at(0), kind="argument")
    world.decide(at(7), Act.DISMISS, kind="argument")
    contest(world.decide(at(8), Act.HIDE, kind="argument", seen=1, ground="off_topic", machine=True), 9)
    world.decide(at(10), Act.RESTORE, kind="argument", seen=2, actor=world.actor(1), machine=True)
    world.report(at(10), kind="reply")
    world.decide(at(12), Act.REWORD, kind="reply", ground="off_topic")
    contest(world.decide(at(13), Act.HIDE, kind="reply", seen=1), 14)
    world.report(at(14), kind="argument", reporter="z")
    return world


def test_every_public_figure_is_recomputed_from_the_dump(world):
    """AT-U2.3: by reason, type, delay, appeal, machine or person."""
    rows = list(ModerationDataset().rows(world.session, world.consultation.id))
    shown = figures.statistics(world.session)
    assert shown.acts == Counter(Act(row["act"]) for row in rows)
    assert shown.acts[Act.UPHOLD] == shown.acts[Act.RESTORE] == 1
    hidden = [row for row in rows if row["act"] == "hide"]
    assert shown.hidden_by_ground == Counter(row["ground"] for row in hidden)
    assert shown.hidden_by_ground == {"personal_data": 1, "off_topic": 1, "insult": 1}
    names = {"contribution": "proposal"}
    assert shown.hidden_by_type == Counter(names.get(row["target_type"], row["target_type"]) for row in hidden)
    assert shown.automated == sum(row["automated"] for row in rows) == 3
    answers = [row["act"] for row in rows if row["appeal"]]
    assert shown.contests - shown.waiting_contests == len(answers) == 2
    assert shown.overturned == answers.count("restore") == 1
    assert shown.waiting_contests == 1
    delays = [row["delay_seconds"] for row in rows if row["delay_seconds"] is not None]
    assert shown.median_delay == dt.timedelta(seconds=median(delays)) == dt.timedelta(hours=3)
    assert shown.reports - shown.waiting_reports == sum(row["reports"] for row in rows) == 4
    assert shown.waiting_reports == 1


def test_the_log_says_of_each_decision_what_the_dump_says(world):
    """AT-U2.3: act, content, ground, article, machine."""
    told = ("act", "ground", "article", "automated")
    rows = ModerationDataset().rows(world.session, world.consultation.id)
    dumped = {row["id"]: (row["target"], *(row[name] for name in told)) for row in rows}
    openings = [entry.opening for entry in world.session.scalars(select(RegistryEntry))]
    decided = [said for said in openings if "decision" in said]
    logged = {said["decision"]: (said["item"], *(said[name] for name in told)) for said in decided}
    assert len(logged) == 7
    assert logged == dumped
