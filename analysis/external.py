"""External sources: reports, legal texts, studies, social posts, read beside a consultation and never counted in it.

A YAML file lists them, with their provenance and licence; without these a source is refused. Reports come as PDF, DOCX
or plain text, cut into paragraphs; posts and surveys as tables (CSV, XLSX, Parquet).
"""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from defusedxml.ElementTree import fromstring

from analysis.confined import confined
from analysis.corpus import Corpus, Provenance
from analysis.errors import AnalysisError, file_fault
from analysis.tables import read_table

KINDS = {"report": "rapport", "law": "texte juridique", "study": "étude", "social": "publications sociales"}
NEEDED = ("file", "title", "publisher", "licence", "kind")
_WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_LONGEST_XML = 200 << 20


def read_sources(path: Path) -> tuple[tuple[Corpus, ...], dict[str, str]]:
    """The corpora that a YAML list describes, and the digest of each file read.

    Raises AnalysisError naming the source and what it lacks.
    """
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        listed = raw["sources"]
        assert isinstance(listed, list)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AssertionError) as error:
        raise AnalysisError(f"Sources externes « {path.name} » : il faut un fichier YAML avec « sources: ».") from error
    corpora, digests = [], {}
    for number, entry in enumerate(listed, start=1):
        corpus, digest = _source(path, number, entry)
        corpora.append(corpus)
        digests[f"external/{corpus.provenance.file}" if corpus.provenance else corpus.key] = digest
    return tuple(corpora), digests


def listed(path: Path) -> list[str]:
    """The files that a list of sources names, in its order; a list that cannot be read names none."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]
        return [str(entry["file"]) for entry in entries]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError):
        return []


def _source(path: Path, number: int, entry: Any) -> tuple[Corpus, str]:
    known = entry if isinstance(entry, dict) else {}
    missing = [name for name in NEEDED if not isinstance(known.get(name), str) or not known[name].strip()]
    if missing:
        raise AnalysisError(f"Sources externes « {path.name} », source {number} : il manque {', '.join(missing)}.")
    if known["kind"] not in KINDS:
        raise AnalysisError(
            f"Sources externes « {path.name} », source {number} : la nature « {known['kind']} » n’existe pas ; "
            f"au choix : {', '.join(KINDS)}."
        )
    file = path.parent / known["file"]
    try:
        file.open("rb").close()
    except OSError as error:
        raise AnalysisError(f"Sources externes « {path.name} », source {number} : {file_fault(error)}") from None
    provenance = Provenance(
        file=known["file"],
        publisher=known["publisher"],
        licence=known["licence"],
        kind=known["kind"],
        address=str(known["address"]) if known.get("address") else None,
        retrieved=str(known["retrieved"]) if known.get("retrieved") else None,
    )
    key, digest = f"external:{file.stem}", hashlib.sha256(file.read_bytes()).hexdigest()
    if file.suffix.lower() in {".csv", ".xlsx", ".parquet"}:
        table = read_table(file).corpora[0]
        return Corpus(
            key, known["title"], "external", table.ids, table.texts, table.variables, provenance=provenance
        ), digest
    paragraphs = _paragraphs(file)
    ids = tuple(f"{file.stem}-{rank}" for rank in range(1, len(paragraphs) + 1))
    return Corpus(key, known["title"], "external", ids, tuple(paragraphs), provenance=provenance), digest


def _paragraphs(file: Path) -> list[str]:
    parsers = {".pdf": pdf_paragraphs, ".docx": docx_paragraphs, ".txt": text_paragraphs, ".md": text_paragraphs}
    parser = parsers.get(file.suffix.lower())
    if parser is None:
        raise AnalysisError(f"« {file.name} » : format inconnu ; au choix : PDF, DOCX, TXT, CSV, XLSX, Parquet.")
    found: list[str] = confined(parser, file)
    if not found:
        raise AnalysisError(
            f"« {file.name} » ne contient aucun texte : s’il est numérisé, passez-le à la reconnaissance de caractères."
        )
    return found


def pdf_paragraphs(path: Path) -> list[str]:
    """The paragraphs of a PDF that carries text; a blank line, or the end of a page, ends one."""
    import pypdf  # only a child process needs it

    reader = pypdf.PdfReader(path)
    if reader.is_encrypted:
        raise AnalysisError(f"« {path.name} » est protégé par un mot de passe : enregistrez-le sans protection.")
    return [part for page in reader.pages for part in _blocks(page.extract_text())]


def docx_paragraphs(path: Path) -> list[str]:
    """The non-empty paragraphs of a DOCX, tables included, in reading order."""
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("word/document.xml").file_size > _LONGEST_XML:
            raise AnalysisError(f"« {path.name} » est trop grand une fois décompressé.")
        body = fromstring(archive.read("word/document.xml"))
    texts = ("".join(node.text or "" for node in paragraph.iter(f"{_WORD}t")) for paragraph in body.iter(f"{_WORD}p"))
    return [text.strip() for text in texts if text.strip()]


def text_paragraphs(path: Path) -> list[str]:
    """The paragraphs of a plain text in UTF-8, parted by blank lines."""
    try:
        return list(_blocks(path.read_text(encoding="utf-8-sig")))
    except UnicodeDecodeError:
        raise AnalysisError(f"« {path.name} » n’est pas en UTF-8 : enregistrez-le de nouveau en UTF-8.") from None


def _blocks(text: str) -> Iterator[str]:
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.strip():
            block.append(line.strip())
        elif block:
            yield " ".join(block)
            block = []
