"""What a result was made from: the manifest of a run, and the comparison that verifies it."""

import hashlib
import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from analysis import __version__
from analysis.errors import AnalysisError
from analysis.languages import CODES, language

MANIFEST = "manifest.json"
FORMAT = "consult-analysis/1"
PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "rensa", "simplemma", "spacy", "fr_core_news_md"),
    *("matplotlib", "xlsxwriter", "openpyxl", "jinja2", "pyyaml"),
)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in blocks."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def code_digest() -> str:
    """SHA-256 over the sources and resources of this package: names the code that ran, installed or not."""
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*"), key=lambda path: path.relative_to(root).as_posix()):
        if path.is_file() and path.suffix in {".py", ".yaml", ".html"}:
            digest.update(f"{file_digest(path)}  {path.relative_to(root).as_posix()}\n".encode())
    return digest.hexdigest()


def check_free(out: Path) -> None:
    """Raises AnalysisError when `out` is anything but absent, empty, or one of our results."""
    if not out.exists() or (out / MANIFEST).exists() or (out.is_dir() and not any(out.iterdir())):
        return
    raise AnalysisError(f"« {out} » existe et n’est pas un dossier de résultats : choisissez un autre dossier.")


def outputs(out: Path) -> dict[str, str]:
    """Digest of every file under a result directory but its manifest, by path."""
    paths = (path for path in out.rglob("*") if path.is_file())
    found = {path.relative_to(out).as_posix(): path for path in paths}
    return {name: file_digest(found[name]) for name in sorted(found) if name != MANIFEST}


def write_manifest(out: Path, *, source: dict[str, Any], parameters: dict[str, Any], publishable: bool) -> Path:
    """Write the manifest of a result directory last, once every output is there."""
    return write_beside(out / MANIFEST, source, parameters, publishable=publishable, found=outputs(out))


def write_beside(
    path: Path,
    source: dict[str, Any],
    parameters: dict[str, Any],
    *,
    publishable: bool,
    found: dict[str, str],
    summary: dict[str, Any] | None = None,
) -> Path:
    """Write a manifest of outputs, given by name and digest. No instant, no machine name: it is reproducible.

    `summary` is what must be known of results whose files hold rows alone.
    """
    manifest = {
        "format": FORMAT,
        "source": source,
        "parameters": parameters,
        "publishable": publishable,
        "code": {"version": __version__, "sha256": code_digest()},
        "packages": {name: version(name) for name in PACKAGES},
        "languages": {code: language(code).version for code in CODES},
        "python": ".".join(platform.python_version_tuple()[:2]),
        "machine": platform.machine(),
        "outputs": found,
        **({"summary": summary} if summary else {}),
    }
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return path


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a result directory, or of results as files. Raises AnalysisError when it is not to be trusted."""
    path = path / MANIFEST if path.is_dir() else path
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise AnalysisError(f"« {path} » manque ou est illisible : ce ne sont pas des résultats à vérifier.") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise AnalysisError(f"« {path.name} » n’annonce pas le format « {FORMAT} ».")
    return manifest


def check_untouched(out: Path, manifest: dict[str, Any]) -> None:
    """Raises AnalysisError naming the first file that is missing, added or changed since the manifest."""
    compare(manifest["outputs"], outputs(out), "n’est plus celui que décrit le manifeste")


def check_replayed(manifest: dict[str, Any], replayed: Path) -> None:
    """Raises AnalysisError naming the first file that a new run, directory or manifest, makes differently."""
    again = read_manifest(replayed)
    changed = [name for name, number in manifest["packages"].items() if again["packages"].get(name) != number]
    read = manifest.get("languages", {})  # older manifests name none
    changed += [
        f"texte {again['languages'][code]} au lieu de {was}"
        for code, was in read.items()
        if again["languages"][code] != was
    ]
    if manifest["code"] != again["code"]:
        changed.insert(0, "analysis")
    hint = f" (versions différentes : {', '.join(changed)})" if changed else ""
    differs = f"diffère de celui d’une nouvelle exécution{hint}"
    compare(manifest["outputs"], again["outputs"], differs)
    if manifest.get("summary") != again.get("summary"):
        raise AnalysisError(f"Le bilan que donne le manifeste {differs}.")


def compare(expected: dict[str, str], found: dict[str, str], how: str) -> None:
    """Raises AnalysisError naming the first file that is missing, added, or differs; `how` says from what."""
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            raise AnalysisError(f"« {name} » manque.")
        if name not in expected:
            raise AnalysisError(f"« {name} » est en trop.")
        if expected[name] != found[name]:
            raise AnalysisError(f"« {name} » {how}.")
