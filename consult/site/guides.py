"""The guides of `consult/help`: Markdown with a short front matter, shipped with the code, and their pictures."""

from __future__ import annotations

import functools
import re
import struct
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import yaml
from markdown_it import MarkdownIt

from consult.html import clean_rich

ORDER: Final = (
    *("participant", "ordre", "organisateur", "moderateur", "decideur", "analyste", "auditeur", "api", "exploitant"),
)
PICTURES: Final = "img/guides"  # among the static files: taken by tests/e2e/test_pictures.py
_PICTURE: Final = re.compile(r'<img src="([a-z-]+\.png)"')


@dataclass(frozen=True, slots=True)
class Guide:
    """One guide: its address, its title, the version it describes, its text as clean HTML."""

    slug: str
    title: str
    version: str
    html: str


@functools.cache
def guides() -> tuple[Guide, ...]:
    """Every guide, those of participants first; read once per process."""
    folder = files("consult") / "help"
    found = {
        entry.name.removesuffix(".md"): entry.read_text(encoding="utf-8")
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if entry.name.endswith(".md")
    }
    known = [slug for slug in ORDER if slug in found]
    return tuple(_guide(slug, found[slug]) for slug in (*known, *sorted(found.keys() - set(known))))


def _guide(slug: str, source: str) -> Guide:
    """Raises ValueError for a guide without front matter."""
    head, separator, text = source.removeprefix("---\n").partition("\n---\n")
    if not separator or not source.startswith("---\n"):
        raise ValueError(f"the guide {slug} does not begin with its front matter")
    about = yaml.safe_load(head)
    rendered = MarkdownIt("commonmark").enable("table").render(text)
    rendered = _PICTURE.sub(_placed, rendered)
    return Guide(slug, str(about["title"]), str(about.get("version", "")), clean_rich(rendered))


def _placed(picture: re.Match[str]) -> str:
    """The picture at its address, with its size: a page must not move while it comes. Raises FileNotFoundError."""
    name = picture[1]
    head = (files("consult") / "static" / PICTURES / name).read_bytes()[:24]
    width, height = struct.unpack(">II", head[16:])  # PNG, 11.2.2: the first chunk begins with both
    return f'<img src="/static/{PICTURES}/{name}" width="{width}" height="{height}" loading="lazy"'
