"""Which software runs: told in each log when it changes (AT-20.6), so that nobody has to ask which one counted."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

import consult
from consult.registry import service
from consult.registry.models import EntryKind, RegistryEntry

PACKAGES: Final = ("analysis", "consult")
SOURCES: Final = frozenset({".py", ".html"})


@functools.cache
def sources_sha256() -> str:
    """SHA-256 of what `sha256sum` prints of each Python file and template, in the order of their paths as bytes.

    From a checkout: `find analysis consult -name '*.py' -o -name '*.html' | LC_ALL=C sort | xargs sha256sum |
    sha256sum`.
    """
    root = Path(consult.__file__).parent.parent
    paths = [path for package in PACKAGES for path in (root / package).rglob("*") if path.suffix in SOURCES]
    names = sorted(path.relative_to(root).as_posix().encode() for path in paths)
    lines = (
        f"{hashlib.sha256((root / name.decode()).read_bytes()).hexdigest()}  {name.decode()}\n".encode()
        for name in names
    )
    return hashlib.sha256(b"".join(lines)).hexdigest()


def running(commit: str) -> dict[str, Any]:
    """The version, the commit it was built from if it was said, and the digest of the sources."""
    return {"version": consult.__version__, "commit": commit or None, "sources_sha256": sources_sha256()}


def tell(session: Session, organisation_id: uuid.UUID, release: Mapping[str, Any], now: dt.datetime) -> None:
    """Write in the log of an organisation which release runs, unless its last entry on it says so already."""
    if told(session, organisation_id) != dict(release):
        service.append(
            session,
            organisation_id=organisation_id,
            consultation_id=None,
            kind=EntryKind.RELEASE,
            content=release,
            now=now,
        )


def told(session: Session, organisation_id: uuid.UUID) -> dict[str, Any] | None:
    """The release that the log named last."""
    released = RegistryEntry.kind == literal_column(f"'{EntryKind.RELEASE.value}'")  # as the index's condition says
    mine = select(RegistryEntry.opening).where(RegistryEntry.organisation_id == organisation_id, released)
    return session.scalar(mine.order_by(RegistryEntry.id.desc()).limit(1))
