"""What a version of an article may be: its text, its reason, its sources; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from consult.contributions import policy
from consult.contributions.differences import Op, differences
from consult.labels import number

Sources: TypeAlias = list[dict[str, str]]  # each has url and title
TITLE: Final = (5, 150)
BODY_MAX: Final = 20_000
REASON: Final = (20, 3_000)
MOST_SOURCES: Final = 10
URL_LENGTH: Final = 500
SOURCE_TITLE: Final = (3, 200)
# A name with a dot: no address of this very machine or network, which a reader could not open.
_HOST: Final = re.compile(r"(?=.{4,253}$)(?:[\w-]{1,63}\.)+[^\W\d_][\w-]{1,62}")
RULES: Final = {"title": [*TITLE], "body": [1, BODY_MAX], "reason": [*REASON], "sources": MOST_SOURCES}


def check_version(title: str, body: str, reason: str, rewritten: str) -> None:
    """Raise InvalidError naming each field that is not accepted; a version must change what it rewrites."""
    faults = {
        "title": policy.length_fault("Le titre", title, *TITLE),
        "body": policy.length_fault("Le texte", body, 1, BODY_MAX),
        "reason": policy.length_fault("L’exposé des motifs", reason, *REASON),
    }
    if not faults["body"] and all(passage.op is Op.KEPT for passage in differences(rewritten, body)):
        faults["body"] = "Votre version dit la même chose que le texte : changez au moins un mot."
    policy.refuse(faults)


def read_sources(typed: str) -> Sources:
    """The sources typed one a line, « address title »; the same address twice is one source.

    Raises InvalidError that names the line and what to mend.
    """
    lines = [line for line in map(policy.one_line, typed.splitlines()) if line]
    if len(lines) > MOST_SOURCES:
        policy.refuse({"sources": f"Vous citez {number(len(lines))} sources : {MOST_SOURCES} au plus."})
    found: dict[str, str] = {}
    for place, line in enumerate(lines, start=1):
        url, _, title = line.partition(" ")
        policy.refuse({"sources": _source_fault(place, url, title)})
        found.setdefault(url, title)
    return [{"url": url, "title": title} for url, title in found.items()]


def written_sources(sources: Sequence[dict[str, str]] | None) -> str:
    """Sources as they are typed."""
    return "\n".join(f"{source['url']} {source['title']}" for source in sources or ())


def _source_fault(place: int, url: str, title: str) -> str:
    if not _is_public(url):
        return (
            f"Source {place} : une adresse qui commence par « https:// » ou « http:// » et mène à un site public est "
            "attendue, puis un espace et le titre."
        )
    if len(url) > URL_LENGTH:
        return f"Source {place} : l’adresse compte {number(len(url))} caractères, {URL_LENGTH} au plus."
    return policy.length_fault(f"Source {place} : le titre", title, *SOURCE_TITLE)


def _is_public(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    named = parts.scheme in {"http", "https"} and parts.username is None and parts.password is None
    return named and _HOST.fullmatch(host) is not None and not re.search(r"[\s<>\"\\^`{|}]", url)
