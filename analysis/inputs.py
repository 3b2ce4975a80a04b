"""What a command reads: the contributions of a dump or of a table, external sources, or both."""

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis import readers
from analysis.corpus import Source
from analysis.errors import AnalysisError
from analysis.external import read_sources

DUMP_HELP = "jeu ouvert (dossier ou zip), CSV, XLSX, Parquet, corpus IRaMuTeQ, ou liste de sources externes (YAML)"
_EXTERNAL_HELP = "sources externes à lire à côté (YAML : provenance et licence), jamais comptées avec les contributions"
_LISTS = frozenset({".yaml", ".yml"})


def add_external(sub: argparse.ArgumentParser) -> None:
    """The option that names external sources; `dump` may be such a list too."""
    sub.add_argument("--external", type=Path, help=_EXTERNAL_HELP)


def read_inputs(dump: Path, corpora: tuple[str, ...] = (), external: Path | None = None) -> Source:
    """The corpora of an input, then those of external sources, each with its provenance.

    `corpora` keeps only the named ones; when it names no external source, all those of `external` are kept. Raises
    AnalysisError when something cannot be read, or a corpus is unknown.
    """
    source = read_list(dump) if is_list(dump) else readers.read(dump)
    if external is None:
        return readers.restricted(source, corpora)
    beside = read_list(external)
    keys = [corpus.key for corpus in beside.corpora]
    both = replace(source, corpora=(*source.corpora, *beside.corpora), digests={**source.digests, **beside.digests})
    return readers.restricted(both, corpora if not corpora or {*corpora} & {*keys} else (*corpora, *keys))


def check_given(parameters: Mapping[str, Any], external: Path | None) -> None:
    """Raises AnalysisError when a run that read external sources is made again without them."""
    if parameters.get("external") and external is None:
        raise AnalysisError("Ces résultats lisent des sources externes : donnez leur liste (--external).")


def is_list(path: Path) -> bool:
    """Whether an input is a list of external sources, by its name."""
    return path.suffix.lower() in _LISTS


def read_list(path: Path) -> Source:
    """External sources alone, as a source of their own."""
    corpora, digests = read_sources(path)
    return Source(path.stem, path.stem, corpora, (), digests)
