"""Lemma and part of speech of each distinct form, learnt once from passages read in context.

spaCy's French model (`analysis.tagging`) reads the passages that teach most (`analysis.passages`); the majority part of
speech and lemma of each form are kept. Forms it has not met are completed from spaCy's lemma tables, then by restoring
missing accents (« sante » is read as « santé ») and mending typing errors (`analysis.typos`); every such correction is
listed. Overrides always win. spaCy is loaded only when the cache has no answer.
"""

import hashlib
import importlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import yaml

from analysis import lemma_tables, typos
from analysis.errors import AnalysisError
from analysis.languages import ENGLISH, Language, language
from analysis.lemma_tables import MODEL, Tables
from analysis.passages import Material, Passage, Pool, choose, pool
from analysis.tagging import Progress, parts_of_speech
from analysis.words import is_emoji, without_tone

LEMMAS_HELP = "lemmes corrigés (YAML « forme: lemme »)"
CONTENT = frozenset({"NOUN", "VERB", "ADJ", "ADV", "PROPN"})
_SYMBOL = "SYM"
_LEMMA_FORMAT = "6"
_PLURALS = ("es", "nts", "rs", "ts", "ons", "és")


@dataclass(frozen=True)
class Lemmas:
    """For each form of the vocabulary, in order: lemma, part of speech (UPOS), and where they come from.

    `source` is one of `override`, `context`, `table`, `accents` (accents restored), `typo` (typing error mended),
    `form` (unknown: the form is its own lemma, an emoji whatever its skin). `corrections` lists form ->
    the form it was read as; `passages` counts those read in context.
    """

    lemma: tuple[str, ...]
    pos: tuple[str, ...]
    source: tuple[str, ...]
    corrections: dict[str, str]
    passages: int

    def is_content(self, number: int, read: Language) -> bool:
        """Whether the form carries meaning of its own: noun, verb, adjective or adverb, no function word."""
        lemma = self.lemma[number]
        return self.pos[number] in read.content and lemma not in read.function_words and not lemma.isdigit()


def read_overrides(path: Path | None) -> dict[str, str]:
    """Read a YAML file `form: lemma`; nothing without path. Raises AnalysisError when it is anything else."""
    if path is None:
        return {}
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AnalysisError(f"Lemmes corrigés « {path.name} » : fichier YAML illisible.") from error
    if not isinstance(raw, dict) or not all(isinstance(k, str) and isinstance(v, str) for k, v in raw.items()):
        raise AnalysisError(f"Lemmes corrigés « {path.name} » : écrivez une ligne « forme: lemme » par correction.")
    return {form.lower(): lemma.lower() for form, lemma in raw.items()}


def learn(
    forms: Sequence[str],
    materials: Sequence[Material],
    *,
    seed: int,
    counts: Sequence[int] = (),
    overrides: dict[str, str] | None = None,
    cache_dir: Path | None = None,
    read: Language | None = None,
    progress: Progress | None = None,
) -> Lemmas:
    """Give each form its lemma and part of speech.

    Args:
        forms: distinct forms in lower case, as numbered by the vocabulary.
        materials: the texts they come from; passages of those that may be read are read in context.
        seed: of the choice of passages; the same seed and texts give the same lemmas, cached or not.
        counts: occurrences of each form, parallel to `forms`; without them no typing error is mended.
        overrides: form -> lemma, which win over everything.
        cache_dir: where results are kept by digest of all that decides them.
        read: the language, French by default. English is read from tables alone.
        progress: called with (passages read in context, passages to read), unless the cache knows the answer.
    """
    read = read or language()
    fixed = {**read.lemmas, **(overrides or {})}
    if read.code == ENGLISH:
        return _english(forms, fixed, counts)
    found = pool(materials, seed)
    key = _digest(forms, found, fixed, counts)
    path = cache_dir / f"lemmas-{key}.json" if cache_dir else None
    if path and path.exists():
        return _from_json(path.read_text(encoding="utf-8"))
    lemmas = _learn(forms, found, fixed, counts, progress)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{random.getrandbits(32):08x}")
        temporary.write_text(json.dumps(asdict(lemmas), ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)
    return lemmas


def _from_json(content: str) -> Lemmas:
    raw = json.loads(content)
    lists = {name: tuple(raw[name]) for name in ("lemma", "pos", "source")}
    return Lemmas(**lists, corrections=raw["corrections"], passages=raw["passages"])


def _digest(forms: Sequence[str], read: Pool, fixed: dict[str, str], counts: Sequence[int]) -> str:
    digest = hashlib.sha256(f"{_LEMMA_FORMAT} {version('spacy')} {version(MODEL)} {language().version}".encode())
    for part in (forms, read.digest, sorted(fixed.items()), list(counts)):
        digest.update(json.dumps(part, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _majority(passages: Sequence[Passage], tables: Tables, progress: Progress | None) -> dict[str, tuple[str, str]]:
    """Majority lemma and part of speech of each form of these passages."""
    learnt: dict[str, tuple[str, str]] = {}
    for form, tags in parts_of_speech(passages, progress).items():
        lemma_as = {pos: form if pos == "PROPN" else tables.lemma(form, pos) for pos in tags}
        by_lemma: Counter[str] = Counter()
        for pos, count in tags.items():
            by_lemma[lemma_as[pos]] += count
        lemma = min(by_lemma, key=lambda lemma: (-by_lemma[lemma], lemma))
        fitting = [pos for pos in tags if lemma_as[pos] == lemma]
        learnt[form] = lemma, min(fitting, key=lambda pos: (-tags[pos], pos))
    return learnt


def _learn(
    forms: Sequence[str], read: Pool, fixed: dict[str, str], counts: Sequence[int], progress: Progress | None
) -> Lemmas:
    tables = lemma_tables.load()
    passages = choose(read, lambda form: tables.hesitates(forms[form]))
    learnt = _majority(passages, tables, progress) if passages else {}
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
        if is_emoji(form):
            found, origin = (without_tone(form), _SYMBOL), "form"
        elif restored:
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
    return Lemmas(tuple(lemma), tuple(pos), tuple(source), corrections, len(passages))


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
        plain = without_tone(read) if is_emoji(read) else read
        lemma.append(fixed.get(form) or fixed.get(plain) or table.lemmatize(plain, lang=ENGLISH).lower())
        origin = "typo" if form in mended else "table" if form in known else "form"
        source.append("override" if form in fixed else origin)
    pos = tuple(_SYMBOL if is_emoji(form) else "NUM" if form[0].isdigit() else "X" for form in forms)
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


def _unknown(form: str, tables: Tables, learnt: dict[str, tuple[str, str]]) -> tuple[str, str]:
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
