"""« Mes contributions et mes votes »: everything, page by page, each under the name it is shown by."""

import datetime as dt
import re

import pytest

from consult.contributions.models import Argument, ContentVersion, Proposal, Vote, VoteValue
from consult.db import ALL_TENANTS
from tests import factories as f
from tests import plans
from tests.plans import copies, scans, watched

LISTS = {"proposals": "/mon-compte/contributions", "arguments": "", "votes": ""}
LISTS |= {name: f"{LISTS['proposals']}/{name}" for name in ("arguments", "votes")}
REPLIES = "/mon-compte/reponses"
MANY = 207  # more than the two hundred that these pages once stopped at
SIZE = 20
CARDS = re.compile(r'<ul class="card-list">(.*?)</ul>', re.DOTALL)


def listed(client, path, page):
    """The items of one page of a list."""
    found = CARDS.search(client.get(f"{path}?page={page}").text)
    return found[1].split("</li>")[:-1] if found else []


class Life:
    """An account that wrote and voted a lot, in two consultations, under another name in the second."""

    def __init__(self, app) -> None:
        self.database, self.client = app.extensions["database"], app.test_client()
        with self.database.transaction(tenant=ALL_TENANTS) as session:
            session.expire_on_commit = False
            self.session, self.organisation = session, f.make_organisation(session)
            self.me = f.make_account(session, self.organisation, pseudonym="Ysolde Quartz")
            self.other = f.make_account(session, self.organisation, pseudonym="Basalte")
            self.places = [
                f.make_step(session, f.make_consultation(session, self.organisation, title=title))
                for title in ("Le train du soir", "Le marché couvert")
            ]
            f.make_pseudonym(session, self.me, self._of(1), "Nymphéa")
            self.theirs = f.make_proposal(session, self.places[0], self.other, title="Une idée d’autrui")
            self._fill()
        f.sign_in(self.client, self.me)

    def _of(self, place):
        return self.session.get_one(f.Consultation, self.places[place].consultation_id)

    def _fill(self) -> None:
        for rank in range(MANY):
            at = f.NOW + dt.timedelta(minutes=rank // 2)  # two at the same minute: the order is whole all the same
            place = self.places[rank % 2]
            named = {"created_at": at, "title": f"Idée {rank:03d}"}
            proposal = f.make_proposal(self.session, place, self.me, **named)
            f.make_argument(self.session, proposal, self.me, body=f"Raison {rank:03d}.", created_at=at)
            f.make_vote(self.session, proposal, self.me, VoteValue.MIXED, cast_at=at)
        self.reactions = [
            f.make_argument(self.session, self.theirs, self.other, body="Raison d’autrui."),
            f.make_vote(self.session, self.theirs, self.other),
        ]


@pytest.fixture
def life(app) -> Life:
    return Life(app)


@pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
def test_every_page_together_shows_everything_once_the_latest_first(life, path):
    pages = [listed(life.client, path, page) for page in range(1, 12)]
    assert [len(page) for page in pages] == [SIZE] * 10 + [MANY % SIZE]
    ranks = [int(re.search(r"(?:Idée|Raison) (\d{3})", item)[1]) for page in pages for item in page]
    assert sorted(ranks) == list(range(MANY))
    assert [rank // 2 for rank in ranks] == sorted((rank // 2 for rank in range(MANY)), reverse=True)
    assert not any("autrui" in item for page in pages for item in page)
    assert listed(life.client, path, 999) == pages[-1], "beyond the end, the last"
    assert listed(life.client, path, "x") == pages[0]
    assert f'href="{path}?page=11"' in life.client.get(path).text


def test_each_text_says_where_it_is_and_under_which_other_name(life):
    """AT-18.1: who took a name for a consultation is told that it is shown by it there, and not elsewhere."""
    for path in (LISTS["proposals"], LISTS["arguments"]):
        for item in listed(life.client, path, 1):
            apart = "« Le marché couvert »" in item
            assert apart is not ("« Le train du soir »" in item)
            assert ("sous le nom « Nymphéa »" in item) is apart
            assert "Ysolde Quartz" not in item
    assert "Nymphéa" not in "".join(listed(life.client, LISTS["votes"], 1)), "a vote is shown under no name"


@pytest.mark.slow
@pytest.mark.parametrize("path", LISTS.values(), ids=LISTS)
def test_a_page_reads_few_rows_whatever_there_is(life, path):
    with life.database.transaction(tenant=ALL_TENANTS) as session:  # somebody else's: so many that no plan is near
        proposals = copies(session, life.theirs, [{}] * plans.MANY)
        about = [{"proposal_id": each} for each in proposals]
        for row in life.reactions:
            copies(session, row, about)
    if not life.database.is_sqlite:
        with life.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for model in (Proposal, Argument, Vote):
                connection.exec_driver_sql(f"ANALYZE {model.__tablename__}")
    with watched(life.database) as sent:
        assert life.client.get(f"{path}?page=3").status_code == 200
    assert len(sent) <= 12
    assert scans(life.database, sent) == []


def test_replies_come_page_by_page_too(life):
    with life.database.transaction(tenant=ALL_TENANTS) as session:
        consultation = session.get_one(f.Consultation, life.places[0].consultation_id)
        for rank in range(SIZE + 1):
            step = f.make_step(session, consultation, kind="questionnaire", title=f"Enquête {rank:02d}")
            f.make_reply(session, step, life.me, {}, received_at=f.NOW + dt.timedelta(hours=rank))
    titles = [re.findall(r"Enquête \d\d", life.client.get(f"{REPLIES}?page={page}").text) for page in (1, 2)]
    assert titles == [[f"Enquête {rank:02d}" for rank in range(SIZE, 0, -1)], ["Enquête 00"]]


def test_former_texts_beyond_the_two_hundredth_are_still_read(app, life):
    """A text that was edited often keeps its whole history, compared page after page."""
    with life.database.transaction(tenant=ALL_TENANTS) as session:
        item = f.make_proposal(session, life.places[0], life.me, body=f"Texte {MANY}", version=MANY)
        said = {"organisation_id": item.organisation_id, "proposal_id": item.id, "title": "T", "replaced_at": f.NOW}
        session.add_all(ContentVersion(**said, version=rank, body=f"Texte {rank}") for rank in range(1, MANY))
        session.flush()
        where = f"/contributions/{item.id}/versions"
    shown: list[str] = []
    for page in range(1, 22):
        found = re.findall(r'id="v(\d+)"', life.client.get(f"{where}?page={page}").text)
        assert len(found) == (10 if page < 21 else 7)
        shown += found
    assert shown == [str(rank) for rank in range(MANY, 0, -1)]
    text = life.client.get(f"{where}?page=2").text
    assert "<ins>" in text.partition(f'id="v{MANY - 19}"')[2], "compared with the first of the next page"
