"""What a command reads of one corpus: the answers that can be coded, and where all the others went."""

import argparse
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis import nonresponse, readers
from analysis.corpus import Corpus
from analysis.errors import AnalysisError
from analysis.inputs import read_inputs
from analysis.languages import language
from analysis.reconciliation import Reconciliation, reconcile
from analysis.recorded import Progress
from analysis.semantic.duplicates import find_duplicates
from analysis.semantic.shingles import bare
from analysis.text import Vocabulary

_TOLD_EVERY = 5_000  # texts


@dataclass(frozen=True)
class Answers:
    """The contributions of one corpus that can be coded: `ranks` are theirs in the corpus, shape (n,)."""

    corpus: Corpus
    sorting: nonresponse.Sorting
    ranks: NDArray[np.int64]

    @property
    def units(self) -> list[str]:
        """Their ids."""
        return [self.corpus.ids[rank] for rank in self.ranks]

    @property
    def texts(self) -> list[str]:
        """Their texts."""
        return [self.corpus.texts[rank] for rank in self.ranks]

    def reconciled(self, coded: Collection[str], undecided: Collection[str] = ()) -> Reconciliation:
        """The whole corpus, when these contributions hold a code and those wait for a person."""
        ids = self.corpus.ids
        held = np.fromiter((unit in coded for unit in ids), dtype=np.bool_, count=len(ids))
        waiting = np.fromiter((unit in undecided for unit in ids), dtype=np.bool_, count=len(ids))
        unread = np.ones(len(ids), dtype=np.bool_)
        unread[self.ranks] = False
        return reconcile(self.corpus, self.sorting, held, waiting | (unread & self.sorting.undecidable))

    def clusters(self, code: str, progress: Progress) -> NDArray[np.int64]:
        """The near-duplicate cluster of each, shape (n,)."""
        vocabulary = Vocabulary(language(code))
        read = bare(vocabulary.tokenise(told(self.texts, progress)), vocabulary)
        groups = find_duplicates(read, progress=lambda done, total: progress(done, total, "doublons")).groups
        return np.where(groups < 0, np.arange(len(self.ranks)), groups).astype(np.int64)


def answers(options: argparse.Namespace, read: Collection[str] = ()) -> Answers:
    """The answers of the one corpus that the options name: neither non-responses, nor those that only point elsewhere,
    unless people `read` what these point to.

    Raises AnalysisError when there are several corpora, or nothing to code.
    """
    named = (options.corpus,) if options.corpus else ()
    source = read_inputs(options.dump, named, getattr(options, "external", None))
    if named:
        source = readers.restricted(source, named)
    if len(source.corpora) != 1:
        keys = ", ".join(corpus.key for corpus in source.corpora) or "aucun"
        raise AnalysisError(f"Choisissez un seul corpus par « --corpus » : {keys}.")
    corpus = source.corpora[0]
    sorting = nonresponse.sort(corpus.texts, nonresponse.load(language(options.language).rules))
    known = np.fromiter((unit in read for unit in corpus.ids), dtype=np.bool_, count=len(corpus.ids))
    kept = np.flatnonzero(~sorting.nonresponse & (~sorting.undecidable | known))
    if not len(kept):
        raise AnalysisError(f"Le corpus « {corpus.key} » ne contient aucune réponse à coder.")
    return Answers(corpus, sorting, kept)


def told(texts: Sequence[str], progress: Progress) -> Iterator[str]:
    """The same texts, telling as they are read how many are behind."""
    for place, text in enumerate(texts):
        if place % _TOLD_EVERY == 0:
            progress(place, len(texts), "lecture des mots")
        yield text
    progress(len(texts), len(texts), "lecture des mots")
