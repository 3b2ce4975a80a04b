"""One visibility policy: for each type of content in each state, what a visitor gets of it by each channel.

The table says what the requirements do, and is written nowhere else. `text`: its words may be read. `why`: they may
not, and it is said that it is no longer published, and for what reason. `named`: its identifier alone, in the files of
an analysis that counted it, or in a change that takes it from a copy. `-`: nothing.
"""

import itertools
from collections.abc import Iterable

import pytest

from consult.consultations.labels import GROUNDS
from consult.consultations.models import ContentStatus
from tests.integration.visibility import channels
from tests.integration.visibility.square import ERASED, GROUND, HIDDEN, PENDING, PUBLISHED, WITHDRAWN, Square

TABLE = """
type     state      page  cache search  api   dump  feed  log   mail  catalogue
proposal published  text  text  text   text  text  text  text  -     -
proposal pending    -     -     -      -     -     -     -     -     -
proposal hidden     why   -     -      why   why   why   why   -     -
proposal withdrawn  why   -     -      why   why   why   why   -     -
proposal erased     why   -     -      why   why   why   why   -     -
argument published  text  text  -      text  text  text  text  -     -
argument pending    -     -     -      -     -     -     -     -     -
argument hidden     why   -     -      why   why   why   why   -     -
argument withdrawn  named -     -      why   why   why   why   -     -
argument erased     named -     -      why   why   why   why   -     -
reply    published  text  text  -      text  text  text  text  -     -
reply    pending    -     -     -      -     -     -     -     -     -
reply    hidden     why   -     -      why   why   why   why   -     -
reply    withdrawn  named -     -      -     -     named why   -     -
reply    erased     named -     -      -     -     named why   -     -
"""
REASONS = {
    HIDDEN: (f'"{GROUND}"', GROUNDS[GROUND].label),
    WITHDRAWN: ("withdrawn", "retirée par son auteur"),
    ERASED: ("erased", "effacée"),
}


def expected() -> dict[tuple[str, ContentStatus], dict[str, str]]:
    (_, _, *names), *rows = (line.split() for line in TABLE.strip().splitlines())
    return {(name, ContentStatus(state)): dict(zip(names, cells, strict=True)) for name, state, *cells in rows}


CHANNELS = {
    "page": channels.pages, "search": channels.search, "api": channels.api, "dump": channels.dump,
    "log": channels.log, "mail": channels.mail, "catalogue": channels.catalogue,
}  # fmt: skip
CHANGING = ("contributions", "arguments", "replies", "answers", "moderation")  # the lists that the acts here change
DRAFT = "quozebauche"
DRAFT_ADDRESSES = [
    *(f"/consultations/{DRAFT}{rest}" for rest in ("", f"/{DRAFT}-pas", f"/{DRAFT}-pas?q={DRAFT}")),
    *(f"/api/v1/consultations/{DRAFT}{rest}" for rest in ("", "/steps", "/questions", "/exports", "/changes")),
    f"/donnees-ouvertes/{DRAFT}/manifest.json",
]
# What no channel ever holds: a draft, an answer kept to the administration, an address, what a reply said first.
NEVER = (DRAFT, "quozreserve", "quozmail", "quozavantreply")
# Names that a page shows while their bearer has published something, and no other channel.
NAMES = {state: f"quoznom {state.value}" for state in ContentStatus}


@pytest.fixture
def square(database, settings):
    square = Square(database, settings)
    yield square
    square.app.extensions["database"].dispose()


@pytest.mark.slow  # two dumps, and every page four times
@pytest.mark.sqlite_first
def test_each_channel_tells_of_each_content_what_the_table_says(square):
    """AT-21.5, AT-6.2: before and after it is taken away, to whoever followed from before it was written."""
    table, replica = expected(), channels.Replica(square)
    assert table.keys() == set(itertools.product(square.bindings.content_types, ContentStatus)), "a row for each"
    square.sign()
    replica.follow()
    square.write()
    square.analyse()
    square.sign()
    square.work()
    told = told_by_all(square, replica)
    differences = []
    for content in square.contents:
        content.salts = {each["salt"] for each in channels.openings(square) if str(content.id) in str(each["content"])}
        state = PENDING if content.state is PENDING else PUBLISHED
        found = levels(square, content, told, state) | {"cache": "text" if in_memory(told["page"], content) else "-"}
        differences += differing(content, found, table[content.type, state])
    assert not differences, "\n".join(differences)
    check_secrets(told, gone=(PENDING,))
    remembered = take_everything_away(square, told["page"])
    square.sign()
    square.work()
    told = told_by_all(square, replica)
    for content in square.contents:
        found = levels(square, content, told, content.state) | {"cache": remembered[content.type, content.state]}
        differences += differing(content, found, table[content.type, content.state])
    assert not differences, "\n".join(differences)
    check_secrets(told, gone=(PENDING, WITHDRAWN, HIDDEN, ERASED))
    written_to = {address for address, _ in told["mail"]}
    assert {square.authors[HIDDEN].email, square.authors[ERASED].email} <= written_to
    copied, listed = replica.lists(), channels.lists(square)
    assert {name: copied.get(name, {}) for name in CHANGING} == {name: listed[name] for name in CHANGING}
    assert {channels.status(square, path) for path in DRAFT_ADDRESSES} == {404}


def told_by_all(square, replica) -> dict[str, list[channels.Document]]:
    told = {name: list(collect(square)) for name, collect in CHANNELS.items()} | {"feed": replica.follow()}
    return {name: [(name, text.lower()) for name, text in documents] for name, documents in told.items()}


def levels(square, content, told, state) -> dict[str, str]:
    """How much each channel tells of a content, but for mails to its author and to those who moderate."""
    concerned = {content.author.email, *(each.email for each in square.staff.values())}
    others = {"mail": [document for document in told["mail"] if document[0] not in concerned]}
    return {name: level(content, state, documents) for name, documents in (told | others).items()}


def differing(content, found, wanted) -> list[str]:
    assert found.keys() == wanted.keys()
    about = f"{content.type} {content.state.value}"
    return [f"{about}, {name}: {found[name]}, not {told}" for name, told in wanted.items() if found[name] != told]


def level(content, state, documents) -> str:
    if any(secret in text for _, text in documents for secret in (*content.words, *content.salts)):
        return "text"
    naming = [text for name, text in documents if str(content.id) in name or str(content.id) in text]
    if any(reason.lower() in text for text in naming for reason in REASONS.get(state, ())):
        return "why"
    return "named" if any(str(content.id) in text for text in naming) else "-"


def in_memory(pages, content) -> list[str]:
    """The pages that show a content, and that the memory of pages keeps."""
    return [path for path, text in pages if any(word in text for word in content.words)]


def take_everything_away(square, pages) -> dict[tuple[str, ContentStatus], str]:
    """Bring each content to its state while pages that show it are kept in memory; gives what these pages show after.

    No file of a dump that was made before is served.
    """
    files = [f"/donnees-ouvertes/{square.open.slug}/contributions.{form}" for form in ("ndjson", "csv", "xlsx")]
    shown = {(each.type, each.state): in_memory(pages, each) for each in square.contents}
    remembered = {key: "text" if paths else "-" for key, paths in shown.items()}
    leaving = [each for each in square.contents if each.state in {HIDDEN, WITHDRAWN}]
    for group in [*([each] for each in leaving), [each for each in square.contents if each.state is ERASED]]:
        paths = {path for each in group for path in shown[each.type, each.state]}
        for path in paths:
            assert square.visitor.get(path).status_code == 200
        square.take_away(group[0])
        after = [square.visitor.get(path).text.lower() for path in paths]
        for each in group:
            kept = any(word in text for text in after for word in each.words)
            remembered[each.type, each.state] = "text" if kept else "-"
        for path in files:
            assert square.visitor.get(path).status_code == 410
    return remembered


def check_secrets(told, *, gone: Iterable[ContentStatus]) -> None:
    for channel, documents in told.items():
        names = [NAMES[state] for state in (gone if channel in {"page", "search", "mail"} else ContentStatus)]
        found = {secret for secret in (*NEVER, *names) for _, text in documents if secret in text}
        assert not found, channel
