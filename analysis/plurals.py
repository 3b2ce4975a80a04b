"""How French agrees a noun with its count: the plural begins at two."""

_ALIKE = ("s", "x", "z")


def noun(count: int, singular: str, plural: str | None = None) -> str:
    """`singular`, or from two on its plural: `plural` if it is given, else an s on every word that lacks one."""
    if abs(count) < 2:  # noqa: PLR2004  # in French, what is under two is singular
        return singular
    return plural or " ".join(word if word.endswith(_ALIKE) else f"{word}s" for word in singular.split(" "))


def counted(count: int, singular: str, plural: str | None = None) -> str:
    """A count and its noun: « 1 code publiable », « 2 codes publiables »."""
    return f"{count} {noun(count, singular, plural)}"
