"""The computation behind a report: every figure, before any file is written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import corrections, nonresponse
from analysis.answers import told
from analysis.coding.codebook import Code, Codebook
from analysis.coding.hits import Hits
from analysis.coding.lexicon_rules import FailedExample, Lexicon, check_examples, code_texts, register_words
from analysis.coding.shown import Coding, shown_codes
from analysis.coding.standing import Measure, Standing, Standings
from analysis.corpus import Corpus, Questionnaire, Source, Variable
from analysis.languages import FRENCH, language
from analysis.lemmas import Lemmas, learn
from analysis.lexical.disclosure import without_rare_words
from analysis.lexical.frequencies import Frequency, LemmaTokens, frequencies, lemmatise
from analysis.lexical.specificity import Specificity, specificities
from analysis.passages import Material
from analysis.plurals import counted
from analysis.reconciliation import Reconciliation, reconcile
from analysis.report import once
from analysis.semantic.campaigns import Register, find_campaigns
from analysis.semantic.shingles import bare
from analysis.tabulate.cross import CrossTable, cross_table
from analysis.tabulate.flat import FlatTable, flat_table, percentage
from analysis.text import Tokens, Vocabulary

ALL_PAIRS_UP_TO = 8
WIDE_PATTERN = 0.9
SMALL_CORPUS = 20

Progress = Callable[[int, int, str], None]


class Steps:
    """Tells how far a run has come: `total` steps are known beforehand, and long ones tell how far they are."""

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def within(self, label: str) -> Callable[[int, int], None] | None:
        """What a long step tells of its own progress; the steps behind do not change."""
        progress = self._progress
        return progress and (lambda done, total: progress(self._done, self._total, f"{label}, {done} sur {total}"))

    def reading(self, texts: Sequence[str], label: str) -> Iterable[str]:
        """The same texts, telling as they are read how many are behind."""
        tell = self.within(label)
        return told(texts, lambda done, total, _: tell(done, total)) if tell else texts

    def done(self, label: str) -> None:
        """One more step is behind."""
        self._done += 1
        if self._progress:
            self._progress(self._done, self._total, label)


def steps_of(source: Source) -> int:
    """How many steps `study` will tell about this source."""
    return 2 * len(source.corpora) + len(source.questionnaires) + 1


@dataclass(frozen=True)
class CodeCount:
    """How many contributions hold a code that may be shown: `direct` by its own patterns, `total` with its descendants.

    `without` is the total when campaigns count one contribution each; `standing` says how far to trust it.
    `texts` are the ranks of the `total` ones; `share` is a percentage of the billable contributions.
    """

    code: Code
    standing: Standing
    direct: int
    total: int
    without: int
    share: float | None
    texts: tuple[int, ...]

    @property
    def label(self) -> str:
        """The name of the code, with its mark if it has one."""
        return self.standing.named(self.code.label)


@dataclass(frozen=True)
class CorpusResult:
    """All that is known of one corpus. Masks and ranks refer to `corpus.ids`.

    What ends in `without` counts one text a campaign (`once`). Hits and counts are those of the codes that may be shown
    (`coding.standing`); `withheld` are the texts that hold no other, left to a person.
    """

    corpus: Corpus
    sorting: nonresponse.Sorting
    reconciliation: Reconciliation
    register: Register
    words: LemmaTokens
    frequencies: list[Frequency]
    frequencies_without: dict[str, tuple[int, int]]
    specificities: list[tuple[Variable, list[Specificity]]]
    specificities_without: dict[once.Key, Specificity]
    standings: Standings
    hits: Hits
    codes: list[CodeCount]
    uncoded: tuple[int, ...]
    withheld: tuple[int, ...]
    flat: list[FlatTable]
    cross: list[CrossTable]
    cross_without: list[CrossTable]
    acronyms: frozenset[str]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class QuestionnaireResult:
    """The tables of one questionnaire."""

    questionnaire: Questionnaire
    flat: list[FlatTable]
    cross: list[CrossTable]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Study:
    """The results of one run."""

    source: Source
    codebook: Codebook | None
    failed_examples: list[FailedExample]
    lemmas: Lemmas
    corpora: list[CorpusResult]
    questionnaires: list[QuestionnaireResult]

    @property
    def corrections(self) -> dict[str, Any]:
        """The forms that were read as others: how many, and those that may be published."""
        published = sorted({form for result in self.corpora for item in result.frequencies for form, _ in item.forms})
        return corrections.listed(self.lemmas, published)

    @property
    def publishable(self) -> bool:
        """False when figures rest on a codebook that both approvers have not approved."""
        return self.codebook is None or not self.codebook.missing_approvals

    @property
    def billable(self) -> int:
        """Billable contributions over all the corpora, external sources left out."""
        return sum(result.reconciliation.billable for result in self.corpora if not result.corpus.external)


def study(
    source: Source,
    codebook: Codebook | None,
    *,
    seed: int,
    language_code: str = FRENCH,
    measures: Sequence[Measure] = (),
    overrides: dict[str, str] | None = None,
    cache: Path | None = None,
    steps: Steps,
) -> Study:
    """Compute everything from a source already read. Deterministic for a given source, codebook and seed.

    `measures` are those of the quality of the codes, by corpus. Raises AnalysisError when they are of another codebook.
    """
    vocabulary = Vocabulary(language(language_code))
    if codebook:
        codebook.check_language(language_code)
        register_words(codebook, vocabulary)
    rules = nonresponse.load(vocabulary.language.rules)
    prepared: list[tuple[Corpus, nonresponse.Sorting, Tokens]] = []
    for corpus in source.corpora:
        read = steps.reading(corpus.texts, f"mots de « {corpus.key} »")
        prepared.append((corpus, nonresponse.sort(corpus.texts, rules), vocabulary.tokenise(read)))
        steps.done(f"mots de « {corpus.key} »")
    counts = vocabulary.counts([tokens for *_, tokens in prepared]).tolist()
    lemmas = learn(
        vocabulary.forms,
        [Material(corpus.texts, tokens, sorting.readable) for corpus, sorting, tokens in prepared],
        seed=seed,
        counts=counts,
        overrides=overrides,
        cache_dir=cache,
        read=vocabulary.language,
        progress=steps.within("lecture en contexte"),
    )
    steps.done("lemmes")
    lexicon = Lexicon(vocabulary, lemmas)
    acronyms = vocabulary.acronyms([tokens for _, _, tokens in prepared])
    layer = _Layer(lexicon, lemmas, codebook, measures, frozenset(vocabulary.forms[number] for number in acronyms))
    results: list[CorpusResult] = []
    for corpus, sorting, tokens in prepared:
        results.append(_corpus(corpus, sorting, tokens, layer, steps))
        steps.done(f"comptages de « {corpus.key} »")
    questionnaires: list[QuestionnaireResult] = []
    for questionnaire in source.questionnaires:
        questionnaires.append(_questionnaire(questionnaire))
        steps.done(f"tableaux de « {questionnaire.key} »")
    failed = check_examples(codebook, lexicon) if codebook else []
    return Study(source, codebook, failed, lemmas, results, questionnaires)


@dataclass(frozen=True)
class _Layer:
    """What the corpora of a run share."""

    lexicon: Lexicon
    lemmas: Lemmas
    codebook: Codebook | None
    measures: Sequence[Measure]
    acronyms: frozenset[str]


def _corpus(corpus: Corpus, sorting: nonresponse.Sorting, tokens: Tokens, layer: _Layer, steps: Steps) -> CorpusResult:
    billable, readable = ~sorting.nonresponse, sorting.readable
    codebook, vocabulary = layer.codebook, layer.lexicon.vocabulary
    words = lemmatise(tokens, vocabulary, layer.lemmas, readable)
    coding = shown_codes(
        corpus,
        codebook,
        layer.measures,
        lambda plan: code_texts(plan, tokens, layer.lexicon, readable, steps.within(f"motifs de « {corpus.key} »")),
    )
    hits, coded = coding.hits, coding.coded
    register = find_campaigns(
        bare(tokens, vocabulary),
        authors=corpus.authors,
        dates=corpus.dates,
        progress=steps.within(f"doublons de « {corpus.key} »"),
    )
    codes = _count_codes(codebook, coding, int(billable.sum()), register) if codebook else []
    by_code = _codes_variable(codes, len(corpus.ids))
    specific = [(variable, specificities(words, variable)) for variable in corpus.variables]
    return CorpusResult(
        corpus=corpus,
        sorting=sorting,
        reconciliation=reconcile(corpus, sorting, coded, sorting.undecidable | coding.withheld),
        register=register,
        words=words,
        frequencies=frequencies(words, vocabulary),
        frequencies_without=once.occurrences(words, register),
        specificities=specific,
        specificities_without=once.specific(words, specific, register),
        standings=coding.standings,
        hits=without_rare_words(hits),
        codes=codes,
        uncoded=tuple(np.flatnonzero(readable & ~coded & ~coding.withheld).tolist()),
        withheld=tuple(np.flatnonzero(coding.withheld).tolist()),
        flat=[flat_table(variable) for variable in corpus.variables] if corpus.unit != "reply" else [],
        cross=_crossed(by_code, corpus.variables, billable),
        cross_without=_crossed(by_code, corpus.variables, billable & register.first_only),
        acronyms=layer.acronyms,
        notices=tuple(_wide_patterns(codes, readable)),
    )


def _count_codes(codebook: Codebook, coding: Coding, billable: int, register: Register) -> list[CodeCount]:
    hits, kept = coding.hits, register.first_only
    direct = {code: set(hits.of(code).texts.tolist()) for code in hits.codes}
    total = {code: set(texts) for code, texts in direct.items()}
    for code, texts in direct.items():
        for ancestor in codebook.ancestors(code):
            total[ancestor] |= texts
    return [
        CodeCount(
            code=code,
            standing=coding.standings[code.id],
            direct=len(direct[code.id]),
            total=len(total[code.id]),
            without=int(kept[list(total[code.id])].sum()),
            share=percentage(len(total[code.id]), billable),
            texts=tuple(sorted(total[code.id])),
        )
        for code in codebook.codes
        if coding.standings[code.id].shown
    ]


def _codes_variable(codes: list[CodeCount], rows: int) -> Variable | None:
    if not codes:
        return None
    members = np.zeros((rows, len(codes)), dtype=np.bool_)
    for column, count in enumerate(codes):
        members[list(count.texts), column] = True
    return Variable("codes", "Codes", tuple(count.label for count in codes), members, multiple=True)


def _crossed(codes: Variable | None, variables: Sequence[Variable], kept: NDArray[np.bool_]) -> list[CrossTable]:
    """The codes by each variable, over the texts kept."""
    rows = np.flatnonzero(kept)
    return [cross_table(codes.take(rows), variable.take(rows)) for variable in variables] if codes else []


def _wide_patterns(codes: list[CodeCount], readable: NDArray[np.bool_]) -> Iterator[str]:
    texts = int(readable.sum())
    for count in codes:
        if texts >= SMALL_CORPUS and count.direct > WIDE_PATTERN * texts:
            yield (
                f"Le code « {count.code.label} » touche {counted(count.direct, 'contribution')} sur {texts} : "
                "vérifiez ses motifs, l’un d’eux est peut-être trop large."
            )


def _questionnaire(questionnaire: Questionnaire) -> QuestionnaireResult:
    variables = questionnaire.variables
    notices = []
    pairs = list(combinations(variables, 2))
    if len(variables) > ALL_PAIRS_UP_TO:
        pairs = [(row, column) for row, column in pairs if row is variables[0]]
        notices.append(
            f"Plus de {ALL_PAIRS_UP_TO} questions fermées : seule la première, « {variables[0].label} », "
            "est croisée avec les autres."
        )
    notices += [
        f"« {wording} » : diffusion ligne à ligne non autorisée, tableau absent du jeu ouvert."
        for wording in questionnaire.withheld
    ]
    return QuestionnaireResult(
        questionnaire,
        [flat_table(variable) for variable in variables],
        [cross_table(column, row) for row, column in pairs],
        tuple(notices),
    )
