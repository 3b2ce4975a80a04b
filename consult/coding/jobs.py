"""The jobs of analysis: dump what is public, analyse the dump as anyone could, keep the files; measure a sample."""

from __future__ import annotations

import csv
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from sqlalchemy.orm import Session

from consult import clock, seam
from consult.coding import queries, service
from consult.coding.models import AnalysisRun, Codebook, Party, QualitySample, RunStatus
from consult.coding.quality import service as samples
from consult.protocols import Progress

PARTIES: Final = {Party.DITP: "DITP", Party.ADMINISTRATION: "Administration"}


class DumpWriter(Protocol):
    """Writes the open dump of a consultation into a folder; `opendata` provides it, `app.py` binds it."""

    def __call__(self, organisation_id: uuid.UUID, consultation_id: uuid.UUID, folder: Path) -> Iterator[Progress]: ...


def run_folder(data_path: Path, run_id: uuid.UUID) -> Path:
    """Where the files of a run stand: `plan.yaml`, and `report/` with results and manifest."""
    return data_path / "analyses" / str(run_id)


class RunHandler:
    """JobHandler of `coding.run`. A crash starts the run over: its inputs are the dump it makes."""

    kind: ClassVar[str] = service.RUN_JOB

    def __init__(self, data_path: Path, write_dump: DumpWriter) -> None:
        self._data_path = data_path
        self._write_dump = write_dump

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:  # noqa: ARG002  # the run has no middle to resume from
        """See JobHandler."""
        run_id = uuid.UUID(payload["run"])
        run = session.get(AnalysisRun, run_id)
        if run is None or run.status is not RunStatus.WAITING:
            return
        seed, organisation_id, consultation_id = run.seed, run.organisation_id, run.consultation_id
        folder = run_folder(self._data_path, run_id)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        plan = _write_plan(run.codebook, folder / "plan.yaml")
        measures = _write_measures(queries.measures(session, run.codebook_id), folder / "measures")
        yield Progress(0, None, "Préparation des données ouvertes")
        yield from self._write_dump(organisation_id, consultation_id, folder / "dump")
        out = folder / "report"
        try:
            cache = self._data_path / "cache" / "lemmas"
            yield from seam.run_report(folder / "dump", plan, out, seed=seed, cache=cache, measures=measures)
        except seam.AnalysisFailedError as error:
            service.fail(session, session.get_one(AnalysisRun, run_id), error=error.message, now=clock.now())
            return
        finally:  # whole texts: one that is hidden or erased later must not stay here
            for texts in (folder / "dump", out / "contributions"):
                shutil.rmtree(texts, ignore_errors=True)
        publishable = bool(seam.results(out)["publishable"])
        service.finish(
            session,
            session.get_one(AnalysisRun, run_id),
            manifest_digest=seam.manifest_digest(out),
            publishable=publishable,
            now=clock.now(),
        )


def _write_plan(codebook: Codebook | None, path: Path) -> Path | None:
    """The plan as the run reads it and as it is published: which party approved and when, never who."""
    if codebook is None:
        return None
    approvals = [
        {
            "role": approval.party.value,
            "by": PARTIES[approval.party],
            "on": approval.approved_at.date().isoformat(),
            "digest": codebook.digest,
        }
        for approval in codebook.approvals
    ]
    path.write_text(seam.with_approvals(codebook.source, approvals), encoding="utf-8")
    return path


def _write_measures(measured: list[QualitySample], folder: Path) -> Path | None:
    """What was measured of the plan, one file a corpus; the report keeps a copy, by which anyone makes it again."""
    if not measured:
        return None
    folder.mkdir()
    for number, sample in enumerate(measured, start=1):
        (folder / f"{number}.json").write_text(sample.measure or "", encoding="utf-8")
    return folder


class MeasureHandler:
    """JobHandler of `coding.measure`. A crash starts it over: all that it reads is in the database."""

    kind: ClassVar[str] = samples.MEASURE_JOB

    def run(self, session: Session, payload: Mapping[str, Any], cursor: Mapping[str, Any]) -> Iterator[Progress]:  # noqa: ARG002  # the measure has no middle to resume from
        """See JobHandler."""
        sample = session.get(QualitySample, uuid.UUID(payload["sample"]))
        if sample is None or sample.measured_at is not None:
            return
        sample_id, precision, recall, alpha = sample.id, sample.precision, sample.recall, sample.alpha
        with tempfile.TemporaryDirectory(prefix="consult-measure-") as temporary:
            folder = Path(temporary)
            key, coded, out = folder / "key.json", folder / "coded.csv", folder / "quality.json"
            _write_codings(sample, samples.codings(session, sample), key, coded)
            yield Progress(0, None, "Mesure du codage")
            try:
                yield from seam.run_quality(key, coded, out, precision=precision, recall=recall, alpha=alpha)
            except seam.AnalysisFailedError as error:
                samples.fail(session, session.get_one(QualitySample, sample_id), error=error.message)
                return
            measure = out.read_text(encoding="utf-8")
        samples.record(session, session.get_one(QualitySample, sample_id), measure, now=clock.now())


def _write_codings(sample: QualitySample, given: samples.Given, key: Path, coded: Path) -> None:
    """The key and what people coded, as `quality` reads them; coders are numbers, never names."""
    rows = [
        (unit, code, "final" if rank == samples.ARBITER else f"c{rank + 1}")
        for rank, of in given.items()
        for unit, codes in of.items()
        if codes is not None
        for code in sorted(codes) or [""]
    ]
    gone = set(seam.units_of(sample.key)) - {unit for unit, *_ in rows}
    key.write_text(seam.key_without(sample.key, gone), encoding="utf-8")
    with coded.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("id", "code", "coder"), *rows])
