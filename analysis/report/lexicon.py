"""Everything lexical about a source, before any file is written: words, classes, codes and campaigns.

Each figure that copied texts can swell is given twice: over all the readable texts, and with one text a campaign.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis import tiers
from analysis.coding.codebook import Codebook
from analysis.coding.hits import Hits, no_hits
from analysis.coding.lexicon_rules import Lexicon, code_texts, register_words
from analysis.corpus import Corpus, Source, Variable
from analysis.errors import AnalysisError
from analysis.expressions import Proposal, propose
from analysis.languages import FRENCH, language
from analysis.lemmas import Lemmas
from analysis.lexical.cooccurrence import SimilarityTree, similarity_tree
from analysis.lexical.correspondence import Correspondence
from analysis.lexical.disclosure import PUBLISHED_FROM, distinct_texts
from analysis.lexical.double import Agreement, classify_twice
from analysis.lexical.frequencies import Frequency, LemmaTokens, frequencies
from analysis.lexical.keyness import Keyness, keyness
from analysis.lexical.profiles import Profile, plane, profiles
from analysis.lexical.reinert import CLASSES, Classification, check_options, classify
from analysis.lexical.segments import Table, check_size, cut, tabulate
from analysis.lexical.specificity import Specificity, specificities
from analysis.prepare import Prepared, Progress, prepare
from analysis.report.study import Reconciliation
from analysis.semantic.campaigns import Register, find_campaigns
from analysis.semantic.shingles import bare
from analysis.text import Vocabulary

WORDS, CLASSIFICATION, CAMPAIGNS, CODES = "words", "classes", "campaigns", "codes"
EVERYTHING = (WORDS, CLASSIFICATION, CAMPAIGNS, CODES)


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
    """The words of a corpus that may be published (`disclosure`); `without`: occurrences and texts of each lemma with
    one text a campaign.
    """

    frequencies: list[Frequency]
    without: dict[str, tuple[int, int]]
    specificities: list[tuple[Variable, list[Specificity]]]
    keyness: list[tuple[Variable, str, list[Keyness]]]
    tree: SimilarityTree
    proposals: list[Proposal]


@dataclass(frozen=True)
class Classes:
    """A classification of units, simple or double, with what describes its classes."""

    table: Table
    simple: Classification
    agreement: Agreement | None
    profiles: list[Profile]
    plane: Correspondence | None

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
    hits: Hits
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
    overrides: dict[str, str] | None = None,
    expressions: Sequence[str] = (),
    cache: Path | None = None,
    progress: Progress | None = None,
) -> LexiconStudy:
    """Compute what the options ask for. Deterministic for a source, codebook, options and seed, whatever the jobs."""
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
        found.append(_corpus(each, vocabulary, lemmas, codebook, options, steps))
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


def _corpus(
    prepared: Prepared,
    vocabulary: Vocabulary,
    lemmas: Lemmas,
    codebook: Codebook | None,
    options: Options,
    steps: _Steps,
) -> CorpusLexicon:
    corpus, notices = prepared.corpus, []
    register = find_campaigns(bare(prepared.tokens, vocabulary), authors=corpus.authors, dates=corpus.dates)
    steps.done("campagnes")
    hits = no_hits()
    if codebook and CODES in options.parts:
        hits = code_texts(codebook, prepared.tokens, Lexicon(vocabulary, lemmas), prepared.readable)
    steps.done("codes")
    words, classes = None, None
    if WORDS in options.parts or CLASSIFICATION in options.parts:
        segments = cut(prepared.words, size=options.segment)
        table = tabulate(prepared.words, segments, min_texts=_least_texts(prepared))
        if WORDS in options.parts:
            words = _words(prepared, vocabulary, lemmas, register, table)
        if CLASSIFICATION in options.parts:
            try:
                classes = _classes(prepared, table, options)
            except AnalysisError as error:
                notices.append(str(error))
    steps.done("mots")
    steps.done("classes")
    reconciliation = _reconciled(prepared, hits)
    tier = None if corpus.external else tiers.tier(reconciliation.billable)
    return CorpusLexicon(prepared, reconciliation, tier, register, words, classes, hits, tuple(notices))


def _least_texts(prepared: Prepared) -> int:
    """How many texts must hold a word that results show: a published report hides no word of its own."""
    return 1 if prepared.corpus.external else PUBLISHED_FROM


def _reconciled(prepared: Prepared, hits: Hits) -> Reconciliation:
    coded = np.zeros(len(prepared.corpus.ids), dtype=np.bool_)
    coded[hits.texts] = True
    return Reconciliation(
        received=prepared.corpus.received,
        set_apart=sum(prepared.corpus.set_apart.values()),
        nonresponse=int(prepared.sorting.nonresponse.sum()),
        undecidable=int(prepared.sorting.undecidable.sum()),
        coded=int(coded.sum()),
        no_code=int((prepared.readable & ~coded).sum()),
    )


def _words(prepared: Prepared, vocabulary: Vocabulary, lemmas: Lemmas, register: Register, table: Table) -> WordCounts:
    words, variables = prepared.words, prepared.corpus.variables
    kept = register.first_only[words.texts]
    size = len(words.lemmas)
    counts = np.bincount(words.numbers[kept], minlength=size).tolist()
    texts = distinct_texts(words.numbers[kept], words.texts[kept], size).tolist()
    content = np.array(
        [lemmas.is_content(number, vocabulary.language) for number in range(len(lemmas.lemma))], dtype=np.bool_
    )
    found = frequencies(words, vocabulary)
    common_lemmas = frozenset(item.lemma for item in found)
    proposals = propose(prepared.tokens, lemmas, content) if len(lemmas.lemma) else []
    return WordCounts(
        frequencies=found,
        without=dict(zip(words.lemmas, zip(counts, texts, strict=True), strict=True)),
        specificities=[(variable, specificities(words, variable)) for variable in variables],
        keyness=[found for variable in variables for found in _keyness(words, variable, common_lemmas)],
        tree=similarity_tree(table),
        proposals=[pair for pair in proposals if common_lemmas.issuperset(pair.words)],
    )


def _keyness(
    words: LemmaTokens, variable: Variable, shown: frozenset[str]
) -> list[tuple[Variable, str, list[Keyness]]]:
    """Each category that holds words against the rest, when the rest holds some too; lemmas that may be shown."""
    found = []
    for column, category in enumerate(variable.categories):
        target = variable.members[:, column]
        inside = target[words.texts]
        if 0 < int(inside.sum()) < len(inside):
            tried = keyness(words, target)
            found.append((variable, category, [item for item in tried if item.lemma in shown]))
    return found


def _classes(prepared: Prepared, table: Table, options: Options) -> Classes:
    simple = classify(table, classes=options.classes, least=options.least, seed=options.seed)
    agreement = None
    if options.double:
        agreement = classify_twice(table, classes=options.classes, least=options.least, seed=options.seed).largest
    classes = simple.classes if agreement is None else agreement.classes
    several = int(classes.max(initial=-1)) > 0
    return Classes(
        table,
        simple,
        agreement,
        profiles(table, classes, variables=prepared.corpus.variables),
        plane(table, classes) if several else None,
    )
