"""Commands whose results are files: each leaves a manifest beside what it wrote, and can be run again and compared.

The manifest of `themes.json` is `themes.json.manifest.json`; with several files it stands beside the first. It holds
the parameters, the digest of every file read and written, and the versions that ran: no path and no instant.
"""

import argparse
import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis import provenance
from analysis.coding.codebook_files import load_any
from analysis.errors import AnalysisError
from analysis.external import listed
from analysis.inputs import is_list

SUFFIX = ".manifest.json"
_BLOCK = 1 << 20
_LISTS = frozenset({"dump", "dump_before", "external"})
_WITHOUT_EFFECT = frozenset({"jobs", "dask", "cache", "command"})

Progress = Callable[[int, int, str], None]
Json = dict[str, Any]


@dataclass(frozen=True)
class Recorded:
    """A command: `inputs` and `outputs` name its options that are paths; the first output names the manifest.

    What `run` returns, if anything, is the summary that the manifest gives of rows written without one.
    `plans` names the inputs that are codebooks: without their two approvals, results are marked unpublishable.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    run: Callable[[argparse.Namespace, Progress], Json | None]
    plans: tuple[str, ...] = ()

    def execute(self, options: argparse.Namespace, progress: Progress) -> None:
        """Run the command. Nothing is written when it is refused (AnalysisError, or OSError naming the file)."""
        given = vars(options)
        inputs = {key: given[key] for key in self.inputs if given.get(key)}
        targets = {key: Path(given[key]) for key in self.outputs if given.get(key)}
        if len({path.name for path in targets.values()}) < len(targets):
            raise AnalysisError("Deux fichiers à écrire portent le même nom : donnez-leur des noms différents.")
        for path in targets.values():
            if path.is_dir() or not path.parent.is_dir():
                fault = errno.EISDIR if path.is_dir() else errno.ENOENT
                raise OSError(fault, os.strerror(fault), str(path))
        source = {key: _digests(key, Path(path)) for key, path in inputs.items()}
        paths = {*self.inputs, *self.outputs, *_WITHOUT_EFFECT}
        plain = {key: value for key, value in given.items() if key not in paths}
        first = next(iter(targets.values()))
        with tempfile.TemporaryDirectory(dir=first.parent, prefix=f".{first.name}-") as building:
            made = {key: Path(building) / path.name for key, path in targets.items()}
            summary = self.run(type(options)(**{**given, **made}), progress)
            found = {path.name: provenance.file_digest(path) for path in made.values()}
            provenance.write_beside(
                Path(building) / (first.name + SUFFIX),
                source,
                {"command": self.name, "options": plain, "outputs": {key: path.name for key, path in targets.items()}},
                publishable=not any(load_any(inputs[key]).missing_approvals for key in self.plans if key in inputs),
                found=found,
                summary=summary,
            )
            for key, path in targets.items():
                shutil.move(made[key], path)
            shutil.move(Path(building) / (first.name + SUFFIX), first.with_name(first.name + SUFFIX))


class _Replayed(argparse.Namespace):
    """The options of a manifest: one that it does not name was not given, or did not exist yet."""

    def __getattr__(self, name: str) -> None:
        return None


def write_json(path: Path, report: Any) -> None:
    """Write results as JSON, floats to ten significant digits: the last ones depend on the order of sums."""
    path.write_text(json.dumps(_rounded(report), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list | tuple) else value


def manifest_of(path: Path) -> Path | None:
    """The manifest of results as files: given itself, or by the first of the files; None for anything else."""
    beside = path if path.name.endswith(SUFFIX) else path.with_name(path.name + SUFFIX)
    return beside if path.is_file() and beside.is_file() else None


def verify(
    path: Path,
    commands: Mapping[str, Recorded],
    folders: Sequence[Path],
    *,
    dump: Path | None,
    cache: Path | None,
    progress: Progress,
) -> None:
    """Check that results are untouched, then make them again and compare each.

    What the command read and wrote is looked for, by name, beside the manifest and in `folders`; `dump` stands for the
    first thing that it read. Raises AnalysisError naming the first file that is missing or differs.
    """
    manifest = provenance.read_manifest(path)
    recorded = commands.get(manifest["parameters"]["command"])
    if recorded is None:
        raise AnalysisError(f"« {path.name} » ne nomme aucune commande connue.")
    _check_names(path, manifest, recorded)
    places = [path.parent, *folders]
    written = {name: _found(name, {name: digest}, places) for name, digest in manifest["outputs"].items()}
    changed = "n’est plus celui que décrit le manifeste"
    provenance.compare(manifest["outputs"], {name: provenance.file_digest(at) for name, at in written.items()}, changed)
    inputs: dict[str, Path] = {}
    for key, digests in manifest["source"].items():
        own = dump if key == recorded.inputs[0] else None
        inputs[key] = own or _found(digests["name"], digests["files"], places, key)
        if _digests(key, inputs[key])["sha256"] != digests["sha256"]:
            raise AnalysisError(f"« {inputs[key].name} » n’est pas ce qui a été lu : son empreinte diffère.")
    with tempfile.TemporaryDirectory() as temporary:
        made = {key: Path(temporary) / name for key, name in manifest["parameters"]["outputs"].items()}
        options = {**manifest["parameters"]["options"], **inputs, **made, "jobs": 1, "cache": cache}
        with contextlib.redirect_stdout(io.StringIO()):
            recorded.execute(_Replayed(**options), progress)
        provenance.check_replayed(manifest, next(iter(made.values())).with_name(path.name))


def _check_names(path: Path, manifest: Json, recorded: Recorded) -> None:
    """Whoever verifies may not know who wrote the manifest: it never says where files are written."""
    parameters = manifest["parameters"]
    names = (*manifest["outputs"], *parameters["outputs"].values())
    given = parameters["options"].keys() & {*recorded.inputs, *recorded.outputs}
    if given or any(Path(name).name != name for name in names):
        raise AnalysisError(
            f"« {path.name} » donne des chemins au lieu de noms : ce manifeste n’est pas de cette commande."
        )


def _found(name: str, digests: Mapping[str, str], folders: Sequence[Path], key: str = "") -> Path:
    """Where a file of this name is, one with the digests wanted before any other."""
    candidates = [folder / name for folder in folders if (folder / name).exists()]
    if not candidates:
        raise AnalysisError(f"« {name} » manque : dites dans quel dossier le trouver (--beside).")
    return next((path for path in candidates if dict(_files(path, key)) == dict(digests)), candidates[0])


def _digests(key: str, path: Path) -> Json:
    """Name, digest of each file, and digest of the whole; the same whole for a dump, its directory and its zip."""
    files = dict(sorted(_files(path, key)))
    lines = "".join(f"{digest}  {name}\n" for name, digest in files.items())
    return {"name": path.name, "files": files, "sha256": hashlib.sha256(lines.encode()).hexdigest()}


def _files(path: Path, key: str) -> Iterator[tuple[str, str]]:
    """The files of what an option names; a list of external sources (`inputs`) goes with those that it names."""
    if key in _LISTS and is_list(path):
        for name in listed(path):
            if (path.parent / name).is_file():
                yield name, provenance.file_digest(path.parent / name)
    if path.is_dir():
        yield from provenance.outputs(path).items()
    elif path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            root = min((name for name in names if Path(name).name == provenance.MANIFEST), key=len, default="")
            prefix = root.removesuffix(provenance.MANIFEST)
            for name in names:
                if name != root:
                    digest = hashlib.sha256()
                    with archive.open(name) as file:
                        while block := file.read(_BLOCK):
                            digest.update(block)
                    yield name.removeprefix(prefix), digest.hexdigest()
    elif path.exists():
        yield path.name, provenance.file_digest(path)
    else:
        raise AnalysisError(f"Le fichier ou dossier « {path} » n’existe pas : vérifiez le chemin.")
