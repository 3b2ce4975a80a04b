"""What changes from one text to another, word by word, as a reader would say it; pure.

The words kept are a longest common subsequence, found by bit-parallel dynamic programming (Hyyrö 2004): exact, and
some milliseconds for two articles of ten thousand characters, whatever they hold. Spaces are not compared.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Final

# A word with its inner hyphens and the apostrophe that elides it, a number with its decimals, a sign, or line ends.
_TOKEN: Final = re.compile(r"\n[ \t\r\n]*|\d+(?:[.,]\d+)*|\w+(?:-\w+)*[’'ʼ]?|[^\w\s]")
_SIGNS: Final = str.maketrans({"’": "'", "ʼ": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "‑": "-"})
_SHORT: Final = 3  # « de », « les »: alone between two changes, such a word is no landmark
_ANOTHER_TEXT: Final = 5  # two texts of which less than a fifth is the same are told one after the other
_SENTENCE: Final = frozenset(".!?;:…»")


class Op(enum.StrEnum):
    """What became of a passage."""

    KEPT = "kept"
    DELETED = "deleted"
    INSERTED = "inserted"


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of text with one fate; spaces that follow its words are in it."""

    op: Op
    text: str


@dataclass(frozen=True, slots=True)
class _Token:
    key: str  # what is compared
    text: str  # as written, with the spaces that follow


def differences(before: str, after: str) -> list[Passage]:
    """The passages of both texts in reading order, what goes before what comes.

    Kept and inserted passages, put together, are `after` in composed Unicode, but for spaces that begin it; kept and
    deleted ones have the words of `before`. A change of spaces alone, or of the shape of an apostrophe, a quote or a
    dash, is no change; a new paragraph is one.
    """
    old, new = _tokens(before), _tokens(after)
    kept = _readable(old, new, _common([token.key for token in old], [token.key for token in new]))
    told = groupby(_edits(old, new, kept), key=lambda edit: edit[0])
    return list(_spaced([Passage(op, "".join(token.text for _, token in tokens)) for op, tokens in told]))


def _spaced(passages: list[Passage]) -> Iterator[Passage]:
    """The passages with the space between two words after the punctuation deleted there: « maire~~,~~ saisi »."""
    space = ""
    for place, passage in enumerate(passages):
        text = space + passage.text
        following = passages[place + 1 : place + 3]
        if passage.op is Op.DELETED and space:
            text = passage.text.rstrip()
        else:
            space = ""
        if (
            passage.op is Op.KEPT
            and [each.op for each in following] == [Op.DELETED, Op.KEPT]
            and not following[0].text[0].isalnum()
            and not following[0].text.startswith("\n")
            and following[0].text.endswith(" ")
            and text.endswith(" ")
        ):
            space, text = " ", text[:-1]
        yield Passage(passage.op, text)


def changed_words(passages: Sequence[Passage], op: Op) -> int:
    """How many words the passages of one fate hold: punctuation counts for nothing."""
    return sum(_is_word(token) for passage in passages if passage.op is op for token in _tokens(passage.text))


def _tokens(text: str) -> list[_Token]:
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    found = list(_TOKEN.finditer(text))
    cuts = [*(match.start() for match in found), len(text)]
    return [
        _Token(_key(match.group()), text[start:end]) for match, (start, end) in zip(found, pairwise(cuts), strict=True)
    ]


def _key(written: str) -> str:
    return "\n" if written.startswith("\n") else written.translate(_SIGNS)


def _is_word(token: _Token) -> bool:
    return any(character.isalnum() for character in token.key)


def _common(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """The places, in both, of a longest common subsequence."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    inner_old, inner_new = old[start : len(old) - end], new[start : len(new) - end]
    inner = [(start + here, start + there) for here, there in _subsequence(inner_old, inner_new)]
    head = [(place, place) for place in range(start)]
    tail = [(len(old) - end + place, len(new) - end + place) for place in range(end)]
    return [*head, *inner, *tail]


def _subsequence(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Row by row of `new`: bit i of a row is 0 where the common length grows at the i-th of `old`."""
    places: dict[str, int] = {}
    for place, key in enumerate(old):
        places[key] = places.get(key, 0) | 1 << place
    full = (1 << len(old)) - 1
    row, rows = full, []
    for key in new:
        rows.append(row)
        met = row & places.get(key, 0)
        row = (row + met | row - met) & full
    found = []
    here, there = len(old), len(new)
    rows.append(row)
    while here and there:
        if rows[there] >> here - 1 & 1:  # no growth here: this one of `old` is not needed
            here -= 1
        elif not rows[there - 1] >> here - 1 & 1:  # the growth was there before this one of `new`
            there -= 1
        else:
            here, there = here - 1, there - 1
            found.append((here, there))
    return found[::-1]


def _readable(old: Sequence[_Token], new: Sequence[_Token], common: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The common words without those that would cut a rewritten passage into crumbs."""
    islands: list[list[tuple[int, int]]] = []
    for pair in common:
        last = islands[-1][-1] if islands else None
        if last == (pair[0] - 1, pair[1] - 1):
            islands[-1].append(pair)
        else:
            islands.append([pair])
    kept: list[tuple[int, int]] = []
    ends = (-1, -1)
    for place, island in enumerate(islands):
        following = islands[place + 1][0] if place + 1 < len(islands) else (len(old), len(new))
        before = (island[0][0] - ends[0] - 1, island[0][1] - ends[1] - 1)
        after = (following[0] - island[-1][0] - 1, following[1] - island[-1][1] - 1)
        if not (_rewritten(before, after) and _is_crumb([old[here] for here, _ in island])):
            kept += island
        ends = island[-1]
    words = sum(_is_word(old[here]) for here, _ in kept)
    longest = max(sum(map(_is_word, text)) for text in (old, new))
    return kept if words * _ANOTHER_TEXT >= longest else []


def _rewritten(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether words are replaced on both sides, rather than added or taken away on one."""
    return all(before) and all(after)


def _is_crumb(tokens: Sequence[_Token]) -> bool:
    words = [token for token in tokens if _is_word(token)]
    lines = any(token.key == "\n" for token in tokens)
    return not lines and (not words or (len(words) == 1 and len(words[0].key) <= _SHORT))


def _edits(
    old: Sequence[_Token], new: Sequence[_Token], kept: Sequence[tuple[int, int]]
) -> Iterator[tuple[Op, _Token]]:
    done_old = done_new = 0
    for run_old, run_new in _slid(old, new, kept):
        yield from ((Op.DELETED, token) for token in old[done_old : run_old.start])
        yield from ((Op.INSERTED, token) for token in new[done_new : run_new.start])
        yield from ((Op.KEPT, token) for token in new[run_new.start : run_new.stop])
        done_old, done_new = run_old.stop, run_new.stop
    yield from ((Op.DELETED, token) for token in old[done_old:])
    yield from ((Op.INSERTED, token) for token in new[done_new:])


def _slid(old: Sequence[_Token], new: Sequence[_Token], kept: Sequence[tuple[int, int]]) -> list[tuple[range, range]]:
    """The runs of kept words, each pure insertion or deletion moved to where a sentence or a line begins, if it can.

    « a, b, c » from « a, c »: the same words are kept whether « , b » or « b, » is new; a reader expects a whole.
    """
    runs: list[list[int]] = []  # start in old, start in new, length
    for here, there in kept:
        if runs and (runs[-1][0] + runs[-1][2], runs[-1][1] + runs[-1][2]) == (here, there):
            runs[-1][2] += 1
        else:
            runs.append([here, there, 1])
    for left, right in pairwise(runs):
        gap_old, gap_new = right[0] - left[0] - left[2], right[1] - left[1] - left[2]
        if gap_old and gap_new:
            continue
        text, side = (new, 1) if gap_new else (old, 0)
        shift = _best_shift(text, left[side] + left[2], gap_new or gap_old, left[2], right[2])
        left[2] += shift
        right[0], right[1], right[2] = right[0] + shift, right[1] + shift, right[2] - shift
    return [(range(here, here + length), range(there, there + length)) for here, there, length in runs if length]


def _best_shift(text: Sequence[_Token], start: int, length: int, most_left: int, most_right: int) -> int:
    """By how many words to move a changed passage: none unless it then begins better."""
    shifts = [0]
    for move in range(1, most_left + 1):
        if text[start - move].key != text[start + length - move].key:
            break
        shifts.append(-move)
    for move in range(most_right):
        if text[start + move].key != text[start + length + move].key:
            break
        shifts.append(move + 1)
    return max(shifts, key=lambda shift: (_boundary(text, start + shift), -abs(shift)))


def _boundary(text: Sequence[_Token], start: int) -> int:
    """How well a passage begins at a place: on a new line, after a sentence, before or after a lighter stop."""
    before = text[start - 1].key if start else "\n"
    if text[start].key == "\n" or before == "\n":
        return 3
    if before in _SENTENCE:
        return 2
    return int(not _is_word(text[start]) or before == ",")
