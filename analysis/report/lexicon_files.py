"""The lexical results as files: one JSON of figures, NDJSON lists of contributions, SVG drawings, and a manifest."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import corrections, provenance, tiers
from analysis.lexical.contrasts import Contrast, contrast
from analysis.lexical.disclosure import PUBLISHED_FROM, distinct_texts, without_rare_words
from analysis.lexical.profiles import Feature, Profile, Typical
from analysis.lexical.specificity import BANALITY
from analysis.report import class_files, class_page, once
from analysis.report.class_files import excerpt, summary
from analysis.report.lexicon import CLASSIFICATION, Chi2, Classes, CorpusLexicon, LexiconStudy, WordCounts

FORMAT = "consult-lexicon/1"
KEPT_LEMMAS = 1_000
KEPT_SPECIFIC = 50
KEPT_FEATURES = 100
KEPT_CONTRASTED = 100
KEPT_TYPICAL = 10
_AT_ONCE = 1_000_000

Json = dict[str, Any]


def write(out: Path, study: LexiconStudy) -> None:
    """Write every file but the manifest in an existing empty directory."""
    content = json.dumps(figures(study), ensure_ascii=False, indent=1)
    (out / "lexicon.json").write_text(content + "\n", encoding="utf-8")
    lists: tuple[tuple[str, Callable[[CorpusLexicon], Iterator[str]]], ...] = (
        ("duplicates.ndjson", _duplicates),
        ("classes.ndjson", _class_rows),
        ("codes.ndjson", _code_rows),
    )
    for name, rows in lists:
        with (out / name).open("w", encoding="utf-8") as file:
            for found in study.corpora:
                file.writelines(rows(found))
    if CLASSIFICATION in study.options.parts:
        class_files.write(out, study)
        class_page.write(out, study)


def figures(study: LexiconStudy) -> Json:
    """Everything but the lists of contributions, as plain data; floats are already rounded."""
    return {
        "format": FORMAT,
        "source": source(study),
        "options": asdict(study.options) | {"jobs": None},
        "codebook": {"version": study.codebook.version, "digest": study.codebook.digest} if study.codebook else None,
        "publishable": study.codebook is None or not study.codebook.missing_approvals,
        "billable": study.billable,
        "corrections": _corrections(study),
        "corpora": [_corpus(study, found) for found in study.corpora],
    }


def _corrections(study: LexiconStudy) -> Json:
    """Forms read as others: how many, and those that enough texts hold to be shown."""
    size = len(study.vocabulary)
    texts = np.zeros(size, dtype=np.int64)
    for found in study.corpora:
        tokens = found.prepared.tokens
        texts += distinct_texts(tokens.forms, tokens.texts, size)
    forms = study.vocabulary.forms
    return corrections.listed(study.lemmas, (forms[rank] for rank in np.flatnonzero(texts >= PUBLISHED_FROM).tolist()))


def source(study: LexiconStudy) -> Json:
    """Which input the run read."""
    found = study.source
    return {"title": found.title, "digest": found.digest, "files": found.digests, "position": found.position}


def _corpus(study: LexiconStudy, found: CorpusLexicon) -> Json:
    corpus, rec = found.corpus, found.reconciliation
    return {
        "key": corpus.key,
        "title": corpus.title,
        "unit": corpus.unit,
        "provenance": asdict(corpus.provenance) if corpus.provenance else None,
        "reconciliation": rec.figures,
        "tier": {**asdict(found.tier), "words": tiers.words(found.tier)} if found.tier else None,
        "rules": {"version": found.prepared.sorting.rules.version, "counts": found.prepared.sorting.counts()},
        "notices": list(found.notices),
        "campaigns": _campaigns(found),
        "codes": _codes(found),
        "words": _words(found.words) if found.words else None,
        "classes": _classes(study, found, found.classes) if found.classes else None,
    }


def _campaigns(found: CorpusLexicon) -> Json:
    register, corpus = found.register, found.corpus
    exact = register.duplicates.exact
    billable = found.prepared.billable
    return {
        "exact_copies": int(((exact >= 0) & (exact != np.arange(len(exact)))).sum()),
        "near_pairs": len(register.duplicates.pairs),
        "billable": int(billable.sum()),
        "billable_without": int((billable & register.first_only).sum()),
        "register": [
            {
                **asdict(campaign),
                "size": campaign.size,
                "single_author": campaign.single_author,
                "text": corpus.texts[campaign.model],
                "model": corpus.ids[campaign.model],
                "texts": [corpus.ids[rank] for rank in campaign.texts],
            }
            for campaign in register.campaigns
        ],
    }


def _codes(found: CorpusLexicon) -> list[Json]:
    """Contributions that hold each code by its own patterns, with and without campaigns; null for a withheld one."""
    kept, base = found.register.first_only, found.reconciliation.billable
    rows = []
    for code, standing in found.coding.standings.items():
        ranks = found.coding.hits.of(code).texts
        counts = (len(ranks), int(kept[ranks].sum())) if standing.shown else (None, None)
        rows.append({"code": code, "count": counts[0], "without": counts[1], "base": base, **asdict(standing)})
    return rows


def _words(words: WordCounts) -> Json:
    content = [item for item in words.frequencies if item.content][:KEPT_LEMMAS]
    return {
        "lemmas": [
            {
                "lemma": item.lemma,
                "pos": item.pos,
                "count": item.count,
                "texts": item.texts,
                "count_without": words.without.get(item.lemma, (0, 0))[0],
                "texts_without": words.without.get(item.lemma, (0, 0))[1],
                "forms": [list(form) for form in item.forms],
            }
            for item in content
        ],
        "specificities": _specificities(words),
        "correspondence": [
            {"variable": variable.key, "label": variable.label, **_contrast(found)}
            for variable, rows in words.specificities
            if (found := contrast(rows))
        ],
        "keyness": _keyness(words),
        "similarity_tree": asdict(words.tree),
        "similarity_tree_without": asdict(words.tree_without),
        "proposed_expressions": [asdict(proposal) for proposal in words.proposals],
    }


def _specificities(words: WordCounts) -> list[Json]:
    without = words.specificities_without
    return [
        {
            "variable": variable.key,
            "label": variable.label,
            "lemmas": [
                {**asdict(item), "without": once.plain(without, variable.key, item.category, item.lemma)}
                for item in rows
                if abs(item.score) >= BANALITY
            ],
        }
        for variable, rows in words.specificities
    ]


def _keyness(words: WordCounts) -> list[Json]:
    without = words.keyness_without
    return [
        {
            "variable": variable.key,
            "category": category,
            "lemmas": [
                {**asdict(item), "without": once.plain(without, variable.key, category, item.lemma)}
                for item in [item for item in rows if item.significant][:KEPT_SPECIFIC]
            ],
        }
        for variable, category, rows in words.keyness
    ]


def _contrast(found: Contrast) -> Json:
    """Axes, then each category, then the lemmas that weigh most on the first two axes."""
    axes = found.axes
    heavy = np.argsort(-axes.row_contributions[:, :2].max(axis=1), kind="stable")[:KEPT_CONTRASTED].tolist()
    return {
        "inertias": np.round(axes.inertias, 6).tolist(),
        "shares": np.round(100 * axes.shares, 2).tolist(),
        "categories": [
            _placed(name, axes.columns[rank], axes.column_contributions[rank])
            for rank, name in enumerate(found.categories)
        ],
        "lemmas": [_placed(found.lemmas[rank], axes.rows[rank], axes.row_contributions[rank]) for rank in heavy],
    }


def _placed(name: str, coordinates: NDArray[np.float64], contributions: NDArray[np.float64]) -> Json:
    return {
        "name": name,
        "coordinates": np.round(coordinates, 4).tolist(),
        "contributions": np.round(100 * contributions, 2).tolist(),
    }


def _classes(study: LexiconStudy, found: CorpusLexicon, classes: Classes) -> Json:
    kept = found.register.first_only[classes.table.texts]
    members = classes.classes
    plane = classes.plane
    return {
        "units": len(members),
        "segment": study.options.segment,
        "double": classes.agreement is not None,
        "least": classes.simple.least,
        "unclassified": int((members < 0).sum()),
        "unclassified_share": round(100 * float((members < 0).mean()), 2) if len(members) else None,
        "summary": asdict(summary(found, classes)),
        "without_words": int(found.prepared.readable.sum()) - len(np.unique(classes.table.texts)),
        "tree": _tree(classes),
        "classes": [
            {
                "label": profile.label,
                "units": profile.size,
                "units_without": int((kept & (members == profile.label)).sum()),
                "profile": _features(profile, profile.profile, classes.chi2_without),
                "antiprofile": _features(profile, profile.antiprofile, classes.chi2_without),
                "supplementary": _features(passive, passive.profile, classes.supplementary.chi2_without),
                "variables": _features(profile, profile.variables, classes.chi2_without),
                "typical": [_typical(study, found, classes, item) for item in profile.typical[:KEPT_TYPICAL]],
                "typical_on_average": [
                    _typical(study, found, classes, item) for item in profile.typical_on_average[:KEPT_TYPICAL]
                ],
            }
            for profile, passive in zip(classes.profiles, classes.supplementary.profiles, strict=True)
        ],
        "plane": plane
        and {
            "inertias": np.round(plane.inertias, 6).tolist(),
            "shares": np.round(100 * plane.shares, 2).tolist(),
            "classes": np.round(plane.columns, 4).tolist(),
        },
    }


def _features(profile: Profile, features: Sequence[Feature], without: Chi2) -> list[Json]:
    return [
        {**asdict(item), "chi2_without": without.get((profile.label, item.kind, item.name))}
        for item in features[:KEPT_FEATURES]
    ]


def _tree(classes: Classes) -> list[Json]:
    return [
        {
            "number": node.number,
            "parent": node.parent,
            "units": len(node.units),
            "chi2": None if node.chi2 is None else round(node.chi2, 3),
            "children": node.children,
            "label": node.label,
        }
        for node in classes.simple.nodes
    ]


def _typical(study: LexiconStudy, found: CorpusLexicon, classes: Classes, item: Typical) -> Json:
    return {
        "contribution": found.corpus.ids[int(classes.table.texts[item.unit])],
        "score": item.absolute,
        "relative": item.relative,
        "text": excerpt(study, found, classes, item.unit),
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _begun(found: CorpusLexicon) -> list[str]:
    """The start of the line of each contribution. Lines are put together by hand: there are tens of millions."""
    start = f'{{"corpus": {_json(found.corpus.key)}, "contribution": '
    return [start + _json(identifier) for identifier in found.corpus.ids]


def _duplicates(found: CorpusLexicon) -> Iterator[str]:
    """Every contribution that has a duplicate or a campaign."""
    register, ids, begun = found.register, found.corpus.ids, _begun(found)
    groups = register.duplicates.groups
    shared = np.bincount(groups, minlength=len(groups))[groups] > 1
    for rank in np.flatnonzero(shared | (register.family >= 0)).tolist():
        campaign = int(register.family[rank])
        group, number = _json(ids[int(groups[rank])]), _json(campaign if campaign >= 0 else None)
        yield f'{begun[rank]}, "group": {group}, "campaign": {number}}}\n'


def _class_rows(found: CorpusLexicon) -> Iterator[str]:
    """Every unit with its class, null when it has none."""
    if found.classes:
        begun = _begun(found)
        texts, offsets = found.classes.table.texts.tolist(), found.classes.table.segments.offsets.tolist()
        for text, offset, label in zip(texts, offsets, found.classes.classes.tolist(), strict=True):
            yield f'{begun[text]}, "word": {offset}, "class": {label if label >= 0 else "null"}}}\n'


def _code_rows(found: CorpusLexicon) -> Iterator[str]:
    """Every code given, with what decided."""
    hits, begun = without_rare_words(found.coding.hits), _begun(found)
    rules = [f', "code": {_json(code)}, "pattern": {_json(pattern)}, "words": ' for code, pattern in hits.rules]
    words = [_json(spelt) + "}\n" for spelt in hits.spelt]
    for low in range(0, len(hits), _AT_ONCE):
        part = hits[low : low + _AT_ONCE]
        for text, rule, number in zip(part.texts.tolist(), part.rule.tolist(), part.words.tolist(), strict=True):
            yield begun[text] + rules[rule] + words[number]


def write_manifest(out: Path, study: LexiconStudy, parameters: Json) -> None:
    """Write the manifest last; `parameters` are what a new run needs."""
    publishable = study.codebook is None or not study.codebook.missing_approvals
    provenance.write_manifest(out, source=source(study), parameters=parameters, publishable=publishable)
