"""Rows of a file that somebody sent, whatever made it: CSV, NDJSON, XLSX, Parquet, any of them gzipped.

Everything streams: memory does not grow with the number of rows. What was guessed (encoding, separator) is told in
French in `notes`. XLSX and Parquet are parsed by `sandbox.py` in a child process.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import hashlib
import io
import itertools
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast

from consult.errors import InvalidError
from consult.seam import file_fault

Value: TypeAlias = str | list[str] | None

MAX_FIELD: Final = 1_000_000  # characters; the longest real answer known has 64,537
MAX_LINE: Final = 16_000_000  # bytes of one NDJSON line
UNPACKED_LIMIT: Final = 4 * 1024**3
RATIO_LIMIT: Final = 250
RATIO_FLOOR: Final = 20 * 1024**2
SAMPLE: Final = 65_536
DELIMITERS: Final = ",;\t|"
SANDBOX: Final = "consult.imports.sandbox"
BLOCK: Final = 1 << 20
LONE_SURROGATE: Final = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its number in the file (the header of a CSV is line 1), its values, or why it cannot be read."""

    line: int
    values: Mapping[str, Value]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A file ready to be read, as many times as needed."""

    path: Path
    kind: str
    columns: Sequence[str]
    sha256: str
    notes: Sequence[str] = field(default=())
    _rows: Callable[[], Iterator[Row]] = field(default=lambda: iter(()), repr=False)

    def rows(self) -> Iterator[Row]:
        """Every record, in the order of the file. Raises InvalidError where the rest cannot be read."""
        return self._rows()


def open_source(path: Path, *, sheet: str = "") -> Source:
    """Recognise a file and read its columns. Raises InvalidError, in French, when it cannot be imported."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise InvalidError(file_fault(error)) from None
    kind = _kind(path)
    digest = _digest(path)
    if kind in {"xlsx", "parquet"}:
        return _open_confined(path, kind, digest, sheet)
    return _open_ndjson(path, digest) if kind == "ndjson" else _open_csv(path, digest)


def clean(value: str) -> str:
    """The text without what no database takes: null characters, halves of a surrogate pair."""
    return LONE_SURROGATE.sub("\ufffd", value.replace("\x00", ""))


def _kind(path: Path) -> str:
    with path.open("rb") as stream:
        head = stream.read(4)
    if not head:
        raise InvalidError(f"Le fichier « {path.name} » est vide.")
    if head == b"PAR1":
        return "parquet"
    if head == b"PK\x03\x04":
        return "xlsx"
    if head == b"\xd0\xcf\x11\xe0":
        raise InvalidError("Ce fichier est un ancien classeur XLS : enregistrez-le en XLSX ou en CSV.")
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if suffixes & {".ndjson", ".jsonl"}:
        return "ndjson"
    if suffixes & {".xlsx", ".parquet"}:
        raise InvalidError(f"Le fichier « {path.name} » est tronqué ou n’est pas du format que son nom annonce.")
    return "csv"


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Bounded(io.RawIOBase):
    """A gzip stream that stops before it fills the disk or the memory."""

    def __init__(self, path: Path) -> None:
        self._stream = gzip.GzipFile(path, "rb")
        self._limit = min(UNPACKED_LIMIT, max(RATIO_FLOOR, RATIO_LIMIT * path.stat().st_size))
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            block = self._stream.read(len(buffer))
        except (OSError, EOFError, zlib.error):
            raise InvalidError("Ce fichier compressé est tronqué ou abîmé. Envoyez-le à nouveau.") from None
        self._read += len(block)
        if self._read > self._limit:
            raise InvalidError("Ce fichier se décompresserait en un volume anormal : il est refusé.")
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._stream.close()
        super().close()


def _open_bytes(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", io.BufferedReader(_Bounded(path), BLOCK)) if zipped else path.open("rb")


# Encodings ----------------------------------------------------------------------------------------------------------


def detect_encoding(path: Path) -> tuple[str, str, list[str]]:
    """Encoding, error mode, and what to tell the sender. Reads the whole file once: a bad byte may be its last."""
    with _open_bytes(path) as stream:
        head = stream.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", "replace", ["encodage UTF-16 reconnu à sa marque"]
    if head.count(0) > len(head) // 4:
        name = "utf-16-be" if head[:1] == b"\x00" else "utf-16-le"
        return name, "replace", [f"encodage {name.upper()} reconnu sans marque"]
    good, bad = _utf8_census(path)
    if not bad:
        return "utf-8-sig", "strict", []
    if good > 20 * bad:
        return "utf-8-sig", "replace", [f"encodage UTF-8 abîmé : {bad} séquences illisibles remplacées par « � »"]
    return "cp1252", "replace", ["encodage Windows-1252 (occidental) déduit : le fichier n’est pas en UTF-8"]


def _utf8_census(path: Path) -> tuple[int, int]:
    """How many multi-byte characters decode, and how many sequences do not."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    good = bad = 0
    with _open_bytes(path) as stream:
        for block in itertools.chain(iter(lambda: stream.read(BLOCK), b""), [None]):
            text = decoder.decode(b"", final=True) if block is None else decoder.decode(block)
            if text.isascii():
                continue
            errors = text.count("\ufffd")
            bad += errors
            good += sum(1 for character in text if character > "\x7f") - errors
    return good, bad - _written_replacements(path) if bad else 0


def _written_replacements(path: Path) -> int:
    """Replacement characters that were already in the file, in valid UTF-8."""
    mark, found, tail = "\ufffd".encode(), 0, b""
    with _open_bytes(path) as stream:
        while block := stream.read(BLOCK):
            found += (tail + block).count(mark)
            tail = block[-2:] if not (tail + block).endswith(mark) else b""
    return found


# CSV ----------------------------------------------------------------------------------------------------------------


def sniff_delimiter(sample: str) -> str:
    """The separator that cuts the first records into the steadiest number of columns, above one."""

    def score(delimiter: str) -> tuple[float, int]:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        with contextlib.suppress(csv.Error):
            widths = [len(record) for record in itertools.islice(reader, 50) if record]
            width = widths[0] if widths else 0
            if width > 1:
                return sum(1 for other in widths if other == width) / len(widths), width
        return 0.0, 0

    best = max(DELIMITERS, key=score)
    if score(best)[1] > 1:
        return best
    return next((delimiter for delimiter in DELIMITERS if delimiter not in sample), ",")


def _open_text(path: Path, encoding: str, errors: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(_open_bytes(path), encoding=encoding, errors=errors, newline="")


def _open_csv(path: Path, digest: str) -> Source:
    encoding, errors, notes = detect_encoding(path)
    with _open_text(path, encoding, errors) as text:
        sample = text.read(SAMPLE)
    if not sample.strip():
        raise InvalidError(f"Le fichier « {path.name} » est vide.")
    delimiter = sniff_delimiter(sample)
    if delimiter != ",":
        notes.append(f"séparateur « {'tabulation' if delimiter == chr(9) else delimiter} »")
    if "\r" in sample and "\n" not in sample:
        notes.append("fins de ligne « CR » seules (ancien Macintosh)")
    csv.field_size_limit(MAX_FIELD)
    with _open_text(path, encoding, errors) as text:
        header = _csv_header(csv.reader(text, delimiter=delimiter))

    def rows() -> Iterator[Row]:
        with _open_text(path, encoding, errors) as text:
            yield from _csv_rows(csv.reader(text, delimiter=delimiter), header)

    return Source(path, "csv", header, digest, tuple(notes), rows)


def _csv_header(reader: Iterator[list[str]]) -> list[str]:
    try:
        return _names(next((record for record in reader if any(cell.strip() for cell in record)), []))
    except csv.Error:
        raise InvalidError(
            "La première ligne du fichier est illisible : elle doit donner les noms des colonnes."
        ) from None


def _names(header: Sequence[str]) -> list[str]:
    """Column names: trimmed, never empty, never twice the same."""
    names: list[str] = []
    for position, raw in enumerate(header, start=1):
        name = clean(raw).strip("\ufeff \t\r\n") or f"colonne_{position}"
        while name in names:
            name += f"_{position}"
        names.append(name)
    return names


def _csv_rows(reader: Any, header: Sequence[str]) -> Iterator[Row]:
    started = False
    line = 1
    try:
        for record in reader:
            line, number = reader.line_num + 1, line
            if not any(record):
                continue
            if not started:
                started = True
                continue
            yield _row(number, header, record)
    except csv.Error:
        raise InvalidError(
            f"Le fichier devient illisible à partir de la ligne {line} : un guillemet n’y est sans doute pas refermé. "
            "Corrigez cette ligne, puis relancez : les lignes déjà importées ne le seront pas deux fois."
        ) from None


def _row(line: int, header: Sequence[str], cells: Sequence[Value]) -> Row:
    values = dict(zip(header, (_cleaned(cell) for cell in cells), strict=False))
    if len(cells) == len(header):
        return Row(line, values)
    return Row(
        line,
        values | ({"…": [str(cell) for cell in cells[len(header) :]]} if len(cells) > len(header) else {}),
        f"La ligne compte {len(cells)} champs au lieu de {len(header)} : séparateur ou guillemet en trop ou manquant.",
    )


def _cleaned(value: Value) -> Value:
    if isinstance(value, str):
        return clean(value)
    return None if value is None else [clean(item) for item in value]


# NDJSON -------------------------------------------------------------------------------------------------------------


def _open_ndjson(path: Path, digest: str) -> Source:
    encoding, errors, notes = detect_encoding(path)

    def rows() -> Iterator[Row]:
        with _open_text(path, encoding, errors) as text:
            yield from _ndjson_rows(text)

    columns: dict[str, None] = {}
    for row in itertools.islice(rows(), 200):
        columns.update(dict.fromkeys(row.values))
    if not columns:
        raise InvalidError(f"Aucune ligne de « {path.name} » n’est un objet JSON.")
    return Source(path, "ndjson", list(columns), digest, tuple(notes), rows)


def _ndjson_rows(text: io.TextIOWrapper) -> Iterator[Row]:
    for line in itertools.count(1):
        raw = text.readline(MAX_LINE)
        if not raw:
            return
        if len(raw) == MAX_LINE:
            while len(text.readline(MAX_LINE)) == MAX_LINE:
                continue
            yield Row(line, {}, "La ligne est trop longue pour être lue.")
        elif raw.strip():
            yield _json_row(line, raw)


def _json_row(line: int, raw: str) -> Row:
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return Row(line, {"…": clean(raw[:2000])}, "La ligne n’est pas un objet JSON valide.")
    if not isinstance(record, dict):
        return Row(line, {"…": clean(raw[:2000])}, "La ligne n’est pas un objet JSON.")
    return Row(line, dict(_flatten(record, "")))


def _flatten(record: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Value]]:
    """Nested objects become dotted names; lists of plain values stay lists."""
    for name, value in record.items():
        key = clean(f"{prefix}{name}")
        if isinstance(value, dict) and prefix.count(".") < 4:  # noqa: PLR2004  # deeper is kept as JSON text
            yield from _flatten(value, f"{key}.")
        elif isinstance(value, list):
            yield key, [_scalar(item) or "" for item in value if item is not None]
        else:
            yield key, _scalar(value)


def _scalar(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return None if value is None else clean(value)
    return clean(json.dumps(value, ensure_ascii=False))


# XLSX, Parquet ------------------------------------------------------------------------------------------------------


def _open_confined(path: Path, kind: str, digest: str, sheet: str) -> Source:
    lines = _confined_lines(path, kind, sheet)
    header = json.loads(next(lines, b'{"columns": [], "notes": []}'))
    lines.close()
    columns = _names(header["columns"])
    if not columns:
        raise InvalidError(f"Le fichier « {path.name} » n’a pas de première ligne donnant les noms des colonnes.")

    def rows() -> Iterator[Row]:
        for line, raw in enumerate(_confined_lines(path, kind, sheet), start=1):
            if line == 1:
                continue
            cells = json.loads(raw)
            if any(cells):
                yield _row(line, columns, cells + [None] * (len(columns) - len(cells)))

    return Source(path, kind, columns, digest, tuple(header["notes"]), rows)


def _confined_lines(path: Path, kind: str, sheet: str) -> Generator[bytes, None, None]:
    """What the child writes, line by line; its refusal becomes ours."""
    with path.open("rb") as stream:
        child = subprocess.Popen(  # noqa: S603  # our interpreter, our program, no shell
            [sys.executable, "-I", "-m", SANDBOX, kind, sheet],
            stdin=stream,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"ARROW_DEFAULT_MEMORY_POOL": "system", "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
        )
    assert child.stdout is not None
    try:
        for line in child.stdout:
            if line.startswith(b'{"refused"'):
                raise InvalidError(json.loads(line)["refused"])
            yield line
        if child.wait() != 0:
            raise InvalidError(_KILLED)
    finally:
        child.stdout.close()
        child.kill()
        child.wait()


_KILLED: Final = "La lecture de ce fichier a été interrompue : trop de temps ou de mémoire. Exportez-le en CSV."
