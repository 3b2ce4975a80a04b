"""Insults and threats: a linear model over the words of a text and their pieces, and the words that weighed.

Who is spoken of does not weigh: the name of a people, a faith, a sex or a handicap counts only with the word before or
after it, since labelled sets are gathered by such names and a model would learn to suspect whoever writes them.

A feature is a word, two words that follow each other, or a piece of a word of 3 to 5 letters; it has no name in the
model, only a place among 65,536 (CRC-32): the model holds no sentence of what it was trained on, and no list of
slurs. Weights are written as JSON: reading a model runs nothing.

Source of hashed features: Weinberger et al. (2009), « Feature Hashing for Large Scale Multitask Learning ».
"""

import base64
import binascii
import hashlib
import json
import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError

FORMAT = "consult-insults/1"
PLACES = 1 << 16
SHOWN = 4
MODEL = Path(__file__).parents[1] / "resources" / "insults.json"
# Marks of where a text comes from, which say nothing of what it says.
_MARKS = re.compile(r"@\w+|https?://\S+|\b(?:rt|url|user)\b|#")
# Beginnings of the words that name people by what they are; slurs are no part of it.
_WHO = re.compile(
    r"(?:arab|maghréb|algéri|maroc|tunis|afric|afriq|antill|asiat|chinois|vietnam|turc|turqu|kurd|syri|afghan|rom(?:s|a)?$"
    r"|roumain|polon|portug|espagn|ital|allemand|anglais|améric|russ|ukrain|europ|franç|étrang|immigr|migra|réfug|exil"
    r"|juif|juiv|israél|palestin|musulman|islam|catho|chrét|protest|boudd|relig|athée|noir(?:e|s|es)?$|blanc(?:s|he|hes)?$"
    r"|métis|femme|homme|fille|garçon|gay|homosex|lesb|trans(?:$|gen|sex)|bisex|hétéro|handicap|autis|trisom|malade|aveugl"
    r"|sourd|vieux|vieil|retrait|jeune|enfant|pauvr|chôm|sdf|ouvri|avort|terror|racis|sexis|féminis|gauch|droit)"
)
_WORD = re.compile(r"[^\W\d_]+")
_PIECES = range(3, 6)


@dataclass(frozen=True)
class Model:
    """A trained model; `version` is the digest of its file, `card` what it says of its training and its measures.

    A text whose score reaches `threshold` is suggested. `weights`, shape (PLACES,), and `bias` are in log-odds.
    """

    version: str
    weights: NDArray[np.float64]
    bias: float
    threshold: float
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Insult:
    """Why a text is suggested: its score, in log-odds, and where the words are that weighed most, in order."""

    score: float
    spans: tuple[tuple[int, int], ...]


def features(text: str) -> list[tuple[int, int, int]]:
    """The features of a text, once each: its place, and from where to where the word that first bears it stands."""
    found: dict[int, tuple[int, int]] = {}
    before = ""
    for word, start, end in _words(text):
        for name in _names(word, before):
            found.setdefault(zlib.crc32(name.encode()) % PLACES, (start, end))
        before = word
    return [(place, start, end) for place, (start, end) in found.items()]


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    blank = _MARKS.sub(lambda match: " " * len(match[0]), text.lower() if len(text.lower()) == len(text) else text)
    for match in _WORD.finditer(blank):
        yield re.sub(r"(.)\1{2,}", r"\1\1", unicodedata.normalize("NFC", match[0])), *match.span()


def _names(word: str, before: str) -> Iterator[str]:
    if before:
        yield f"b {before} {word}"
    if _WHO.match(word):
        return
    yield f"w {word}"
    padded = f" {word} "
    for size in _PIECES:
        yield from (f"p {padded[at : at + size]}" for at in range(len(padded) - size + 1))


def score(model: Model, text: str) -> Insult:
    """How much a text looks like an insult or a threat, and the words that weighed most towards it."""
    borne = features(text)
    if not borne:
        return Insult(model.bias, ())
    scale = 1 / math.sqrt(len(borne))
    weighed: Counter[tuple[int, int]] = Counter()
    for place, start, end in borne:
        weighed[start, end] += model.weights[place] * scale
    heavy = [span for span, weight in weighed.most_common(SHOWN) if weight > 0]
    return Insult(model.bias + float(sum(weighed.values())), tuple(sorted(heavy)))


def write(path: Path, weights: NDArray[np.float64], bias: float, threshold: float, card: Mapping[str, Any]) -> None:
    """Write a model: weights on 255 levels, which is as much as its data can tell apart."""
    unit = float(np.abs(weights).max()) / 127 or 1.0
    levels = np.round(weights / unit).astype(np.int8)
    content = {
        "format": FORMAT,
        "card": dict(card),
        "bias": bias,
        "threshold": threshold,
        "unit": unit,
        "weights": base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode(),
    }
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Model:
    """Read a model. Raises AnalysisError unless it is one, OSError when it is not there."""
    raw = path.read_bytes()
    try:
        content = json.loads(raw)
        if content["format"] != FORMAT:
            raise AnalysisError(f"« {path} » n’est pas un modèle au format {FORMAT} : entraînez-le de nouveau.")
        unpacker = zlib.decompressobj()
        levels = np.frombuffer(unpacker.decompress(base64.b64decode(content["weights"]), PLACES), dtype=np.int8)
        weights = levels.astype(np.float64) * float(content["unit"])
        numbers = float(content["bias"]), float(content["threshold"])
        card = dict(content["card"])
    except (ValueError, KeyError, TypeError, binascii.Error, zlib.error) as error:
        raise AnalysisError(f"« {path} » n’est pas un modèle d’insultes : entraînez-le de nouveau.") from error
    if len(weights) != PLACES or not np.isfinite([*numbers, *weights[:1]]).all():
        raise AnalysisError(f"« {path} » est incomplet : entraînez-le de nouveau.")
    return Model(hashlib.sha256(raw).hexdigest()[:16], weights, *numbers, card)
