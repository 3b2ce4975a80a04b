"""The non-response rule: versioned data, counts per rule, and the billable count.

Every text falls into exactly one of three states, in this order: non-response (with the rule that
decided), undecidable (an answer that only points elsewhere), or readable.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from analysis.errors import AnalysisError

RULES_PATH = Path(__file__).parent / "resources" / "nonresponse.yaml"
KINDS = ("blank", "emoji", "punctuation", "digits", "repeated")

_LETTER = re.compile(r"[^\W\d_]")
_WORDS = re.compile(r"[^\W_]+")
# A text longer than the longest phrase by more than this (accents, punctuation, emoji) cannot be that phrase.
_SLACK = 16


@dataclass(frozen=True)
class Rule:
    """One rule: texts of a kind (`kind`), or texts equal to a phrase once normalised (`phrases`)."""

    id: str
    label: str
    kind: str | None
    phrases: frozenset[str]


@dataclass(frozen=True)
class Rules:
    """A version of the rule; both lists are tried in order."""

    version: str
    nonresponse: tuple[Rule, ...]
    undecidable: tuple[Rule, ...]


@dataclass(frozen=True)
class Sorting:
    """What each of `n` texts is: `rule[i]` is the id of the rule that decided, or None if readable."""

    rules: Rules
    rule: tuple[str | None, ...]

    @property
    def nonresponse(self) -> NDArray[np.bool_]:
        """Mask of the texts that are no answer, shape (n,)."""
        return self._mask(self.rules.nonresponse)

    @property
    def undecidable(self) -> NDArray[np.bool_]:
        """Mask of the answers that cannot be coded on their own, shape (n,)."""
        return self._mask(self.rules.undecidable)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Mask of the answers that can be read on their own, shape (n,)."""
        return np.fromiter((rule is None for rule in self.rule), dtype=np.bool_, count=len(self.rule))

    @property
    def billable(self) -> int:
        """Contributions that are billed: all but the non-responses."""
        return len(self.rule) - int(self.nonresponse.sum())

    def counts(self) -> dict[str, int]:
        """Texts per rule, every rule listed, in the order of the rules."""
        found = Counter(self.rule)
        return {rule.id: found[rule.id] for rule in (*self.rules.nonresponse, *self.rules.undecidable)}

    def _mask(self, rules: tuple[Rule, ...]) -> NDArray[np.bool_]:
        ids = {rule.id for rule in rules}
        return np.fromiter((rule in ids for rule in self.rule), dtype=np.bool_, count=len(self.rule))


@cache
def load(path: Path = RULES_PATH) -> Rules:
    """Read the rules from YAML. Raises AnalysisError when the file is not understood."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Rules(
            version=str(raw["version"]),
            nonresponse=tuple(_rule(rule) for rule in raw["nonresponse"]),
            undecidable=tuple(_rule(rule) for rule in raw.get("undecidable", [])),
        )
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise AnalysisError(f"Règle de non-réponse « {path.name} » illisible : {type(error).__name__}.") from error


def _rule(raw: dict[str, object]) -> Rule:
    kind = raw.get("kind")
    phrases = raw.get("phrases", [])
    if kind is not None and kind not in KINDS:
        raise AnalysisError(
            f"Règle « {raw['id']} » : la nature « {kind} » n’existe pas ; au choix : {', '.join(KINDS)}."
        )
    assert isinstance(phrases, list)
    return Rule(
        id=str(raw["id"]),
        label=str(raw["label"]),
        kind=None if kind is None else str(kind),
        phrases=frozenset(normalise(str(phrase)) for phrase in phrases),
    )


def normalise(text: str) -> str:
    """Lower case, no accent, no punctuation, single spaces: « Je n’ai PAS d’avis !! » gives `je n ai pas d avis`."""
    bare = text.casefold()
    if not bare.isascii():
        bare = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    return " ".join(_WORDS.findall(bare))


def sort(texts: Sequence[str], rules: Rules | None = None) -> Sorting:
    """Apply the rule to each text; equal texts are decided once."""
    chosen = rules or load()
    kinds: dict[str | None, str] = {rule.kind: rule.id for rule in chosen.nonresponse if rule.kind}
    phrases: dict[str, str] = {}
    for rule in (*chosen.nonresponse, *chosen.undecidable):
        for phrase in rule.phrases:
            phrases.setdefault(phrase, rule.id)
    longest = max(map(len, phrases), default=0) + _SLACK
    decided = {text: _decide(text, kinds, phrases, longest) for text in set(texts)}
    return Sorting(chosen, tuple(map(decided.__getitem__, texts)))


def _decide(text: str, kinds: dict[str | None, str], phrases: dict[str, str], longest: int) -> str | None:
    if _LETTER.search(text):
        if len(text) > longest and len(set(text)) > 1:
            return None
        normal = normalise(text)
        if normal in phrases:
            return phrases[normal]
        letters = normal.replace(" ", "")
        return kinds.get("repeated") if len(set(letters)) <= 1 else None
    return kinds.get(_kind_without_letter(text))


def _kind_without_letter(text: str) -> str | None:
    visible = [c for c in text if not c.isspace() and unicodedata.category(c) not in {"Cc", "Cf", "Mn", "Me"}]
    if not visible:
        return "blank"
    digits = sum(c.isdigit() for c in visible)
    if digits:
        # « 50 % » or « 10 € » say something; « 1 », « 2.3 » and « 06 12 » do not.
        symbols = any(unicodedata.category(c) == "Sc" or c == "%" for c in visible)
        return None if symbols else "digits"
    return "emoji" if any(unicodedata.category(c) == "So" for c in visible) else "punctuation"
