"""Drawings of a classification: its dendrogram and its factorial plane, as SVG."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analysis.report.charts import COLOUR, INK, canvas, drawing
from analysis.report.lexicon import Classes

_WORDS = 6
_ON_PLANE = 25
_CLASS_SIZE, _SIZE = 10, 8  # points
# Colour-blind safe (Okabe & Ito 2008); the number of the class is always written beside.
PALETTE = ("#0072B2", "#D55E00", "#007A5A", "#A3417E", "#7A5C00", "#444444", "#1D4F91", "#B0413E", "#4B6A2F", "#5D4A9C")


def dendrogram(classes: Classes, title: str) -> bytes:
    """The divisions, and at each class its share of the classified units and its most typical lemmas."""
    nodes = classes.simple.nodes
    leaves = [node for node in nodes if node.label is not None]
    height: dict[int, float] = {node.number: float(node.label) for node in leaves if node.label is not None}
    depth = {0: 0}
    for node in nodes:
        for child in node.children or ():
            depth[child] = depth[node.number] + 1
    for node in reversed(nodes):
        if node.children:
            height[node.number] = (height[node.children[0]] + height[node.children[1]]) / 2
    end = max(depth.values()) + 1
    with canvas(10, 1.2 + 0.42 * len(leaves)) as figure:
        axes = figure.add_subplot()
        for node in nodes:
            right = end if node.children is None else depth[node.number] + 1
            axes.plot([depth[node.number], right], [height[node.number]] * 2, color=COLOUR)
            if node.children:
                ends = [height[child] for child in node.children]
                axes.plot([right, right], ends, color=COLOUR)
        for number, text in enumerate(leaf_labels(classes)):
            axes.text(end + 0.15, number, text, va="center", fontsize=9)
        axes.set_xlim(-0.1, end + 9)
        axes.set_ylim(len(leaves) - 0.5, -0.5)
        axes.set_axis_off()
        axes.set_title(f"Dendrogramme – {title[:80]}", fontsize=11, loc="left")
        return drawing(figure, f"Dendrogramme – {title}")


def leaf_labels(classes: Classes) -> list[str]:
    """A label for each leaf: the words of a class describe the leaf only in a simple classification."""
    sizes = classes.simple.sizes
    shares = [f"{100 * size / sizes.sum():.1f}".replace(".", ",") for size in sizes]
    if classes.agreement is not None:
        return [f"Groupe {rank + 1} ({share} %)" for rank, share in enumerate(shares)]
    features = [[item.name for item in profile.profile[:_WORDS]] for profile in classes.profiles]
    return [
        f"Classe {rank + 1} ({share} %) : {text}"
        for rank, (share, text) in enumerate(zip(shares, map(", ".join, features), strict=True))
    ]


def factorial_plane(classes: Classes, title: str) -> bytes:
    """Axes 1 and 2 of the lemmas by classes: each class at its place, and the most typical lemmas that are legible."""
    found = classes.plane
    assert found is not None
    rows, columns = (_two(found.rows), _two(found.columns))
    shares = [f"{100 * share:.1f}".replace(".", ",") for share in (*found.shares, 0.0)][:2]
    names = [_Name(f"Classe {label + 1}", x, y, label, _CLASS_SIZE) for label, (x, y) in enumerate(columns.tolist())]
    place = dict(zip(classes.table.lemmas, rows.tolist(), strict=True))
    for rank in range(_ON_PLANE):
        typical = [(each.label, each.profile[rank].name) for each in classes.profiles if rank < len(each.profile)]
        for label, lemma in typical:
            x, y = place[lemma]
            names.append(_Name(f"{lemma} {label + 1}", x, y, label, _SIZE))
    drawn = np.array([(name.x, name.y) for name in names])
    low, high = drawn.min(axis=0), drawn.max(axis=0)
    margin = np.where(high > low, 0.08 * (high - low), 1.0)
    low, high = low - margin, high + margin
    with canvas(10, 8) as figure:
        axes = figure.add_subplot()
        axes.axhline(0, color="#B9BEC7", linewidth=0.8)
        axes.axvline(0, color="#B9BEC7", linewidth=0.8)
        for name in _legible(names, high - low):
            weight = "bold" if name.size == _CLASS_SIZE else "normal"
            colour = PALETTE[name.label % len(PALETTE)]
            axes.text(name.x, name.y, name.text, color=colour, fontsize=name.size, fontweight=weight, ha="center")
        for label, (x, y) in enumerate(columns):
            axes.plot(x, y, marker="s", markersize=4, color=PALETTE[label % len(PALETTE)])
        axes.set_xlim(low[0], high[0])
        axes.set_ylim(low[1], high[1])
        axes.set_xlabel(f"Facteur 1 ({shares[0]} %)", fontsize=9, color=INK)
        axes.set_ylabel(f"Facteur 2 ({shares[1]} %)", fontsize=9, color=INK)
        axes.set_title(f"Plan factoriel – {title[:80]}", fontsize=11, loc="left")
        return drawing(figure, f"Plan factoriel – {title}")


class _Name(NamedTuple):
    """What is written at a place of the plane, in the colour of a class and a size in points."""

    text: str
    x: float
    y: float
    label: int
    size: int

    def box(self, span: NDArray[np.float64]) -> tuple[float, float]:
        """Half its width and its height, from the sizes of its letters on a plane of 8.8 by 7 inches."""
        return 0.3 * self.size / 72 * len(self.text) / 8.8 * span[0], 1.1 * self.size / 72 / 7 * span[1]

    def clear_of(self, others: Sequence["_Name"], span: NDArray[np.float64]) -> bool:
        """Whether it covers none of these."""
        width, height = self.box(span)
        boxes = [(other, *other.box(span)) for other in others]
        return all(
            abs(self.x - other.x) > width + wide or abs(self.y - other.y) > max(height, tall)
            for other, wide, tall in boxes
        )


def _legible(names: Sequence[_Name], span: NDArray[np.float64]) -> list[_Name]:
    """The names that cover none before them; that of a class is moved down until it covers none."""
    kept: list[_Name] = []
    for name in names:
        while name.size == _CLASS_SIZE and not name.clear_of(kept, span):
            name = name._replace(y=name.y - name.box(span)[1])  # noqa: PLW2901 -- the same name, lower
        if name.clear_of(kept, span):
            kept.append(name)
    return kept


def _two(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates on two axes; with two classes there is one axis, and the second is flat."""
    return np.pad(coordinates[:, :2], ((0, 0), (0, max(0, 2 - coordinates.shape[1]))))
