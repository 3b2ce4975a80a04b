"""The lists of contributions behind each figure, as pages that the report links to."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from jinja2 import Environment

from analysis.lexical.specificity import BANALITY, Specificity
from analysis.report.study import CorpusResult

PAGE_SIZE = 500
SHOWN_LEMMAS = 40
SHOWN_OVER = 10
SHOWN_UNDER = 5
SHOWN_CAMPAIGNS = 50


@dataclass(frozen=True)
class Listing:
    """One list: `path` of its first page relative to the result directory, and the ranks of its texts."""

    kind: str
    key: str
    title: str
    path: str
    texts: tuple[int, ...]


def folder(corpus_key: str) -> str:
    """The directory of the lists of a corpus, relative to the result directory."""
    return f"contributions/{corpus_key.replace(':', '-')}"


def shown_specificities(rows: list[Specificity]) -> list[tuple[str, list[Specificity], list[Specificity]]]:
    """For each category, the most over-used and the most under-used lemmas beyond banality."""
    found = []
    for category, group in groupby(rows, key=lambda item: item.category):
        items = list(group)
        over = [item for item in items if item.score >= BANALITY][:SHOWN_OVER]
        under = [item for item in reversed(items) if item.score <= -BANALITY][:SHOWN_UNDER]
        found.append((category, over, under))
    return found


def shown_lemmas(result: CorpusResult) -> list[str]:
    """The lemmas that the report shows, and which therefore have a list: frequent ones, then specific ones."""
    found = [item.lemma for item in result.frequencies if item.content][:SHOWN_LEMMAS]
    for _, rows in result.specificities:
        for _, over, under in shown_specificities(rows):
            found += [item.lemma for item in (*over, *under)]
    return list(dict.fromkeys(found))


def listings(result: CorpusResult) -> Iterator[Listing]:
    """Every list of a corpus, in a fixed order."""
    base = folder(result.corpus.key)
    for number, count in enumerate(result.codes, start=1):
        title = f"Contributions codées « {count.label} »"
        yield Listing("code", count.code.id, title, f"{base}/code-{number}.html", count.texts)
    if result.standings:
        yield Listing("uncoded", "", "Contributions sans code", f"{base}/sans-code.html", result.uncoded)
    if result.withheld:
        title = "Contributions dont tous les codes sont retenus"
        yield Listing("withheld", "", title, f"{base}/codes-retenus.html", result.withheld)
    decided = np.array([rule or "" for rule in result.sorting.rule])
    for rule in (*result.sorting.rules.nonresponse, *result.sorting.rules.undecidable):
        texts = tuple(np.flatnonzero(decided == rule.id).tolist())
        if texts:
            yield Listing("rule", rule.id, f"Règle : {rule.label}", f"{base}/regle-{rule.id}.html", texts)
    for campaign in result.register.campaigns[:SHOWN_CAMPAIGNS]:
        rank = campaign.number + 1
        title = f"Contributions de la campagne {rank}"
        texts = (campaign.model, *(text for text in campaign.texts if text != campaign.model))
        yield Listing("campaign", str(campaign.number), title, f"{base}/campagne-{rank}.html", texts)
    for number, (lemma, texts) in enumerate(_texts_by_lemma(result), start=1):
        yield Listing("lemma", lemma, f"Contributions qui emploient « {lemma} »", f"{base}/mot-{number}.html", texts)


def _texts_by_lemma(result: CorpusResult) -> Iterator[tuple[str, tuple[int, ...]]]:
    words = result.words
    order = np.argsort(words.numbers, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(words.numbers, minlength=len(words.lemmas)))])
    numbers = {lemma: number for number, lemma in enumerate(words.lemmas)}
    for lemma in shown_lemmas(result):
        number = numbers[lemma]
        places = order[bounds[number] : bounds[number + 1]]
        yield lemma, tuple(np.unique(words.texts[places]).tolist())


def write(out: Path, result: CorpusResult, listing: Listing, environment: Environment) -> None:
    """Write the pages of one list."""
    template = environment.get_template("contributions.html")
    stem = listing.path.removesuffix(".html")
    total = max(1, -(-len(listing.texts) // PAGE_SIZE))
    names = [f"{stem}.html" if page == 1 else f"{stem}-p{page}.html" for page in range(1, total + 1)]
    patterns = {hit.text: hit for hit in result.hits.of(listing.key)} if listing.kind == "code" else {}
    for page, name in enumerate(names, start=1):
        ranks = listing.texts[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        rows = [(result.corpus.ids[rank], result.corpus.texts[rank], patterns.get(rank)) for rank in ranks]
        content = template.render(
            listing=listing,
            corpus=result.corpus,
            rows=rows,
            page=page,
            pages=[Path(other).name for other in names],
            root="../" * (name.count("/")),
        )
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
