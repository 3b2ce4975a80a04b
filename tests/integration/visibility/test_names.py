"""Under another name in one consultation, nobody outside finds the one that the account has elsewhere."""

import pytest

from consult.consultations.models import ContentStatus
from tests.integration.visibility import channels
from tests.integration.visibility.square import Square

OWN, APART = "Quoznom published", "Nymphéa"
CHANNELS = (
    *(channels.pages, channels.search, channels.api, channels.dump, channels.log, channels.mail),
    channels.catalogue,
)


@pytest.fixture
def square(database, settings):
    square = Square(database, settings)
    yield square
    square.app.extensions["database"].dispose()


@pytest.mark.slow  # a dump, and every page twice
@pytest.mark.sqlite_first
def test_a_name_chosen_for_a_consultation_stands_for_the_other_in_every_channel(square):
    """AT-18.1: page, list, search, API, dump, feed, log and mails; what a page in memory showed is forgotten."""
    square.write()
    square.analyse()
    replica, before = channels.Replica(square), dict(channels.pages(square))
    path = f"/mon-compte/pseudonymes/{square.open.slug}"
    square._post(square.authors[ContentStatus.PUBLISHED], path, pseudonym=APART)
    square.sign()
    square.work()
    told = {collect.__name__: list(collect(square)) for collect in CHANNELS} | {"feed": replica.follow()}
    assert {name for name, texts in told.items() if any(OWN in text for _, text in texts)} == set()
    assert {name for name, texts in told.items() if any(APART in text for _, text in texts)} == {"pages", "search"}
    shown, pages = dict(told["pages"]), [path for path, text in before.items() if OWN in text]
    assert len(pages) > 1
    assert all(APART in shown[path] for path in pages), "on every page that showed the other"
