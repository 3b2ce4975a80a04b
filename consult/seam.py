"""The only importer of the analysis library: plain data in, plain results out.

A run is a process of its own, the very command that anyone can repeat on the open dump; a web node thus never loads
the French models, and a worker gives the memory back.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.coding import codebook as codebooks
from analysis.errors import AnalysisError
from analysis.errors import file_fault as file_fault  # noqa: PLC0414  # the words of both command lines
from consult.errors import ConsultError, InvalidError
from consult.protocols import Progress

LONGEST_CODEBOOK: Final = 500_000  # characters: one of 2,000 codes is a little less


@dataclass(frozen=True, slots=True)
class CheckedCodebook:
    """A codebook as its author wrote it, checked; the digest covers its content, approvals apart."""

    source: str
    title: str
    digest: str


class AnalysisFailedError(ConsultError):
    """The run ended without result; the message says why, in French."""

    status = 500


def read_codebook(source: str) -> CheckedCodebook:
    """Check a codebook written in YAML. Raises InvalidError on `source`, naming the code at fault and the remedy.

    Takes seconds for a long one: call it before any query.
    """
    if len(source) > LONGEST_CODEBOOK:
        raise InvalidError(fields={"source": "Le plan dépasse 500 000 caractères : retirez des exemples."})
    try:
        checked = codebooks.read(source)
    except AnalysisError as error:
        raise InvalidError(fields={"source": str(error)}) from error
    return CheckedCodebook(source, checked.title, checked.digest)


def with_approvals(source: str, approvals: Sequence[Mapping[str, str]]) -> str:
    """The codebook's YAML with these approvals (role, by, on, digest) and no other."""
    content = {**yaml.safe_load(source), "approvals": [dict(approval) for approval in approvals]}
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def run_report(dump: Path, plan: Path | None, out: Path, *, seed: int, cache: Path) -> Iterator[Progress]:
    """Run `python -m analysis report` on a dump, telling its progress. Raises AnalysisFailedError."""
    command = [sys.executable, "-m", "analysis", "report", str(dump), "--out", str(out), "--seed", str(seed)]
    command += ["--cache", str(cache)]
    if plan is not None:
        command += ["--codebook", str(plan)]
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    last = ""
    with subprocess.Popen(  # noqa: S603  # our own module, paths made by us
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, encoding="utf-8", env=environment
    ) as process:
        assert process.stderr is not None
        try:
            for line in process.stderr:
                last = line.strip() or last
                found = re.match(r"\[(\d+)/(\d+)\] (.*)", last)
                if found:
                    yield Progress(int(found[1]), int(found[2]), found[3])
        except BaseException:  # the worker stops, or has lost the job: nobody would read what the child goes on with
            process.kill()
            raise
    if process.returncode != 0:
        raise AnalysisFailedError(last or f"L’analyse s’est arrêtée (code {process.returncode}).")


def results(out: Path) -> dict[str, Any]:
    """The machine-readable results of a finished run."""
    content: dict[str, Any] = json.loads((out / "results.json").read_text(encoding="utf-8"))
    return content


def manifest_digest(out: Path) -> str:
    """SHA-256 of the run's manifest, which itself holds the digests of input, codebook and outputs."""
    return hashlib.sha256((out / "manifest.json").read_bytes()).hexdigest()
