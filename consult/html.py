"""The only sanitiser: every text typed by someone passes here before it becomes markup.

nh3 has the last word on everything returned as markup. bleach (ended upstream in June 2026) only makes links of the
addresses it finds in text that is already escaped.
"""

from __future__ import annotations

import html
import re

import nh3
from bleach.callbacks import nofollow
from bleach.linkifier import Linker
from markupsafe import Markup

BLOCK_TAGS = frozenset(
    ["blockquote", "dd", "dl", "dt", "figcaption", "figure", "hr", "img", "li", "ol", "p", "pre", "ul"]
)
HEADING_TAGS = frozenset(["h2", "h3", "h4", "h5", "h6"])
TABLE_TAGS = frozenset(["caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"])
PHRASE_TAGS = frozenset(["a", "abbr", "b", "br", "cite", "code", "dfn", "em", "i", "q", "s", "small", "span", "strong"])
EDIT_TAGS = frozenset(["del", "ins", "sub", "sup", "u"])
RICH_TAGS = BLOCK_TAGS | HEADING_TAGS | TABLE_TAGS | PHRASE_TAGS | EDIT_TAGS
PLAIN_TAGS = frozenset(["a", "blockquote", "br", "em", "li", "ol", "p", "strong", "ul"])
RICH_ATTRIBUTES = {
    "*": {"lang", "dir"},
    "a": {"href", "title", "hreflang"},
    "abbr": {"title"},
    "img": {"src", "alt", "width", "height", "loading"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
URL_SCHEMES = {"http", "https", "mailto", "tel"}
LINK_REL = "noopener noreferrer"
CITIZEN_LINK_REL = "nofollow noopener noreferrer ugc"
_BLOCK_END = re.compile(r"</(?:p|div|li|h[1-6]|tr|blockquote|dt|dd|table|ul|ol)\s*>|<(?:br|hr)\b[^<>]*>", re.IGNORECASE)
# nh3 escapes every other < and >, in attributes too: what these match is a tag, and the whole of it.
_PICTURE = re.compile(r"<img\b[^<>]*>")
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_BULLET = re.compile(r"^[-*•–]\s+(?=\S)")
_NUMBERED = re.compile(r"^(\d{1,3})[.)]\s+(?=\S)")
_BOLD = re.compile(r"(?<![\w*])\*\*(?=\S)(.{1,300}?)(?<=\S)\*\*(?![\w*])")
_ITALIC = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]{1,300}?)(?<=[^\s*])\*(?![\w*])")
# Only what is surely an address: « fin.De la » must not become a link to a German site.
_CHARACTER = r"""(?!&(?:lt|gt|quot);)[^\s<>"«»()]"""
_ADDRESS = re.compile(
    rf"""(?<![\w@./-])(?:https?://|www\.)(?:{_CHARACTER}|\({_CHARACTER}{{0,200}}\)){{2,2000}}?"""
    rf"""(?=[.,;:!?)\]'’…*]{{0,20}}(?:[\s<>"«»)]|\((?![^\s()]{{0,200}}\))|&(?:lt|gt|quot);|$))""",
    re.IGNORECASE,
)


def _own_images_only(tag: str, attribute: str, value: str) -> str | None:
    """Refuse pictures from elsewhere (a third party would learn who reads) and addresses without a scheme."""
    if attribute == "src" and tag == "img":
        return value if value.startswith("/") and not value.startswith(("//", "/\\")) else None
    return value


def clean_rich(source: str) -> str:
    """The organiser's HTML with only the marks we allow: no script, style, class, form, frame, event or outside image.

    Idempotent. Headings of level 1 lose their mark and keep their words: the page has its own. Of an image from
    elsewhere nothing is left: nh3 takes its source alone, which would leave a broken image.
    """
    cleaned = nh3.clean(
        source.replace("\x00", ""),
        tags=set(RICH_TAGS),
        attributes=RICH_ATTRIBUTES,
        attribute_filter=_own_images_only,
        url_schemes=URL_SCHEMES,
        link_rel=LINK_REL,
        strip_comments=True,
    )
    return _PICTURE.sub(lambda found: found.group() if ' src="/' in found.group() else "", cleaned)


def render_rich(source: str | None) -> Markup:
    """The organiser's HTML as markup for a page; cleaned again, so that a row written by other means is safe too."""
    return Markup(clean_rich(source or ""))  # noqa: S704  # nh3 has just had the last word


def xml_text(text: str) -> str:
    """A text as an office file may hold it: one kind of line end, the characters that XML lacks shown as unknown."""
    return _NO_XML.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def strip_all(source: str | None) -> str:
    """The text of an HTML source, without any mark; ends of blocks become line breaks, entities characters.

    The result is plain text, not markup: it must be escaped like any other text when it is shown.
    """
    spaced = _BLOCK_END.sub(lambda found: found.group() + "\n", source or "")
    text = html.unescape(nh3.clean(spaced.replace("\x00", ""), tags=set(), attributes={}, strip_comments=True))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _inline(escaped: str) -> str:
    """Light formatting inside one line of escaped text: **bold**, *italic*."""
    return _ITALIC.sub(r"<em>\1</em>", _BOLD.sub(r"<strong>\1</strong>", escaped))


def _block(lines: list[str]) -> str:
    """One paragraph, list or quotation, from escaped lines that are all of its kind."""
    if _BULLET.match(lines[0]):
        items = "".join(f"<li>{_inline(_BULLET.sub('', line))}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    if _NUMBERED.match(lines[0]):  # the numbers typed are kept
        items = "".join(_inline(_NUMBERED.sub(r'<li value="\1">', line)) + "</li>" for line in lines)
        return f"<ol>{items}</ol>"
    if lines[0].startswith("&gt;"):
        quoted = "<br>".join(_inline(line.removeprefix("&gt;").strip()) for line in lines)
        return f"<blockquote><p>{quoted}</p></blockquote>"
    return f"<p>{'<br>'.join(_inline(line) for line in lines)}</p>"


def _blocks(escaped: str) -> list[list[str]]:
    """Lines grouped into blocks: parted by an empty line, or where a list or a quotation begins or ends."""
    groups: list[list[str]] = []
    previous = ""
    for raw in escaped.splitlines():
        line = raw.strip()
        kind = next(
            (name for name, mark in (("ul", _BULLET), ("ol", _NUMBERED)) if mark.match(line)),
            "quote" if line.startswith("&gt;") else "p" if line else "",
        )
        if kind and kind == previous:
            groups[-1].append(line)
        elif kind:
            groups.append([line])
        previous = kind
    return groups


def render_plain(text: str | None) -> Markup:
    """A citizen's plain text as markup: paragraphs, line breaks, lists, quotations, **bold**, *italic*, links.

    Nothing typed is lost: a mark that does not close stays as typed, and HTML is shown as the characters it is.
    """
    escaped = html.escape((text or "").replace("\x00", ""), quote=False)
    marked = "".join(_block(lines) for lines in _blocks(escaped))
    # A linker is not shared: its parser keeps state, and requests run in threads.
    linked = Linker(callbacks=[nofollow], url_re=_ADDRESS).linkify(marked) if _ADDRESS.search(marked) else marked
    cleaned = nh3.clean(
        linked,
        tags=set(PLAIN_TAGS),
        attributes={"a": {"href"}, "li": {"value"}},
        url_schemes=URL_SCHEMES,
        link_rel=CITIZEN_LINK_REL,
    )
    return Markup(cleaned)  # noqa: S704  # nh3 has just had the last word
