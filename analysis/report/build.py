"""One run from a dump to its result directory, and its verification."""

import json
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import provenance
from analysis.coding import codebook as codebooks
from analysis.coding.standing import copy_measures, measures_in, read_measures
from analysis.errors import AnalysisError
from analysis.inputs import check_given, read_inputs
from analysis.languages import FRENCH
from analysis.lemmas import read_overrides
from analysis.report import listings, pages, results, workbook
from analysis.report.study import Progress, Steps, Study, steps_of, study

CODEBOOK_COPY = "codebook.yaml"
OVERRIDES_COPY = "lemmas.yaml"


@dataclass(frozen=True)
class ReportResult:
    """What a run made. `publishable` is false when the codebook is not approved by both approvers."""

    out: Path
    report: Path
    workbook: Path
    results: Path
    assignments: Path
    manifest: Path
    source_digest: str
    codebook_digest: str | None
    publishable: bool
    billable: int
    corpora: int
    notices: tuple[str, ...]


def run(
    dump: Path,
    codebook: Path | None,
    out: Path,
    *,
    seed: int = 1,
    progress: Progress | None = None,
    cache: Path | None = None,
    overrides: Path | None = None,
    quality: Path | None = None,
    corpora: tuple[str, ...] = (),
    language: str = FRENCH,
    external: Path | None = None,
) -> ReportResult:
    """Analyse a dump (directory, zip or CSV) and write the whole result directory.

    `out` appears complete or not at all: it is built beside and renamed; an earlier result of the same
    name is replaced, any other directory refused. `progress(done, total, label)` is called as work goes on.
    `corpora` keeps only these corpora; `language` is that of the contributions; `quality` is what measured the codes,
    a file or a folder of them; `external` lists sources to read beside, never counted as contributions.
    Raises AnalysisError with one French sentence.
    """
    provenance.check_free(out)
    plan = codebooks.load(codebook) if codebook else None
    fixed = read_overrides(overrides)
    measures = read_measures(quality)
    source = read_inputs(dump, corpora, external)
    steps = Steps(steps_of(source) + len(source.corpora) + 2, progress)
    found = study(
        source,
        plan,
        seed=seed,
        language_code=language,
        measures=measures,
        overrides=fixed,
        cache=cache,
        steps=steps,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as building:
        built = Path(building) / "result"
        built.mkdir()
        for original, copy in ((codebook, CODEBOOK_COPY), (overrides, OVERRIDES_COPY)):
            if original:
                shutil.copyfile(original, built / copy)
        copy_measures(quality, built)
        _write(built, found, seed=seed, steps=steps)
        parameters = {
            "seed": seed,
            "corpora": list(corpora),
            "language": language,
            "external": external is not None,
        }
        provenance.write_manifest(
            built, source=results.source(found), parameters=parameters, publishable=found.publishable
        )
        if out.exists():
            shutil.rmtree(out)
        built.rename(out)
    return _made(out, found)


def _made(out: Path, found: Study) -> ReportResult:
    return ReportResult(
        out=out,
        report=out / "report.html",
        workbook=out / "report.xlsx",
        results=out / "results.json",
        assignments=out / "assignments.ndjson",
        manifest=out / provenance.MANIFEST,
        source_digest=found.source.digest,
        codebook_digest=found.codebook.digest if found.codebook else None,
        publishable=found.publishable,
        billable=found.billable,
        corpora=len(found.corpora),
        notices=found.source.notices,
    )


def verify(
    out: Path, dump: Path, *, external: Path | None = None, progress: Progress | None = None, cache: Path | None = None
) -> None:
    """Check that a result directory is untouched, then run it again on the dump and compare every file.

    Raises AnalysisError naming the first file that differs.
    """
    manifest = provenance.read_manifest(out)
    provenance.check_untouched(out, manifest)
    parameters = manifest["parameters"]
    check_given(parameters, external)
    codebook, overrides = out / CODEBOOK_COPY, out / OVERRIDES_COPY
    with tempfile.TemporaryDirectory() as temporary:
        again = Path(temporary) / "again"
        made = run(
            dump,
            codebook if codebook.exists() else None,
            again,
            seed=parameters["seed"],
            progress=progress,
            cache=cache,
            overrides=overrides if overrides.exists() else None,
            quality=measures_in(out),
            corpora=tuple(parameters["corpora"]),
            language=parameters.get("language", FRENCH),
            external=external,
        )
        if made.source_digest != manifest["source"]["digest"]:
            raise AnalysisError(f"« {dump.name} » n’est pas le jeu de données analysé : son empreinte diffère.")
        provenance.check_replayed(manifest, again)


def _write(out: Path, found: Study, *, seed: int, steps: Steps) -> None:
    environment = pages.environment()
    lists: pages.Lists = {}
    words: list[results.Json] = []
    for result in found.corpora:
        made = list(listings.listings(result))
        for listing in made:
            listings.write(out, result, listing, environment)
            lists[result.corpus.key, listing.kind, listing.key] = listing.path
        words += results.word_lists(result, made)
        steps.done(f"listes de « {result.corpus.key} »")
    drawn = pages.draw(found)
    charts = out / "charts"
    charts.mkdir()
    for number, svg in enumerate(drawn.values(), start=1):
        (charts / f"chart-{number:03}.svg").write_bytes(svg)
    (out / "report.html").write_text(pages.report(found, lists, drawn, seed=seed), encoding="utf-8")
    steps.done("rapport")
    workbook.write(out / "report.xlsx", found, lists)
    steps.done("classeur")
    content = json.dumps(results.results(found, lists, seed=seed), ensure_ascii=False, indent=1)
    (out / "results.json").write_text(content + "\n", encoding="utf-8")
    _write_ndjson(out / "assignments.ndjson", results.assignments(found))
    _write_ndjson(out / "words.ndjson", words)


def _write_ndjson(path: Path, rows: Iterable[Any]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
