"""Lemma and part of speech of each distinct form, learnt once from a sample read in context.

spaCy's French model reads a seeded sample of the texts (words cut by `analysis.text`, no parser, no
named entities); the majority part of speech and lemma of each form are kept. Forms it has not met are
completed from spaCy's lemma tables, then by restoring missing accents (« sante » is read as
« santé ») and mending typing errors (`analysis.typos`); every such correction is listed. Overrides always win.

spaCy is imported here only, and only when the cache has no answer: a web process never loads it.
"""

import hashlib
import importlib
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from analysis import typos
from analysis.errors import AnalysisError
from analysis.languages import ENGLISH, Language, language
from analysis.words import FINDALL, in_context, prepare, split

MODEL = "fr_core_news_md"
CANDIDATES = 40_000
SAMPLE_WORDS = 160_000
LONGEST_READ = 400
_AT_ONCE = 256  # texts
CONTENT = frozenset({"NOUN", "VERB", "ADJ", "ADV", "PROPN"})
_LEMMA_FORMAT = "4"
_INFINITIVE = ("er", "ir", "re")
_PLURALS = ("es", "nts", "rs", "ts", "ons", "és")
_TABLE_ORDER = ("noun", "verb", "adj", "adv")


@dataclass(frozen=True)
class Lemmas:
    """For each form of the vocabulary, in order: lemma, part of speech (UPOS), and where they come from.

    `source` is one of `override`, `context`, `table`, `accents` (accents restored), `typo` (typing error mended),
    `form` (unknown: the form is its own lemma). `corrections` lists form -> the form it was read as.
    """

    lemma: tuple[str, ...]
    pos: tuple[str, ...]
    source: tuple[str, ...]
    corrections: dict[str, str]
    sampled_texts: int

    def is_content(self, number: int, read: Language) -> bool:
        """Whether the form carries meaning of its own: noun, verb, adjective or adverb, no function word."""
        lemma = self.lemma[number]
        return self.pos[number] in read.content and lemma not in read.function_words and not lemma.isdigit()


def read_overrides(path: Path) -> dict[str, str]:
    """Read a YAML file `form: lemma`. Raises AnalysisError when it is anything else."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AnalysisError(f"Lemmes corrigés « {path.name} » : fichier YAML illisible.") from error
    if not isinstance(raw, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in raw.items()):
        raise AnalysisError(f"Lemmes corrigés « {path.name} » : écrivez une ligne « forme: lemme » par correction.")
    return {form.lower(): lemma.lower() for form, lemma in raw.items()}


def learn(
    forms: Sequence[str],
    texts: Iterable[str],
    *,
    seed: int,
    counts: Sequence[int] = (),
    overrides: dict[str, str] | None = None,
    cache_dir: Path | None = None,
    read: Language | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Lemmas:
    """Give each form its lemma and part of speech.

    Args:
        forms: distinct forms in lower case, as numbered by the vocabulary.
        texts: the texts they come from; a sample of the distinct ones is read in context.
        seed: of the sample; the same seed and texts give the same lemmas, cached or not.
        counts: occurrences of each form, parallel to `forms`; without them no typing error is mended.
        overrides: form -> lemma, which win over everything.
        cache_dir: where results are kept by digest of all that decides them.
        read: the language, French by default. English is read from tables alone.
        progress: called with (texts read in context, texts to read), unless the cache knows the answer.
    """
    read = read or language()
    fixed = {**read.lemmas, **(overrides or {})}
    if read.code == ENGLISH:
        return _english(forms, fixed, counts)
    sample = _sample(texts, seed, dict(zip(forms, counts, strict=True)) if counts else {})
    key = _digest(forms, sample, fixed, counts)
    path = cache_dir / f"lemmas-{key}.json" if cache_dir else None
    if path and path.exists():
        return _from_json(path.read_text(encoding="utf-8"))
    lemmas = _learn(forms, sample, fixed, counts, progress)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{random.getrandbits(32):08x}")
        temporary.write_text(json.dumps(asdict(lemmas), ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)
    return lemmas


def _from_json(content: str) -> Lemmas:
    raw = json.loads(content)
    lists = {name: tuple(raw[name]) for name in ("lemma", "pos", "source")}
    return Lemmas(**lists, corrections=raw["corrections"], sampled_texts=raw["sampled_texts"])


def _sample(texts: Iterable[str], seed: int, counts: dict[str, int]) -> list[str]:
    """Half of the sample at random, then the texts that hold the most frequent forms not met yet."""
    distinct = sorted(set(texts))
    drawn = random.Random(seed).sample(distinct, min(CANDIDATES, len(distinct)))  # noqa: S311 -- reproducible
    words = [{part.lower() for raw in FINDALL(prepare(text)) for part in split(raw)} for text in drawn]
    first, read = 0, 0
    seen: set[str] = set()
    while first < len(drawn) and read < (SAMPLE_WORDS // 2 if counts else SAMPLE_WORDS):
        seen |= words[first]
        read += len(drawn[first].split())
        first += 1

    def worth(rank: int) -> float:
        return sum(counts.get(word, 0) for word in words[rank] - seen) / (1 + len(words[rank]))

    chosen = drawn[:first]
    hopes = {rank: worth(rank) for rank in range(first, len(drawn))}
    for rank in sorted(hopes, key=lambda rank: (-hopes[rank], rank)):
        if read >= SAMPLE_WORDS:
            break
        if worth(rank) >= hopes[rank] / 2:
            chosen.append(drawn[rank])
            seen |= words[rank]
            read += len(drawn[rank].split())
    return chosen


def _digest(forms: Sequence[str], sample: list[str], fixed: dict[str, str], counts: Sequence[int]) -> str:
    digest = hashlib.sha256(f"{_LEMMA_FORMAT} {version('spacy')} {version(MODEL)} {language().version}".encode())
    for part in (forms, sample, sorted(fixed.items()), list(counts)):
        digest.update(json.dumps(part, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


class _Tables:
    """spaCy's French lemma tables: exceptions and known lemmas per part of speech, and a plain look-up."""

    def __init__(self) -> None:
        package = importlib.import_module(MODEL)
        lookups = importlib.import_module("spacy.lookups").Lookups()
        assert package.__file__
        lookups.from_disk(Path(package.__file__).parent / f"{MODEL}-{version(MODEL)}" / "lemmatizer" / "lookups")
        self._lookup = lookups.get_table("lemma_lookup")
        self._exceptions: dict[str, dict[str, list[str]]] = dict(_by_name(lookups.get_table("lemma_exc")))
        self._rules: dict[str, list[list[str]]] = dict(_by_name(lookups.get_table("lemma_rules")))
        index = _by_name(lookups.get_table("lemma_index"))
        self._known: dict[str, frozenset[str]] = {pos: frozenset(words) for pos, words in index}
        self._lemmas = {found if isinstance(found, str) else found[0] for found in self._lookup.values()}

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

    def _by_rule(self, form: str, name: str) -> str | None:
        known = self._known[name]
        if form in known:
            return form
        endings = (form[: len(form) - len(old)] + new for old, new in self._rules.get(name, []) if form.endswith(old))
        return next((candidate for candidate in endings if candidate in known), None)

    def looked_up(self, form: str) -> str | None:
        found = self._lookup.get(form)
        if found:
            return str(found if isinstance(found, str) else found[0])
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
def _load_tables() -> _Tables:
    return _Tables()


def _by_name(table: Any) -> Iterable[tuple[str, Any]]:
    names = ("noun", "verb", "adj", "adv", "aux", "adp", "det", "pron", "cconj", "sconj")
    return ((name, table[name]) for name in names if name in table)


@cache
def _load_tagger() -> Any:
    # `lang` is overridden and the tokenizer left out because the words are ours: importing spaCy's
    # French tokenizer alone compiles seven seconds of regular expressions that would never be used.
    return importlib.import_module("spacy").load(
        MODEL,
        exclude=["tokenizer", "parser", "ner", "senter", "lemmatizer"],
        config={"nlp": {"lang": "xx"}},
    )


def _read_in_context(
    sample: list[str], tables: _Tables, progress: Callable[[int, int], None] | None
) -> tuple[dict[str, tuple[str, str]], int]:
    """Majority lemma and part of speech of each form in the sample, and how many texts were read."""
    tagger = _load_tagger()
    document = importlib.import_module("spacy.tokens").Doc
    seen: dict[str, Counter[str]] = {}
    read = words_read = 0

    def documents() -> Iterable[Any]:
        nonlocal read, words_read
        for done, text in enumerate(sample, start=1):
            if words_read >= SAMPLE_WORDS:
                return
            if progress and (done % _AT_ONCE == 0 or done == len(sample)):
                progress(done, len(sample))
            words, spaces = in_context(text)
            words, spaces = words[:LONGEST_READ], spaces[:LONGEST_READ]
            if words:
                read += 1
                words_read += len(words)
                yield document(tagger.vocab, words=words, spaces=spaces)

    with tagger.memory_zone():
        for doc in tagger.pipe(documents(), batch_size=_AT_ONCE):
            for token in doc:
                seen.setdefault(token.lower_, Counter())[token.pos_] += 1
    learnt: dict[str, tuple[str, str]] = {}
    for form, tags in seen.items():
        by_lemma: Counter[str] = Counter()
        for pos, count in tags.items():
            by_lemma[_lemma_as(form, pos, tables)] += count
        lemma = min(by_lemma, key=lambda lemma: (-by_lemma[lemma], lemma))
        fitting = {pos: count for pos, count in tags.items() if _lemma_as(form, pos, tables) == lemma}
        learnt[form] = lemma, min(fitting, key=lambda pos: (-fitting[pos], pos))
    return learnt, read


def _lemma_as(form: str, pos: str, tables: _Tables) -> str:
    return form if pos == "PROPN" else tables.lemma(form, pos)


def _learn(
    forms: Sequence[str],
    sample: list[str],
    fixed: dict[str, str],
    counts: Sequence[int],
    progress: Callable[[int, int], None] | None,
) -> Lemmas:
    tables = _load_tables()
    learnt, read = _read_in_context(sample, tables, progress) if sample else ({}, 0)
    guesses = {form: tables.guess(form) for form in forms}
    accents = _Accents(form for form, guess in guesses.items() if guess or form in learnt)
    mended = _typos(forms, counts, guesses, learnt)
    lemma: list[str] = []
    pos: list[str] = []
    source: list[str] = []
    corrections: dict[str, str] = {}
    for form in forms:
        known = guesses[form]
        found = learnt.get(form)
        grammatical = form in fixed or (found is not None and found[1] not in CONTENT)
        restored = None if known or grammatical else accents.restore(form)
        if restored:
            corrections[form] = restored
            found, origin = learnt.get(restored) or tables.guess(restored), "accents"
        elif form in mended and not grammatical:
            corrections[form] = mended[form]
            found, origin = learnt.get(mended[form]) or tables.guess(mended[form]), "typo"
        elif found:
            origin = "context"
        elif known:
            found, origin = known, "table"
        else:
            found, origin = _unknown(form, tables, learnt), "form"
        assert found
        lemma.append(fixed.get(form, found[0]))
        pos.append(found[1])
        source.append("override" if form in fixed else origin)
    return Lemmas(tuple(lemma), tuple(pos), tuple(source), corrections, read)


def _english(forms: Sequence[str], fixed: dict[str, str], counts: Sequence[int]) -> Lemmas:
    """Lemmas from simplemma's tables; no part of speech is known but that of numbers."""
    table = importlib.import_module("simplemma")
    known = {form for form in forms if form in fixed or table.is_known(form, lang=ENGLISH)}
    seen = dict(zip(forms, counts, strict=True)) if counts else {}
    unknown = {form: count for form, count in seen.items() if form not in known}
    mended = typos.corrections(unknown, {form: seen[form] for form in seen.keys() & known})
    lemma, source = [], []
    for form in forms:
        read = mended.get(form, form)
        lemma.append(fixed.get(form) or fixed.get(read) or table.lemmatize(read, lang=ENGLISH).lower())
        origin = "typo" if form in mended else "table" if form in known else "form"
        source.append("override" if form in fixed else origin)
    pos = tuple("NUM" if form[0].isdigit() else "X" for form in forms)
    return Lemmas(tuple(lemma), pos, tuple(source), mended, 0)


def _typos(
    forms: Sequence[str],
    counts: Sequence[int],
    guesses: dict[str, tuple[str, str] | None],
    learnt: dict[str, tuple[str, str]],
) -> dict[str, str]:
    """Typing errors among forms that no table knows; proper nouns read in context are none."""
    if not counts:
        return {}
    seen = dict(zip(forms, counts, strict=True))
    unknown = {
        form: seen[form] for form, guess in guesses.items() if not guess and learnt.get(form, ("", ""))[1] != "PROPN"
    }
    return typos.corrections(unknown, {form: seen[form] for form, guess in guesses.items() if guess})


def _unknown(form: str, tables: _Tables, learnt: dict[str, tuple[str, str]]) -> tuple[str, str]:
    """A form no table knows: a number, a plural of something known, else itself, taken as a noun."""
    if form[0].isdigit():
        return form, "NUM"
    if form[-1] in "sx" and len(form) > 3:  # noqa: PLR2004 -- shorter forms are acronyms
        singular = learnt.get(form[:-1]) or tables.guess(form[:-1])
        if singular:
            return singular
        if form.endswith(_PLURALS):
            return form[:-1], "NOUN"
    return form, "NOUN"


class _Accents:
    """Finds the only accented form that an unaccented one can stand for, among known forms."""

    def __init__(self, known: Iterable[str]) -> None:
        self._by_bare: dict[str, set[str]] = {}
        for form in known:
            bare = typos.bare(form)
            if bare != form:
                self._by_bare.setdefault(bare, set()).add(form)

    def restore(self, form: str) -> str | None:
        candidates = self._by_bare.get(form, set())
        return next(iter(candidates)) if len(candidates) == 1 else None
