"""The languages that the text layer reads, by configuration: what is authored for each, and how its words are cut."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from analysis.errors import AnalysisError
from analysis.words import split, split_english

RESOURCES = Path(__file__).parent / "resources"
FRENCH, ENGLISH = "fr", "en"
_TAGGED = frozenset({"NOUN", "VERB", "ADJ", "ADV", "PROPN"})
_FILES: dict[str, tuple[str, Callable[[str], list[str]], frozenset[str]]] = {
    FRENCH: ("french.yaml", split, _TAGGED),
    # No model reads English in context: a word of no known part of speech carries meaning, unless it is listed.
    ENGLISH: ("english.yaml", split_english, _TAGGED | {"X"}),
}
CODES = tuple(_FILES)


@dataclass(frozen=True)
class Language:
    """The authored part of a language, versioned.

    `lemmas` are those of forms that nothing else is asked for; `function_words` lemmas that carry no theme;
    `negators` lemmas that open a negation; `expressions` are counted as one word; `split` cuts a raw word into forms;
    `content` are the parts of speech (UPOS) that may carry a theme; `rules` is the file of its non-response rule.
    """

    code: str
    version: str
    lemmas: dict[str, str]
    function_words: frozenset[str]
    negators: frozenset[str]
    expressions: tuple[str, ...]
    split: Callable[[str], list[str]]
    content: frozenset[str]
    rules: Path


@cache
def language(code: str = FRENCH) -> Language:
    """The language of a code. Raises AnalysisError when it is not one of `CODES`."""
    if code not in _FILES:
        raise AnalysisError(f"La langue «\u202f{code}\u202f» n’est pas lue\u202f; au choix\u00a0: {', '.join(CODES)}.")
    name, cut, content = _FILES[code]
    raw: dict[str, Any] = yaml.safe_load((RESOURCES / name).read_text(encoding="utf-8"))
    return Language(
        code=code,
        version=str(raw["version"]),
        lemmas={str(form): str(lemma) for form, lemma in raw["lemmas"].items()},
        function_words=frozenset(raw["function_words"].split()),
        negators=frozenset(raw["negators"].split()),
        expressions=tuple(str(expression) for expression in raw["expressions"]),
        split=cut,
        content=content,
        rules=RESOURCES / ("nonresponse.yaml" if code == FRENCH else f"nonresponse.{code}.yaml"),
    )
