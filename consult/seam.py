"""The only importer of the analysis library: plain data in, plain results out.

A run is a process of its own, the very command that anyone can repeat on the open dump; a web node thus never loads
the French models, and a worker gives the memory back.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from analysis import service_levels as service_levels  # noqa: PLC0414  # pure functions of a few instants
from analysis.coding import codebook as codebooks
from analysis.coding.given import read_given
from analysis.coding.sampling import draw
from analysis.errors import AnalysisError
from analysis.errors import file_fault as file_fault  # noqa: PLC0414  # the words of both command lines
from analysis.moderation import insults
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


def run_report(
    dump: Path, plan: Path | None, out: Path, *, seed: int, cache: Path, measures: Path | None = None
) -> Iterator[Progress]:
    """Run `python -m analysis report` on a dump, telling its progress. Raises AnalysisFailedError.

    `measures` is a folder of what `quality` wrote of this plan: the codes under their threshold are withheld.
    """
    command = ["report", str(dump), "--out", str(out), "--seed", str(seed), "--cache", str(cache)]
    if plan is not None:
        command += ["--codebook", str(plan)]
    if measures is not None:
        command += ["--quality", str(measures)]
    yield from _run(command)


def run_quality(
    key: Path, coded: Path, out: Path, *, precision: float, recall: float, alpha: float | None
) -> Iterator[Progress]:
    """Run `python -m analysis quality` on a sample that people have coded. Raises AnalysisFailedError."""
    command = ["quality", str(key), "--coded", str(coded), "--out", str(out)]
    command += ["--precision", str(precision), "--recall", str(recall)]
    if alpha is not None:
        command += ["--alpha", str(alpha)]
    yield from _run(command)


def run_aids(texts: Path, out: Path, *, names: bool) -> Iterator[Progress]:
    """Run `python -m analysis aids` on texts posted lately; `names` loads the tagger. Raises AnalysisFailedError."""
    command = ["aids", str(texts), "--out", str(out)]
    if names:
        command.append("--names")
    if insults.MODEL.exists():
        command += ["--model", str(insults.MODEL)]
    yield from _run(command)


def suggestions(out: Path) -> list[dict[str, Any]]:
    """What `run_aids` found: rows of id, kind, version, score, spans and with_others."""
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))["suggestions"]
    return found


def insult_model() -> dict[str, Any] | None:
    """The version of the model of insults, its date and its measures; None where there is none."""
    if not insults.MODEL.exists():
        return None
    model = insults.read(insults.MODEL)
    return {"version": model.version, **model.card, "date": dt.date.fromisoformat(model.card["date"])}


def _run(arguments: Sequence[str]) -> Iterator[Progress]:
    command = [sys.executable, "-m", "analysis", *arguments]
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


def measures(out: Path) -> dict[str, dict[str, Any]]:
    """What was measured of the codes of a finished run, by corpus; nothing where it read no measure."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((out / "quality").glob("*.json"))]
    return {each["corpus"]: each for each in read}


@dataclass(frozen=True, slots=True)
class DrawnSample:
    """A blind sample: the contributions to code, in the order of coding, and the key to be kept from the coders."""

    units: tuple[str, ...]
    key: str


def draw_sample(out: Path, corpus: str, *, per_stratum: int, seed: int) -> DrawnSample:
    """Draw contributions of one corpus of a finished run, stratified by code; those of one campaign are read once.

    Raises InvalidError on `corpus` when the run holds nothing to measure there.
    """
    found = results(out)
    place = next((each for each in found["corpora"] if each["key"] == corpus), None)
    if place is None or found["codebook"] is None:
        raise InvalidError(fields={"corpus": "Cette analyse ne code pas ce corpus : choisissez-en un autre."})
    if any(code.get("verdict") == "withheld" for code in place["codes"]):
        words = "Cette analyse retient déjà des codes : tirez l’échantillon d’une analyse du même plan sans mesure."
        raise InvalidError(fields={"corpus": words})
    given = list(read_given(out / "assignments.ndjson", corpus))
    if not given:
        raise InvalidError(fields={"corpus": "Aucune contribution de ce corpus n’a reçu de code : rien à mesurer."})
    units = sorted({each.unit for each in given} | set(place["uncoded"]))
    rank = {unit: i for i, unit in enumerate(units)}
    codes = {each.code: np.zeros(len(units), dtype=np.bool_) for each in given}
    for each in given:
        codes[each.code][rank[each.unit]] = True
    clusters = np.arange(len(units))
    for campaign in (place.get("campaigns") or {}).get("register", ()):
        alike = [rank[unit] for unit in campaign["contributions"] if unit in rank]
        clusters[alike] = clusters[alike].min(initial=len(units))
    sample = draw(units, codes, clusters=clusters, per_stratum=per_stratum, seed=seed)
    key = {**asdict(sample), "corpus": corpus, "codebook": found["codebook"]["digest"]}
    return DrawnSample(sample.units, json.dumps(key, ensure_ascii=False))


def key_without(key: str, gone: Collection[str]) -> str:
    """The key of a sample less the contributions that could not be read: their strata are judged on the others."""
    content = json.loads(key)
    content["units"] = [unit for unit in content["units"] if unit not in gone]
    content["drawn"] = [item for item in content["drawn"] if item[3] not in gone]
    return json.dumps(content, ensure_ascii=False)


def units_of(key: str) -> list[str]:
    """The contributions of a sample, in the order of coding."""
    return [str(unit) for unit in json.loads(key)["units"]]


def read_measure(measure: str) -> dict[str, Any]:
    """What `quality` wrote, as plain data."""
    content: dict[str, Any] = json.loads(measure)
    return content
