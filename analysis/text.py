"""French tokens: from texts to arrays of word numbers.

Texts are cut by one regular expression into raw words; each distinct raw word is then split once
(elision, inversion, dotted acronym), so that the cost per token stays in compiled code.

What is a word: letters and digits, with inner hyphens and apostrophes of any kind. `L’impôt` is two
words (`l'`, `impôt`), `faut-il` two (`faut`, `il`), `a-t-on` two, `aujourd'hui`, `rendez-vous` and
`peut-être` one, `honte;les` two, `T.V.A.` one (`tva`). Texts in capitals are lowered before anything.
"""

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_LETTER = r"[^\W\d_]"
_RAW = (
    r"https?://\S+|www\.\S+"
    rf"|(?:{_LETTER}\.){{2,}}{_LETTER}?(?!\w)"  # T.V.A.
    r"|\d+(?:[.,]\d+)+"  # 2,5
    r"|[^\W_]+(?:['\-][^\W_]+)*'?"
)
_BOUNDARY = r"[.!?…;:\n]+"
_FINDALL = re.compile(f"{_RAW}|{_BOUNDARY}").findall
_CONTEXT = re.compile(rf"({_RAW})|(\S)")

_WHOLE = frozenset(
    {
        *("aujourd'hui", "prud'homme", "prud'hommes", "prud'homal", "prud'homale", "prud'homaux"),
        *("presqu'île", "presqu'îles", "quelqu'un", "quelqu'une", "rendez-vous", "vis-à-vis", "c'est-à-dire"),
    }
)
_ELISION = re.compile(r"((?:jusqu|lorsqu|puisqu|quoiqu|qu|[cdjlmnst])')(.*)", re.IGNORECASE | re.DOTALL)
_CLITIC = re.compile(
    r"(.+?)(?:-t)?-((?:je|tu|ils?|elles?|on|nous|vous|ce|les?|la|lui|leur|y|en|moi|toi)|t'en|m'en)", re.IGNORECASE
)
_DEICTIC = re.compile(r"(?!celui|celle|ceux|au-|par-|jusque-|de-|ce-)(.+)-(ci|là)", re.IGNORECASE)
# A lone letter is an elision whose apostrophe was forgotten (« l argent »).
_FORGOTTEN = frozenset("cdjlmnst")
_DOTTED = re.compile(rf"(?:{_LETTER}\.)+{_LETTER}?")
_SHORTEST_SHOUT = 12
_LONGEST_ACRONYM = 6


@dataclass(frozen=True)
class Tokens:
    """The words of `n` texts, one after the other.

    `forms[k]` is the number of the k-th word in the vocabulary; text `i` holds the words
    `starts[i]:starts[i + 1]`; `sentences[k]` never takes the same value in two sentences.
    """

    forms: NDArray[np.int32]
    starts: NDArray[np.int64]
    sentences: NDArray[np.int32]

    @property
    def texts(self) -> NDArray[np.int32]:
        """For each word, the rank of its text, shape (n_words,)."""
        return np.repeat(np.arange(len(self.starts) - 1, dtype=np.int32), np.diff(self.starts))


class Vocabulary:
    """Distinct forms (lower case), numbered in order of appearance, shared by the corpora of a run."""

    def __init__(self) -> None:
        self.forms: list[str] = []
        self._index: dict[str, int] = {}
        self._raw: defaultdict[str, int] = defaultdict()
        self._raw.default_factory = self._raw.__len__
        self._parts: list[tuple[int, ...]] = []
        self._upper: defaultdict[int, int] = defaultdict(int)

    def __len__(self) -> int:
        return len(self.forms)

    def number(self, form: str) -> int | None:
        """The number of a form, None if no text holds it."""
        return self._index.get(form)

    def tokenise(self, texts: Iterable[str]) -> Tokens:
        """Cut texts into words. Every text keeps its rank, even when it holds no word."""
        numbers = array("i")
        ends = array("q", [0])
        lookup = self._raw.__getitem__
        for text in texts:
            numbers.extend(map(lookup, _FINDALL(prepare(text))))
            ends.append(len(numbers))
        self._split_new()
        raw = np.frombuffer(numbers, dtype=np.int32) if numbers else np.zeros(0, np.int32)
        return self._expand(raw, np.frombuffer(ends, dtype=np.int64))

    def acronyms(self, tokens: Sequence[Tokens]) -> frozenset[int]:
        """Short forms (two to six characters) written in capitals at least half of the time."""
        total = np.zeros(len(self.forms), dtype=np.int64)
        for part in tokens:
            total += np.bincount(part.forms, minlength=len(self.forms))
        return frozenset(
            form
            for form, count in self._upper.items()
            if 2 * count >= total[form] and len(self.forms[form]) <= _LONGEST_ACRONYM
        )

    def _split_new(self) -> None:
        for word in list(self._raw)[len(self._parts) :]:
            if word[0] in ".!?…;:\n":
                self._parts.append(())
            else:
                self._parts.append(tuple(self._add(part.lower()) for part in split(word)))

    def _add(self, form: str) -> int:
        number = self._index.setdefault(form, len(self.forms))
        if number == len(self.forms):
            self.forms.append(form)
        return number

    def _expand(self, raw: NDArray[np.int32], ends: NDArray[np.int64]) -> Tokens:
        lengths = np.fromiter(map(len, self._parts), dtype=np.int64, count=len(self._parts))
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        flat = np.fromiter((f for parts in self._parts for f in parts), dtype=np.int32, count=int(offsets[-1]))
        per_raw = lengths[raw]
        first = np.concatenate([[0], np.cumsum(per_raw)])
        within = np.arange(first[-1]) - np.repeat(first[:-1], per_raw)
        forms = flat[np.repeat(offsets[raw], per_raw) + within]
        breaks = (per_raw == 0).astype(np.int32)
        breaks[ends[:-1][ends[:-1] < len(raw)]] = 1
        sentences = np.repeat(np.cumsum(breaks, dtype=np.int32), per_raw)
        self._count_capitals(raw)
        return Tokens(forms, first[ends], sentences)

    def _count_capitals(self, raw: NDArray[np.int32]) -> None:
        counts = np.bincount(raw, minlength=len(self._parts))
        for number, word in enumerate(self._raw):
            if counts[number] and len(word) > 1 and word.isupper() and self._parts[number]:
                last = self._parts[number][-1]
                if len(self.forms[last]) > 1:
                    self._upper[last] += int(counts[number])


def prepare(text: str) -> str:
    """The text with composed accents and straight apostrophes; lowered when it shouts throughout."""
    if not text.isascii():
        text = text.replace("’", "'").replace("ʼ", "'").replace("‘", "'").replace("\u00ad", "").replace("‑", "-")
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
    if "`" in text or "´" in text:
        text = text.replace("`", "'").replace("´", "'")
    return text.lower() if len(text) > _SHORTEST_SHOUT and text.isupper() else text


def split(word: str) -> list[str]:
    """The forms in one raw word, in their own case: `qu'il` gives `qu'` and `il`."""
    lower = word.lower()
    if lower in _FORGOTTEN:
        return [word + "'"]
    if lower in _WHOLE or _DOTTED.fullmatch(word):
        return [word.replace(".", "")]
    elided = _ELISION.fullmatch(word)
    if elided:
        return [elided[1], *(split(elided[2]) if elided[2] else [])]
    inverted = None if lower.startswith(("rendez-", "peut-ê")) else _CLITIC.fullmatch(word)
    if inverted:
        return [*split(inverted[1]), *split(inverted[2])]
    deictic = _DEICTIC.fullmatch(word)
    return [*split(deictic[1]), deictic[2]] if deictic else [word.rstrip("'")]


def in_context(text: str) -> tuple[list[str], list[bool]]:
    """Words and punctuation of a text as a tagger needs them, and whether a space follows each."""
    text = prepare(text)
    words: list[str] = []
    spaces: list[bool] = []
    for match in _CONTEXT.finditer(text):
        parts = split(match[1]) if match[1] else [match[2]]
        words += parts
        spaces += [False] * (len(parts) - 1) + [text[match.end() : match.end() + 1].isspace()]
    return words, spaces
