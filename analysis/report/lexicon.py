"""Everything lexical about a source, before any file is written: words, classes, codes and campaigns.

Each figure that copied texts can swell is given twice: over all the readable texts, and with one text a campaign.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import tiers
from analysis.coding.codebook import Codebook
from analysis.coding.lexicon_rules import Lexicon, code_texts, register_words
from analysis.coding.shown import Coding, shown_codes
from analysis.coding.standing import Measure
from analysis.corpus import Corpus, Source, Variable
from analysis.errors import AnalysisError
from analysis.expressions import Proposal, propose
from analysis.languages import FRENCH, language
from analysis.lemmas import Lemmas
from analysis.lexical.cooccurrence import SimilarityTree, similarity_tree
from analysis.lexical.correspondence import Correspondence
from analysis.lexical.disclosure import PUBLISHED_FROM
from analysis.lexical.double import Agreement, classify_twice
from analysis.lexical.frequencies import Frequency, LemmaTokens, frequencies
from analysis.lexical.keyness import Keyness, keyness
from analysis.lexical.profiles import Profile, illustrated, plane, profiles, supplementary
from analysis.lexical.reinert import CLASSES, UNCLASSIFIED, Classification, check_options, classify
from analysis.lexical.repeated import Repeated, repeated_segments
from analysis.lexical.segments import Segments, Table, check_size, cut, tabulate
from analysis.lexical.specificity import Specificity, specificities
from analysis.prepare import Prepared, Progress, prepare
from analysis.reconciliation import Reconciliation, reconcile
from analysis.report import once
from analysis.semantic.campaigns import Register, find_campaigns
from analysis.semantic.shingles import bare
from analysis.text import Vocabulary

WORDS, CLASSIFICATION, CAMPAIGNS, CODES, SEGMENTS = "words", "classes", "campaigns", "codes", "segments"
EVERYTHING = (WORDS, CLASSIFICATION, CAMPAIGNS, CODES)  # repeated segments are read beside a classification alone
TYPICAL = 100

Chi2 = dict[tuple[int, str, str], float]  # by class, kind and name of a feature


@dataclass(frozen=True)
class Options:
    """What to compute, and how. `segment` is the size of segments in words, 0 for whole contributions."""

    parts: tuple[str, ...] = EVERYTHING
    classes: int = CLASSES
    segment: int = 0
    least: int | None = None
    double: bool = False
    seed: int = 1
    jobs: int = 1
    language: str = FRENCH


@dataclass(frozen=True)
class WordCounts:
    """The words of a corpus that may be published (`disclosure`).

    What ends in `without` counts one text a campaign: occurrences and texts of each lemma; specificities and keyness by
    variable, category and lemma, where there remain enough of it to be tried; the similarity tree.
    """

    frequencies: list[Frequency]
    without: dict[str, tuple[int, int]]
    specificities: list[tuple[Variable, list[Specificity]]]
    specificities_without: dict[tuple[str, str, str], Specificity]
    keyness: list[tuple[Variable, str, list[Keyness]]]
    keyness_without: dict[tuple[str, str, str], Keyness]
    tree: SimilarityTree
    tree_without: SimilarityTree
    proposals: list[Proposal]


@dataclass(frozen=True)
class RepeatedSegments:
    """The repeated segments of a corpus, and their profile in each class; `chi2_without` as in `Classes`."""

    found: Repeated
    profiles: list[Profile]
    chi2_without: Chi2


@dataclass(frozen=True)
class Supplementary:
    """Lemmas that take no part in the classification (function words, numbers, emojis), as its classes hold them: their
    profiles, `chi2_without` as in `Classes`, and their `places` on the plane, of shape (n_lemmas, n_axes), if any.
    """

    lemmas: tuple[str, ...]
    profiles: list[Profile]
    chi2_without: Chi2
    places: NDArray[np.float64] | None


@dataclass(frozen=True)
class Classes:
    """A classification of units, simple or double, with what describes its classes.

    `chi2_without` is the chi-square of each lemma and category in each class when campaigns count one text each;
    `illustrated` the places of the categories of each variable on the plane.
    """

    table: Table
    simple: Classification
    agreement: Agreement | None
    profiles: list[Profile]
    chi2_without: Chi2
    plane: Correspondence | None
    illustrated: list[tuple[Variable, NDArray[np.float64]]]
    supplementary: Supplementary
    repeated: RepeatedSegments | None

    @property
    def classes(self) -> NDArray[np.int32]:
        """The class of each unit, -1 for none, shape (n_units,)."""
        return self.simple.classes if self.agreement is None else self.agreement.classes


@dataclass(frozen=True)
class CorpusLexicon:
    """All that is known of one corpus; parts that were not asked for, or cannot be made, are None."""

    prepared: Prepared
    reconciliation: Reconciliation
    tier: tiers.Tier | None
    register: Register
    words: WordCounts | None
    classes: Classes | None
    coding: Coding
    notices: tuple[str, ...]

    @property
    def corpus(self) -> Corpus:
        """The corpus itself."""
        return self.prepared.corpus


@dataclass(frozen=True)
class LexiconStudy:
    """The results of one run, with the vocabulary that its numbers refer to."""

    source: Source
    codebook: Codebook | None
    options: Options
    vocabulary: Vocabulary
    lemmas: Lemmas
    corpora: list[CorpusLexicon]

    @property
    def billable(self) -> int:
        """Billable contributions over all the corpora, external sources left out."""
        return sum(found.reconciliation.billable for found in self.corpora if not found.corpus.external)


def study(
    source: Source,
    codebook: Codebook | None,
    options: Options,
    *,
    measures: Sequence[Measure] = (),
    overrides: dict[str, str] | None = None,
    expressions: Sequence[str] = (),
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LexiconStudy:
    """Compute what the options ask for. Deterministic for a source, codebook, options and seed, whatever the jobs.

    `measures` are those of the quality of the codes, by corpus.
    """
    check_options(options.classes, options.least)
    check_size(options.segment)
    vocabulary = Vocabulary(language(options.language))
    if codebook:
        codebook.check_language(options.language)
        register_words(codebook, vocabulary)
    prepared, lemmas = prepare(
        source.corpora,
        vocabulary,
        seed=options.seed,
        overrides=overrides,
        expressions=expressions,
        cache=cache,
        jobs=options.jobs,
        progress=progress,
    )
    found = []
    for rank, each in enumerate(prepared):
        steps = _Steps(progress, rank, len(prepared), each.corpus.key)
        found.append(_corpus(each, Lexicon(vocabulary, lemmas), codebook, measures, options, steps))
    return LexiconStudy(source, codebook, options, vocabulary, lemmas, found)


class _Steps:
    """Tells how far the parts of each corpus have come."""

    def __init__(self, progress: Progress | None, rank: int, corpora: int, key: str) -> None:
        self._progress, self._key = progress, key
        self._done, self._total = rank * len(EVERYTHING), corpora * len(EVERYTHING)

    def done(self, label: str) -> None:
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total, f"{label} de « {self._key} »")

    def within(self, label: str) -> Callable[[int, int], None] | None:
        """What a long part tells of its own progress."""
        progress = self._progress
        return progress and (lambda done, total: progress(done, total, f"{label} de « {self._key} »"))


def _corpus(
    prepared: Prepared,
    lexicon: Lexicon,
    codebook: Codebook | None,
    measures: Sequence[Measure],
    options: Options,
    steps: _Steps,
) -> CorpusLexicon:
    corpus, vocabulary, notices = prepared.corpus, lexicon.vocabulary, []
    register = find_campaigns(
        bare(prepared.tokens, vocabulary), authors=corpus.authors, dates=corpus.dates, progress=steps.within("doublons")
    )
    steps.done("campagnes")
    coding = shown_codes(
        corpus,
        codebook if CODES in options.parts else None,
        measures,
        lambda plan: code_texts(plan, prepared.tokens, lexicon, prepared.readable, steps.within("motifs")),
    )
    steps.done("codes")
    words, classes = None, None
    if WORDS in options.parts or CLASSIFICATION in options.parts:
        segments = cut(prepared.words, size=options.segment)
        table = tabulate(prepared.words, segments, min_texts=_least_texts(prepared))
        if WORDS in options.parts:
            words = _words(prepared, lexicon, register, table)
        if CLASSIFICATION in options.parts:
            try:
                classes = _classes(prepared, register, table, options, vocabulary, steps.within("classes"))
            except AnalysisError as error:
                notices.append(str(error))
    steps.done("mots")
    steps.done("classes")
    undecided = prepared.sorting.undecidable | coding.withheld
    held = coding.coded if CODES in options.parts else _classified(classes, len(corpus.ids))
    reconciliation = reconcile(corpus, prepared.sorting, held, undecided)
    tier = None if corpus.external else tiers.tier(reconciliation.billable)
    return CorpusLexicon(prepared, reconciliation, tier, register, words, classes, coding, tuple(notices))


def _classified(classes: Classes | None, texts: int) -> NDArray[np.bool_]:
    """Mask of the texts of which a unit at least has a class, shape (texts,)."""
    held = np.zeros(texts, dtype=np.bool_)
    if classes:
        held[classes.table.texts[classes.classes >= 0]] = True
    return held


def _least_texts(prepared: Prepared) -> int:
    """How many texts must hold a word that results show: a published report hides no word of its own."""
    return 1 if prepared.corpus.external else PUBLISHED_FROM


def _words(prepared: Prepared, lexicon: Lexicon, register: Register, table: Table) -> WordCounts:
    vocabulary, lemmas = lexicon.vocabulary, lexicon.lemmas
    words, variables = prepared.words, prepared.corpus.variables
    content = np.array(
        [lemmas.is_content(number, vocabulary.language) for number in range(len(lemmas.lemma))], dtype=np.bool_
    )
    found = frequencies(words, vocabulary)
    common_lemmas = frozenset(item.lemma for item in found)
    proposals = propose(prepared.tokens, lemmas, content) if len(lemmas.lemma) else []
    specific = [(variable, specificities(words, variable)) for variable in variables]
    key = list(_keyness(words, variables, common_lemmas))
    tree = tree_without = similarity_tree(table)
    key_without = key
    if register.campaigns:
        kept = register.first_only
        key_without = list(_keyness(words, variables, _telling(key), kept))
        tree_without = similarity_tree(table, units=kept[table.texts])
    return WordCounts(
        frequencies=found,
        without=once.occurrences(words, register),
        specificities=specific,
        specificities_without=once.specific(words, specific, register),
        keyness=key,
        keyness_without={(of.key, category, item.lemma): item for of, category, rows in key_without for item in rows},
        tree=tree,
        tree_without=tree_without,
        proposals=[pair for pair in proposals if common_lemmas.issuperset(pair.words)],
    )


def _keyness(
    words: LemmaTokens, variables: Sequence[Variable], only: frozenset[str], texts: NDArray[np.bool_] | None = None
) -> Iterator[tuple[Variable, str, list[Keyness]]]:
    """These lemmas in each category that holds words against the rest, when the rest holds some too."""
    for variable in variables:
        spoken = np.bincount(words.texts, minlength=len(variable.members)) > 0
        spoken = spoken if texts is None else spoken & texts
        for column, category in enumerate(variable.categories):
            target = variable.members[:, column]
            if 0 < int((spoken & target).sum()) < int(spoken.sum()):
                yield variable, category, keyness(words, target, texts=texts, only=only)


def _telling(key: Sequence[tuple[Variable, str, list[Keyness]]]) -> frozenset[str]:
    return frozenset(item.lemma for *_, rows in key for item in rows if item.significant)


def _classes(
    prepared: Prepared,
    register: Register,
    table: Table,
    options: Options,
    vocabulary: Vocabulary,
    progress: Callable[[int, int], None] | None,
) -> Classes:
    asked: dict[str, Any] = {"classes": options.classes, "least": options.least, "seed": options.seed}
    simple = classify(table, **asked, progress=progress)
    agreement = None
    if options.double:
        agreement = classify_twice(table, **asked, progress=progress).largest
    classes = simple.classes if agreement is None else agreement.classes
    kept, variables, ids = register.first_only[table.texts], prepared.corpus.variables, prepared.corpus.ids
    described = profiles(table, classes, variables=variables, typical=TYPICAL, shown=kept, ids=ids)
    found = plane(table, classes) if int(classes.max(initial=-1)) > 0 else None
    return Classes(
        table,
        simple,
        agreement,
        described,
        _without(table, classes, kept, described, variables),
        found,
        illustrated(found, table, classes, variables) if found else [],
        _supplementary(prepared, table.segments, classes, kept, found),
        _repeated(prepared, table.segments, vocabulary, classes, kept) if SEGMENTS in options.parts else None,
    )


def _without(
    table: Table,
    classes: NDArray[np.int32],
    kept: NDArray[np.bool_],
    described: list[Profile],
    variables: Sequence[Variable] = (),
) -> Chi2:
    """The chi-squares over the units `kept`, one text a campaign; `described` are the profiles over all of them."""
    if not kept.all():
        described = profiles(table, np.where(kept, classes, UNCLASSIFIED), variables=variables, typical=0)
    return {
        (profile.label, item.kind, item.name): item.chi2
        for profile in described
        for item in (*profile.features, *profile.variables)
    }


def _supplementary(
    prepared: Prepared,
    segments: Segments,
    classes: NDArray[np.int32],
    kept: NDArray[np.bool_],
    found: Correspondence | None,
) -> Supplementary:
    table = tabulate(prepared.words, segments, min_texts=_least_texts(prepared), content=False)
    described = profiles(table, classes, typical=0)
    without = _without(table, classes, kept, described)
    places = supplementary(found, table, classes) if found else None
    return Supplementary(table.lemmas, described, without, places)


def _repeated(
    prepared: Prepared,
    segments: Segments,
    vocabulary: Vocabulary,
    classes: NDArray[np.int32],
    kept: NDArray[np.bool_],
) -> RepeatedSegments:
    found = repeated_segments(prepared.words, segments, vocabulary.forms, min_texts=_least_texts(prepared))
    described = profiles(found.table, classes, typical=0)
    return RepeatedSegments(found, described, _without(found.table, classes, kept, described))
