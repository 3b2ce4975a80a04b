"""Concordance (KWIC): every place of a pattern with the words around it, sorted as a reader wants."""

from collections.abc import Callable
from dataclasses import dataclass

from analysis.coding.lexicon_rules import Matcher
from analysis.coding.patterns import Node
from analysis.errors import AnalysisError
from analysis.text import Tokens, Vocabulary

DEFAULT_WIDTH = 8


@dataclass(frozen=True)
class Line:
    """One place: the rank of its text, the words before it, its own, and those after it, within the text."""

    text: int
    left: tuple[str, ...]
    centre: tuple[str, ...]
    right: tuple[str, ...]


ORDERS: dict[str, Callable[[Line], tuple[object, ...]]] = {
    "text": lambda line: (line.text,),
    "left": lambda line: (line.left[::-1], line.centre, line.right, line.text),
    "centre": lambda line: (line.centre, line.right, line.text),
    "right": lambda line: (line.right, line.centre, line.text),
}


def concordance(
    node: Node,
    tokens: Tokens,
    vocabulary: Vocabulary,
    matcher: Matcher,
    *,
    order: str = "text",
    width: int = DEFAULT_WIDTH,
) -> list[Line]:
    """All the places of a pattern, with up to `width` words on each side.

    `order` is `text` (order of the corpus), `left` (nearest word before first), `centre` or `right`; equal
    lines keep the order of the corpus. Raises AnalysisError for another order.
    """
    if order not in ORDERS:
        raise AnalysisError(f"Tri « {order} » inconnu ; au choix : {', '.join(ORDERS)}.")
    spans = matcher.find(node)
    texts = tokens.texts
    lines = []
    for start, end in zip(spans.start.tolist(), spans.end.tolist(), strict=True):
        text = int(texts[start])
        first, last = int(tokens.starts[text]), int(tokens.starts[text + 1])
        left, centre, right = (
            tuple(vocabulary.forms[number] for number in tokens.forms[low:high])
            for low, high in ((max(first, start - width), start), (start, end), (end, min(last, end + width)))
        )
        lines.append(Line(text, left, centre, right))
    return sorted(lines, key=ORDERS[order])
