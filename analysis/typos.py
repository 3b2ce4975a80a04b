"""Typing errors: which rare unknown form is one slip away from a frequent known one.

A slip is one letter added, left out, changed, or two neighbours swapped; accents do not count. A correction is proposed
only when the known form is far more frequent and alone in its case; it is listed by the caller, and undone by an
override `form: form`.

Source: Damerau (1964), « A technique for computer detection and correction of spelling errors », CACM 7(3), 171-176.
"""

import unicodedata
from collections.abc import Iterator, Mapping

SHORTEST = 6
RARE = 0.02
FREQUENT = 20
_RIVAL = 0.2


def bare(form: str) -> str:
    """The form without its accents."""
    if form.isascii():
        return form
    return "".join(c for c in unicodedata.normalize("NFD", form) if not unicodedata.combining(c))


def corrections(unknown: Mapping[str, int], known: Mapping[str, int]) -> dict[str, str]:
    """The known form that each unknown one is read as, when there is exactly one good reason.

    Args:
        unknown: occurrences of forms that no table knows.
        known: occurrences of forms that are known; those under 20 occurrences are no model.

    A form of at least six letters is corrected when a known one with the same first letter is one slip away, at least
    50 times as frequent, and no other known form one slip away has a fifth of its occurrences.
    """
    frequent = {form: count for form, count in known.items() if count >= FREQUENT and len(form) >= SHORTEST - 1}
    by_shape: dict[str, list[str]] = {}
    for form in frequent:
        plain = bare(form)
        for shape in (plain, *_shortened(plain)):
            by_shape.setdefault(shape, []).append(form)
    found = {}
    for form, count in unknown.items():
        if len(form) < SHORTEST or not form.isalpha():
            continue
        plain = bare(form)
        near = {other for shape in (plain, *_shortened(plain)) for other in by_shape.get(shape, ())}
        slips = sorted((other for other in near if _one_slip(plain, bare(other))), key=lambda f: (-frequent[f], f))
        if slips and count <= RARE * frequent[slips[0]]:
            rivals = [other for other in slips[1:] if frequent[other] > _RIVAL * frequent[slips[0]]]
            if not rivals:
                found[form] = slips[0]
    return found


def _shortened(form: str) -> Iterator[str]:
    """The form less one letter, wherever it is but at the start: the first letter is rarely mistyped."""
    return (form[:at] + form[at + 1 :] for at in range(1, len(form)))


def _one_slip(one: str, two: str) -> bool:
    """Whether two forms differ by exactly one slip after their first letter."""
    if one == two or one[:1] != two[:1]:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), min(len(one), len(two)))
    if len(one) == len(two):
        swapped = one[start] == two[start + 1 : start + 2] and two[start] == one[start + 1 : start + 2]
        return one[start + 1 :] == two[start + 1 :] or (swapped and one[start + 2 :] == two[start + 2 :])
    long, short = (one, two) if len(one) > len(two) else (two, one)
    return len(long) == len(short) + 1 and long[start + 1 :] == short[start:]
