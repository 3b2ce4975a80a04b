"""Drawings of a classification: its dendrogram and its factorial plane, as SVG."""

import numpy as np

from analysis.report.charts import COLOUR, INK, canvas, drawing
from analysis.report.lexicon import Classes

_WORDS = 6
_ON_PLANE = 12
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
        for number, text in enumerate(_labels(classes)):
            axes.text(end + 0.15, number, text, va="center", fontsize=9)
        axes.set_xlim(-0.1, end + 9)
        axes.set_ylim(len(leaves) - 0.5, -0.5)
        axes.set_axis_off()
        axes.set_title(f"Dendrogramme – {title[:80]}", fontsize=11, loc="left")
        return drawing(figure)


def _labels(classes: Classes) -> list[str]:
    """A label for each leaf: the words of a class describe the leaf only in a simple classification."""
    sizes = classes.simple.sizes
    shares = [f"{100 * size / sizes.sum():.1f}".replace(".", ",") for size in sizes]
    if classes.agreement is not None:
        return [f"Groupe {rank + 1} ({share} %)" for rank, share in enumerate(shares)]
    features = [[item.name for item in profile.features[:_WORDS] if item.chi2 > 0] for profile in classes.profiles]
    return [
        f"Classe {rank + 1} ({share} %) : {text}"
        for rank, (share, text) in enumerate(zip(shares, map(", ".join, features), strict=True))
    ]


def factorial_plane(classes: Classes, title: str) -> bytes:
    """Axes 1 and 2 of the lemmas by classes: each class at its place, with its most typical lemmas."""
    found = classes.plane
    assert found is not None
    rows, columns = (_two(found.rows), _two(found.columns))
    shares = [f"{100 * share:.1f}".replace(".", ",") for share in (*found.shares, 0.0)][:2]
    place = {lemma: rank for rank, lemma in enumerate(classes.table.lemmas)}
    with canvas(10, 8) as figure:
        axes = figure.add_subplot()
        axes.axhline(0, color="#B9BEC7", linewidth=0.8)
        axes.axvline(0, color="#B9BEC7", linewidth=0.8)
        for profile in classes.profiles:
            colour = PALETTE[profile.label % len(PALETTE)]
            for item in [item for item in profile.features[:_ON_PLANE] if item.chi2 > 0]:
                x, y = rows[place[item.name]]
                axes.text(x, y, f"{item.name} {profile.label + 1}", color=colour, fontsize=8, ha="center")
            x, y = columns[profile.label]
            axes.plot(x, y, marker="s", color=colour)
            axes.annotate(f"Classe {profile.label + 1}", (x, y), color=colour, fontsize=10, fontweight="bold")
        drawn = np.vstack([columns, [rows[place[i.name]] for p in classes.profiles for i in p.features[:_ON_PLANE]]])
        for limit, axis in ((axes.set_xlim, 0), (axes.set_ylim, 1)):
            low, high = float(np.nanmin(drawn[:, axis])), float(np.nanmax(drawn[:, axis]))
            margin = 0.08 * (high - low) or 1.0
            limit(low - margin, high + margin)
        axes.set_xlabel(f"Axe 1 ({shares[0]} %)", fontsize=9, color=INK)
        axes.set_ylabel(f"Axe 2 ({shares[1]} %)", fontsize=9, color=INK)
        axes.set_title(f"Plan factoriel – {title[:80]}", fontsize=11, loc="left")
        return drawing(figure)


def _two(coordinates: np.ndarray) -> np.ndarray:
    """Coordinates on two axes; with two classes there is one axis, and the second is flat."""
    return np.pad(coordinates[:, :2], ((0, 0), (0, max(0, 2 - coordinates.shape[1]))))
