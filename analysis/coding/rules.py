"""Lexicon rules as the commands of coding try them: several plans on answers that are read once."""

import argparse
from collections.abc import Callable, Sequence

import numpy as np

from analysis import corrections
from analysis.answers import told
from analysis.coding.codebook import Codebook
from analysis.coding.hits import Hits
from analysis.coding.lexicon_rules import Lexicon, code_texts, register_words
from analysis.languages import language
from analysis.lemmas import learn, read_overrides
from analysis.passages import Material
from analysis.prepare import in_context
from analysis.recorded import Progress
from analysis.text import Vocabulary


class Rules:
    """Lexicon rules over texts read once, for one or several plans."""

    def __init__(
        self, plans: Sequence[Codebook], texts: Sequence[str], options: argparse.Namespace, progress: Progress
    ) -> None:
        for plan in plans:
            plan.check_language(options.language)
        self.vocabulary = Vocabulary(language(options.language))
        self.tokens = self.vocabulary.tokenise(told(texts, progress))
        for plan in plans:
            register_words(plan, self.vocabulary)
        self.readable = np.ones(len(texts), dtype=np.bool_)
        self.lemmas = learn(
            self.vocabulary.forms,
            [Material(texts, self.tokens, self.readable)],
            seed=options.seed,
            counts=self.vocabulary.counts([self.tokens]).tolist(),
            overrides=read_overrides(options.lemmas),
            read=self.vocabulary.language,
            progress=in_context(progress),
        )
        if options.corrections:
            corrections.write(options.corrections, self.lemmas)
        print(corrections.told(self.lemmas))
        self._progress = progress
        self._lexicon = Lexicon(self.vocabulary, self.lemmas)

    def hits(self, plan: Codebook) -> Hits:
        """What the patterns of one plan find, ranks among the answers."""
        return code_texts(plan, self.tokens, self._lexicon, self.readable, self._told(plan))

    def _told(self, plan: Codebook) -> Callable[[int, int], None]:
        return lambda done, total: self._progress(done, total, f"motifs du plan, version {plan.version}")
