"""spaCy's French lemma tables as plain dictionaries: the lemma of a form, as a part of speech or out of context.

spaCy's own reader of tables hashes each of their 220,000 keys again, which takes longer than all that is asked of them.
"""

import importlib
from functools import cache
from pathlib import Path
from typing import Any

MODEL = "fr_core_news_md"
_INFINITIVE = ("er", "ir", "re")
_TABLE_ORDER = ("noun", "verb", "adj", "adv")
_NAMES = ("noun", "verb", "adj", "adv", "aux", "adp", "det", "pron", "cconj", "sconj")
_OPEN_CLASSES = ("NOUN", "VERB", "ADJ", "ADV")


class Tables:
    """Exceptions and known lemmas per part of speech, the rules that lead to these, and a plain look-up."""

    def __init__(self, folder: Path) -> None:
        raw = importlib.import_module("srsly").read_msgpack(folder / "lookups.bin")
        self._key = importlib.import_module("spacy.strings").get_string_id
        self._lookup: dict[int, str | list[str]] = raw["lemma_lookup"]
        self._exceptions: dict[str, dict[str, list[str]]] = self._by_name(raw["lemma_exc"])
        # A rule that changes nothing leads to the form itself, which is looked for first.
        self._rules = {
            pos: [(old, new) for old, new in rules if old != new]
            for pos, rules in self._by_name(raw["lemma_rules"]).items()
        }
        self._endings = {pos: tuple(old for old, _ in rules) for pos, rules in self._rules.items()}
        self._known = {pos: frozenset(words) for pos, words in self._by_name(raw["lemma_index"]).items()}
        self._lemmas = {found if isinstance(found, str) else found[0] for found in self._lookup.values()}

    def _by_name(self, table: dict[int, Any]) -> dict[str, Any]:
        return {name: table[key] for name in _NAMES if (key := self._key(name)) in table}

    def lemma(self, form: str, pos: str) -> str:
        """The lemma of a form read as this part of speech (UPOS); the form itself when nothing is known."""
        name = pos.lower()
        exceptions = self._exceptions.get(name, {}).get(form)
        if exceptions:
            return exceptions[0]
        if name not in self._rules and name != "adv":
            return form
        by_rule = self._by_rule(form, name)
        if by_rule:
            return by_rule
        found = self.looked_up(form) or form
        # « les retraités »: a noun whose look-up is a verb keeps its own singular.
        if name == "noun" and found != form and found.endswith(_INFINITIVE):
            return form.removesuffix("s")
        return found

    def hesitates(self, form: str) -> bool:
        """Whether the lemma of a form depends on its part of speech: « porte » is a noun or a verb."""
        return len({self.lemma(form, pos) for pos in _OPEN_CLASSES}) > 1

    def _by_rule(self, form: str, name: str) -> str | None:
        known = self._known[name]
        if form in known:
            return form
        if not form.endswith(self._endings.get(name, ())):
            return None
        candidates = (form.removesuffix(old) + new for old, new in self._rules[name] if form.endswith(old))
        return next((candidate for candidate in candidates if candidate in known), None)

    def looked_up(self, form: str) -> str | None:
        """The lemma of a form whatever its part of speech, None when no table knows it."""
        found = self._lookup.get(self._key(form))
        if found:
            return found if isinstance(found, str) else found[0]
        return form if form in self._lemmas else None

    def guess(self, form: str) -> tuple[str, str] | None:
        """Lemma and part of speech of a form out of context, None when no table knows it."""
        if form.endswith(_INFINITIVE) and (form in self._known["verb"] or form in self._lemmas):
            return form, "VERB"
        listed = self._listed(form)
        if listed:
            return listed
        found = self.looked_up(form)
        if found is None:
            return None
        return found, "VERB" if found.endswith(_INFINITIVE) else "NOUN"

    def _listed(self, form: str) -> tuple[str, str] | None:
        for pos in _TABLE_ORDER:
            if form in self._known[pos]:
                return form, pos.upper()
        # « étages », « pages »: the plural of a noun is likelier than the second person of a rare verb.
        plural = self._by_rule(form, "noun") if form[-1] in "sx" else None
        if plural:
            return plural, "NOUN"
        for pos in ("noun", "verb", "adj"):
            if form in self._exceptions.get(pos, {}):
                return self._exceptions[pos][form][0], pos.upper()
        for pos in ("noun", "adj"):
            by_rule = self._by_rule(form, pos)
            if by_rule:
                return by_rule, pos.upper()
        return None


@cache
def load() -> Tables:
    """The tables of the installed model."""
    package = importlib.import_module(MODEL)
    assert package.__file__
    return Tables(Path(package.__file__).parent / f"{MODEL}-{package.__version__}" / "lemmatizer" / "lookups")
