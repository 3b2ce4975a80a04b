"""Charts as SVG, the same bytes from the same figures.

Matplotlib is imported where something is drawn: most commands draw nothing, and it takes as long to start as the rest.
"""

import io
import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOUR = "#1d4f91"
INK = "#1b1b1b"
LABEL_WIDTH = 38
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "consult",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "text.color": INK,
    "axes.unicode_minus": False,
    "text.parse_math": False,  # citizens write dollars
}


def bars(labels: list[str], values: list[float], unit: str) -> bytes:
    """Horizontal bars, first label on top; each bar carries its value, so colour says nothing alone."""
    from matplotlib.ticker import MaxNLocator

    wrapped = [textwrap.shorten(label, 2 * LABEL_WIDTH, placeholder="…") for label in labels]
    wrapped = [textwrap.fill(label, LABEL_WIDTH) for label in wrapped]
    with canvas(8, 0.6 + 0.36 * max(1, len(labels))) as figure:
        axes = figure.add_subplot()
        places = range(len(labels))
        drawn = axes.barh(list(places), values, color=COLOUR, height=0.7)
        axes.bar_label(drawn, [_number(value) for value in values], padding=3, fontsize=9)
        axes.set_yticks(list(places), wrapped, fontsize=9)
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_xlim(left=0, right=None if any(values) else 1)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_xlabel(unit, fontsize=9)
        axes.tick_params(axis="x", labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        return drawing(figure)


@contextmanager
def canvas(width: float, height: float) -> Iterator["Figure"]:
    """An empty figure, of a size in inches, and our style as long as it is drawn."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def drawing(figure: "Figure", title: str | None = None) -> bytes:
    """A figure as SVG, the same bytes each time; to be called on its canvas. `title` is what a screen reader says."""
    content = io.BytesIO()
    metadata = {"Date": None, "Creator": None, **({"Title": title} if title else {})}
    with warnings.catch_warnings():
        # A glyph that our font lacks is drawn by the reader's: only its width is a guess.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(content, format="svg", metadata=metadata)
    return content.getvalue()


def _number(value: float) -> str:
    shown = f"{value:,.1f}" if isinstance(value, float) and not value.is_integer() else f"{int(value):,}"
    return shown.replace(",", "\u202f").replace(".", ",")
