"""What a batch of texts is worth a moderator's look for: one suggestion a text and a kind, with its reason.

Each text is `{"id", "among", "author", "text", "new"}`, in the order of writing; those that are not new are there to be
compared with, and a text is compared with those of the same `among` only. Nothing is decided, hidden or kept here.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

from analysis import __version__
from analysis.lemma_tables import MODEL as TAGGER
from analysis.moderation.insults import Model, score
from analysis.semantic.campaigns import find_campaigns
from analysis.semantic.shingles import bare
from analysis.text import Vocabulary

MOST_LINKS = 3
SAME = 3  # texts of one author that say the same thing
CAMPAIGN = 5  # texts of several
LONGEST = 20_000  # characters that the tagger reads of one text
_LINK = re.compile(
    r"(?:https?://|\bwww\.)[^\s<>«»\"]+|\b[\w-]+\.(?:com|net|org|info|biz|shop|xyz|ly|me)/\S+", re.IGNORECASE
)
RULES = f"rules-{__version__}"
Span = tuple[int, int]


@dataclass(frozen=True)
class Suggestion:
    """One thing that a text may be worth a look for.

    `kind` is `insult`, `links`, `repetition`, `campaign` or `name`; `version` says what found it; `spans` where, in
    characters; `with_others` how many other texts say the same.
    """

    id: str
    kind: str
    version: str
    score: float
    spans: tuple[Span, ...] = ()
    with_others: int = 0


@dataclass(frozen=True)
class Text:
    """A text to read, or to compare with when it is not `new`."""

    id: str
    author: str | None
    text: str
    new: bool
    among: str = ""


def read(texts: Sequence[Text], model: Model | None, *, names: bool) -> list[dict[str, Any]]:
    """Every suggestion on the new texts, as plain rows; without model, none of insults."""
    fresh = [each for each in texts if each.new]
    found = list(_links(fresh))
    for among in dict.fromkeys(each.among for each in fresh):
        found += _copies([each for each in texts if each.among == among])
    if model is not None:
        found += _insults(fresh, model)
    if names:
        import spacy  # seconds, and 0.8 GB with its model

        found += _names(fresh, spacy.load(TAGGER, enable=["tok2vec", "ner"]))
    return [asdict(each) for each in found]


def _links(texts: Iterable[Text]) -> Iterator[Suggestion]:
    for each in texts:
        spans = tuple(match.span() for match in _LINK.finditer(each.text))
        covered = sum(end - start for start, end in spans)
        if len(spans) >= MOST_LINKS or (spans and covered * 2 > len(each.text)):
            yield Suggestion(each.id, "links", RULES, float(len(spans)), spans)


def _insults(texts: Iterable[Text], model: Model) -> Iterator[Suggestion]:
    for each in texts:
        found = score(model, each.text)
        if found.score >= model.threshold:
            yield Suggestion(each.id, "insult", f"insults-{model.version}", round(found.score, 3), found.spans)


def _copies(texts: Sequence[Text]) -> Iterator[Suggestion]:
    """Texts that say the same: of one author, or of several; an author is known by an identifier of the batch."""
    vocabulary = Vocabulary()
    tokens = vocabulary.tokenise(each.text for each in texts)
    authors = [each.author for each in texts]
    for campaign in find_campaigns(bare(tokens, vocabulary), authors=authors, smallest=SAME).campaigns:
        kind, least = ("repetition", SAME) if campaign.single_author else ("campaign", CAMPAIGN)
        if campaign.size >= least:
            for rank in campaign.texts:
                if texts[rank].new:
                    yield Suggestion(texts[rank].id, kind, RULES, float(campaign.size), with_others=campaign.size - 1)


def _names(texts: Sequence[Text], tagger: Callable[[str], Any]) -> Iterator[Suggestion]:
    for each in texts:
        spans = tuple(
            (entity.start_char, entity.end_char)
            for entity in tagger(each.text[:LONGEST]).ents
            if entity.label_ == "PER" and " " in entity.text.strip()
        )
        if spans:
            yield Suggestion(each.id, "name", f"{TAGGER}-{version(TAGGER)}", float(len(spans)), spans)
