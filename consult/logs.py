"""Two streams: the application log, without personal data, and the security journal, that few may read.

The application log is one JSON object a line. Only listed fields leave, and what looks like an e-mail or network
address is replaced in every text; of an exception, the class and the places are kept, not the words, which may quote
a person. The security journal is what the law makes a host keep: who (account, network address) did what, when; a
file a day of mode 0600, sealed for the holder of a private key (`journal.py`), erased after a year at most (CNIL,
deliberation 2021-122; AT-6.6).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import logging
import logging.handlers
import os
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from consult import clock
from consult.journal import Sealer, public_key
from consult.settings import Settings

# What `extra=` may carry into the application log; anything else is dropped.
FIELDS: Final = frozenset(
    {"attempt", "consultation", "duration_ms", "job", "kind", "method", "organisation", "request", "route", "rows"}
    | {"state", "status", "template", "worker"}
)
EMAIL: Final = re.compile(r"[^\s@<>()\[\]\"',;:=]+@[^\s@<>()\[\]\"',;:=]+\.[^\s@<>()\[\]\"',;:=]+")
IPV4: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
IPV6_CANDIDATE: Final = re.compile(r"[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*")
SECURITY_LOGGER: Final = "consult.security_journal"


def configure(settings: Settings) -> None:
    """Send the application log to its file or stderr, and the security journal to its own files; once per process."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if settings.log_file:
        Path(settings.log_file).parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.WatchedFileHandler(settings.log_file, encoding="utf-8")
    handler.setFormatter(ApplicationFormatter())
    root = logging.getLogger()
    _replace_handlers(root, handler)
    root.setLevel(logging.INFO)
    for loud in ("alembic", "fontTools"):  # the second tells each glyph that a PDF keeps
        logging.getLogger(loud).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)

    journal = logging.getLogger(SECURITY_LOGGER)
    _replace_handlers(
        journal,
        DailyFileHandler(
            security_path(settings),
            keep_days=settings.security_log_days,
            reader=public_key(settings.security_log_key) if settings.security_log_key else None,
        ),
    )
    journal.setLevel(logging.INFO)
    journal.propagate = False


def security_event(event: str, **fields: str | int | None) -> None:
    """Write one line of the security journal: `account`, `address`, `organisation` and what else the event needs.

    Never a password, a token, an e-mail or the text of a contribution.
    """
    # Its own record: finding which line of code called costs more than writing, and nothing keeps it.
    journal = logging.getLogger(SECURITY_LOGGER)
    journal.handle(
        logging.makeLogRecord({"name": journal.name, "levelno": logging.INFO, "msg": event, "fields": fields})
    )


def security_path(settings: Settings) -> Path:
    """The name from which each day's file of the security journal takes its own."""
    return Path(settings.security_log_file or settings.data_path / "security" / "security.jsonl")


def scrub(text: str) -> str:
    """The text without e-mail or network addresses."""
    text = EMAIL.sub("[courriel]", text)
    return IPV4.sub("[adresse]", IPV6_CANDIDATE.sub(_without_ipv6, text))


class ApplicationFormatter(logging.Formatter):
    """One JSON object a line, from listed fields only."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without personal data."""
        line: dict[str, Any] = {
            "time": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrub(record.getMessage()),
        }
        for name in sorted(FIELDS & record.__dict__.keys()):
            value = record.__dict__[name]
            line[name] = scrub(value) if isinstance(value, str) else value
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = list(_errors(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=False, default=str)


class SecurityFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; control characters are escaped by JSON, so that nobody forges one."""
        fields = getattr(record, "fields", {})
        return json.dumps({"time": _instant(record), "event": record.getMessage(), **fields}, default=str)


class DailyFileHandler(logging.Handler):
    """Appends to `<stem>-<day><suffix>`, mode 0600; erases the files past their retention when a day begins.

    Appending whole lines to a file named after the day lets several processes share it, where renaming would not.
    """

    def __init__(self, path: Path, *, keep_days: int, reader: X25519PublicKey | None = None) -> None:
        super().__init__()
        self._path, self._reader = path, reader
        self._sealer: Sealer | None = None
        self._keep = dt.timedelta(days=keep_days)
        self._day: dt.date | None = None
        self._file: IO[str] | None = None
        self.setFormatter(SecurityFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Append one line."""
        try:
            file = self._of_day(clock.now().date())
            file.write(self._sealed(file, self.format(record)) + "\n")
            file.flush()
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        """Close the day's file."""
        if self._file is not None:
            self._file.close()
            self._file, self._day, self._sealer = None, None, None
        super().close()

    def _sealed(self, file: IO[str], line: str) -> str:
        if self._reader is None:
            return line
        if self._sealer is None or self._sealer.pid != os.getpid():
            self._sealer = Sealer(self._reader)
            file.write(self._sealer.opening + "\n")
            file.flush()  # a line at a time, so that those of several processes do not mix
        return self._sealer.seal(line)

    def _of_day(self, day: dt.date) -> IO[str]:
        if self._file is None or self._day != day:
            if self._file is not None:
                self._file.close()
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            name = self._path.with_name(f"{self._path.stem}-{day:%Y-%m-%d}{self._path.suffix}")
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            self._file, self._day = os.fdopen(descriptor, "a", encoding="utf-8"), day
            self._sealer = None  # each file can be read without the others
            self._erase_older(day)
        return self._file

    def _erase_older(self, day: dt.date) -> None:
        limit = f"{self._path.stem}-{day - self._keep:%Y-%m-%d}{self._path.suffix}"
        for file in self._path.parent.glob(f"{self._path.stem}-????-??-??{self._path.suffix}"):
            if file.name < limit:
                file.unlink(missing_ok=True)


def _without_ipv6(candidate: re.Match[str]) -> str:
    text = candidate.group().rstrip(".:") if not candidate.group().endswith("::") else candidate.group()
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return candidate.group()  # a time, a ratio, a path
    return "[adresse]" + candidate.group()[len(text) :]


def _instant(record: logging.LogRecord) -> str:
    return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")


def _errors(error: BaseException) -> Iterable[str]:
    """The chain of exceptions, the first cause last, each with the places it went through and none of its words."""
    seen: BaseException | None = error
    while seen is not None:
        frames = traceback.extract_tb(seen.__traceback__)
        places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        yield f"{type(seen).__module__}.{type(seen).__qualname__}: {places}"
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def _replace_handlers(logger: logging.Logger, handler: logging.Handler) -> None:
    for old in list(logger.handlers):
        logger.removeHandler(old)
        old.close()
    logger.addHandler(handler)
