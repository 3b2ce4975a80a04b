"""The results for machines: `results.json`, `assignments.ndjson` and `words.ndjson`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from analysis import tiers
from analysis.lexical.specificity import BANALITY
from analysis.provenance import FORMAT
from analysis.report import once
from analysis.report.listings import Listing
from analysis.report.pages import Lists, code_rows, quality_note, reconciliation_rows, shown, shown_frequencies
from analysis.report.study import CorpusResult, Study

KEPT_LEMMAS = 300
KEPT_FORMS = 300
KEPT_SPECIFIC = 50

Json = dict[str, Any]


def results(study: Study, lists: Lists, *, seed: int) -> Json:
    """Everything the report shows, and a little more, as plain data. Floats are already rounded."""
    return {
        "format": FORMAT,
        "source": source(study),
        "parameters": {"seed": seed},
        "publishable": study.publishable,
        "billable": study.billable,
        "codebook": _codebook(study),
        "notices": list(study.source.notices),
        "corrections": study.corrections,
        "corpora": [_corpus(study, result, lists) for result in study.corpora],
        "questionnaires": [
            {
                "key": result.questionnaire.key,
                "title": result.questionnaire.title,
                "replies": result.questionnaire.replies,
                "withheld": list(result.questionnaire.withheld),
                "notices": list(result.notices),
                "flat": [table.figures for table in result.flat],
                "cross": [asdict(table) for table in result.cross],
            }
            for result in study.questionnaires
        ],
    }


def source(study: Study) -> Json:
    """Which input the run read."""
    found = study.source
    return {
        "consultation": found.slug,
        "title": found.title,
        "digest": found.digest,
        "files": found.digests,
        "position": found.position,
        "origin": found.origin,
    }


def _codebook(study: Study) -> Json | None:
    codebook = study.codebook
    if codebook is None:
        return None
    return {
        "title": codebook.title,
        "version": codebook.version,
        "digest": codebook.digest,
        "missing_approvals": list(codebook.missing_approvals),
        "approvals": [asdict(approval) for approval in codebook.approvals],
        "codes": [{key: value for key, value in vars(code).items() if key != "nodes"} for code in codebook.codes],
        "failed_examples": [asdict(failed) for failed in study.failed_examples],
    }


def _corpus(study: Study, result: CorpusResult, lists: Lists) -> Json:
    corpus, rec = result.corpus, result.reconciliation
    counts = np.bincount(result.words.numbers)
    found = None if corpus.external else tiers.tier(rec.billable)
    return {
        "key": corpus.key,
        "title": corpus.title,
        "unit": corpus.unit,
        "asked": corpus.asked,
        "reconciliation": rec.figures,
        "reconciliation_rows": [
            {"label": label, "count": count, "page": page}
            for label, count, page in reconciliation_rows(study, result, lists)
        ],
        "set_apart": corpus.set_apart,
        "campaigns": _campaigns(result),
        "provenance": asdict(corpus.provenance) if corpus.provenance else None,
        "tier": found and {**asdict(found), "words": tiers.words(found)},
        "rules": {"version": result.sorting.rules.version, "counts": result.sorting.counts()},
        "notices": list(result.notices),
        "words": {
            "tokens": len(result.words.numbers),
            "lemmas": int((counts > 0).sum()),
            "hapaxes": int((counts == 1).sum()),
        },
        "lemmas": _lemmas(result, lists),
        "shown_lemmas": len(shown_frequencies(result)),
        "forms": _forms(result),
        "specificities": [_specificities(result, position, lists) for position in range(len(result.specificities))],
        "codes": _codes(study, result, lists),
        "quality_note": quality_note(result) if study.codebook else None,
        "withheld": [corpus.ids[rank] for rank in result.withheld],
        "uncoded": [corpus.ids[rank] for rank in result.uncoded] if study.codebook else [],
        "flat": [table.figures for table in result.flat],
        "cross": [
            {**asdict(table), "without": asdict(without)}
            for table, without in zip(result.cross, result.cross_without, strict=True)
        ],
    }


def _campaigns(result: CorpusResult) -> Json:
    """The register, by identifiers alone: published, a text would outlive the contribution, hidden or erased since."""
    register, ids = result.register, result.corpus.ids
    kept = {"kinds", "wordings", "authors", "first", "last", "size", "single_author"}
    return {
        "billable_without": int((register.first_only & ~result.sorting.nonresponse).sum()),
        "register": [
            {
                **{key: getattr(campaign, key) for key in sorted(kept)},
                "model": ids[campaign.model],
                "contributions": [ids[rank] for rank in campaign.texts],
            }
            for campaign in register.campaigns
        ],
    }


def _lemmas(result: CorpusResult, lists: Lists) -> list[Json]:
    return [
        {
            "lemma": item.lemma,
            "shown": shown(result, item.lemma),
            "pos": item.pos,
            "count": item.count,
            "texts": item.texts,
            "count_without": result.frequencies_without[item.lemma][0],
            "texts_without": result.frequencies_without[item.lemma][1],
            "forms": [list(form) for form in item.forms],
            "page": lists.get((result.corpus.key, "lemma", item.lemma)),
        }
        for item in [item for item in result.frequencies if item.content][:KEPT_LEMMAS]
    ]


def _codes(study: Study, result: CorpusResult, lists: Lists) -> list[Json]:
    """Every code; the figures of a withheld one are null."""
    return [
        {
            "code": row.code.id,
            "label": row.code.label,
            "parent": row.code.parent,
            **asdict(row.standing),
            "quality": row.quality,
            **{key: getattr(row.count, key, None) for key in ("direct", "total", "without", "share")},
            "base": result.reconciliation.billable,
            "page": lists.get((result.corpus.key, "code", row.code.id)),
            "contributions": [result.corpus.ids[rank] for rank in row.count.texts] if row.count else [],
        }
        for row in code_rows(study, result)
    ]


def _forms(result: CorpusResult) -> list[list[str | int]]:
    forms = [(form, count) for item in result.frequencies for form, count in item.forms]
    return [list(form) for form in sorted(forms, key=lambda form: (-form[1], form[0]))[:KEPT_FORMS]]


def _specificities(result: CorpusResult, position: int, lists: Lists) -> Json:
    variable, rows = result.specificities[position]
    found: dict[str, Json] = {}
    for item in rows:
        kept = found.setdefault(item.category, {"category": item.category, "t": item.t, "over": [], "under": []})
        side = "over" if item.score >= BANALITY else "under" if item.score <= -BANALITY else None
        if side:
            page = lists.get((result.corpus.key, "lemma", item.lemma))
            without = once.plain(result.specificities_without, variable.key, item.category, item.lemma)
            kept[side].append({**asdict(item), "shown": shown(result, item.lemma), "page": page, "without": without})
    for kept in found.values():
        kept["over"] = kept["over"][:KEPT_SPECIFIC]
        kept["under"] = kept["under"][::-1][:KEPT_SPECIFIC]
    total = rows[0].total_t if rows else 0
    return {"variable": variable.key, "label": variable.label, "total_t": total, "categories": list(found.values())}


def assignments(study: Study) -> Iterator[Json]:
    """One row per contribution and code it holds by its own patterns, with what decided."""
    for result in study.corpora:
        for hit in result.hits:
            yield {
                "corpus": result.corpus.key,
                "contribution": result.corpus.ids[hit.text],
                "code": hit.code,
                "by": "lexicon",
                "pattern": hit.pattern,
                "words": hit.words,
            }


def word_lists(result: CorpusResult, found: list[Listing]) -> Iterator[Json]:
    """The contributions behind each word that the report shows."""
    for listing in found:
        if listing.kind == "lemma":
            contributions = [result.corpus.ids[rank] for rank in listing.texts]
            yield {"corpus": result.corpus.key, "lemma": listing.key, "contributions": contributions}
