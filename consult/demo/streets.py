"""Four streets drawn by program, for the question whose answers are pictures."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image, ImageDraw

_SIZE: Final = (480, 320)
_HORIZON: Final = 110
_SKY, _LAWN, _WALL, _PAVEMENT, _ROAD, _MARK = "#cfe3f1", "#dbe6cd", "#d9c7a8", "#c9c6be", "#5b6168", "#ffffff"
_CAR, _GREEN, _TREE, _BUS = "#a33b32", "#4f8a5b", "#2f6b3c", "#2b5d9b"
# Each strip of the street, from left to right: its colour and its share of the width.
_STRIPS: Final = {
    "voitures": ((_PAVEMENT, 1), (_ROAD, 8), (_PAVEMENT, 1)),
    "velos": ((_PAVEMENT, 2), (_GREEN, 2), (_ROAD, 4), (_PAVEMENT, 2)),
    "pietons": ((_PAVEMENT, 3), (_ROAD, 4), (_PAVEMENT, 3)),
    "bus": ((_PAVEMENT, 2), (_ROAD, 3), (_BUS, 3), (_PAVEMENT, 2)),
}


def draw(name: str) -> bytes:
    """The street of that name, as a PNG file."""
    picture = Image.new("RGB", _SIZE, _SKY)
    pen, (width, height) = ImageDraw.Draw(picture), _SIZE
    pen.rectangle((0, _HORIZON, width, height), fill=_LAWN)
    for left in range(0, width, 80):
        pen.rectangle((left + 4, 30 + left % 3 * 12, left + 74, _HORIZON), fill=_WALL)
    strips, at = _STRIPS[name], 0.0
    scale = sum(share for _, share in strips)
    for colour, share in strips:
        near, far = ((at + share) / scale * width, at / scale * width)
        pen.polygon((_far(far), (far, height), (near, height), _far(near)), fill=colour)
        if colour in {_ROAD, _GREEN, _BUS}:
            middle = (near + far) / 2
            pen.line((_far(middle), (middle, height)), fill=_MARK, width=4)
        at += share
    _furnish(pen, name)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def _far(x: float) -> tuple[float, float]:
    """Where what is at `x` in front of us meets the horizon."""
    middle = _SIZE[0] / 2
    return middle + (x - middle) * 0.35, _HORIZON


def _furnish(pen: ImageDraw.ImageDraw, name: str) -> None:
    if name == "voitures":
        for left, top, size in ((70, 230, 70), (300, 230, 70), (165, 150, 40), (270, 150, 40)):
            pen.rounded_rectangle((left, top, left + size, top + size * 0.7), radius=10, fill=_CAR)
    elif name == "velos":
        for x, y, size in ((156, 262, 20), (188, 176, 11)):
            pen.ellipse((x - size, y - size, x, y), outline=_MARK, width=4)
            pen.ellipse((x + size * 0.6, y - size, x + size * 1.6, y), outline=_MARK, width=4)
    elif name == "pietons":
        for x, y, size in ((60, 250, 46), (420, 250, 46), (150, 165, 24), (330, 165, 24)):
            pen.rectangle((x - 4, y, x + 4, y + size), fill="#6b4a2b")
            pen.ellipse((x - size, y - size, x + size, y + size * 0.4), fill=_TREE)
    else:
        pen.rounded_rectangle((262, 150, 348, 268), radius=12, fill="#1c3f6e")
        pen.rectangle((274, 164, 336, 204), fill=_SKY)
