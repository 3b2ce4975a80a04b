"""The rules of the house that a machine can hold: sizes, imports, column visibility, settings, commits."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import consult
from consult.db import Base
from consult.settings import Settings

ROOT = Path(consult.__file__).parent.parent
SOURCES = sorted(
    path
    for package in ("consult", "analysis")
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts
)
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
MODULE_LINES, FUNCTION_LINES = 400, 40


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.AST):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of what a function does: its signature and its docstring are not counted."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return function.end_lineno - body[0].lineno + 1 if body else 0


def import_all_models() -> None:
    for module in pkgutil.walk_packages(consult.__path__, "consult."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)


def test_no_module_is_longer_than_400_lines_unless_it_says_why():
    texts = {name_of(path): path.read_text(encoding="utf-8") for path in [*SOURCES, *TESTS]}
    long = {
        name: len(text.splitlines())
        for name, text in texts.items()
        if len(text.splitlines()) > MODULE_LINES and "\n# Over 400 lines: " not in text
    }
    assert long == {}


def test_no_function_is_longer_than_40_lines():
    long = {
        f"{name_of(path)}:{node.lineno} {node.name}": lines
        for path, tree in TREES.items()
        for node in functions(tree)
        if (lines := body_lines(node)) > FUNCTION_LINES
    }
    assert long == {}


def test_public_functions_and_classes_say_what_they_promise():
    # Tables and enumerations are told by their names and columns' comments; functions must speak.
    mute = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path, tree in TREES.items()
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any("route" in ast.unparse(d) or "bp." in ast.unparse(d) for d in node.decorator_list)
    ]
    assert mute == []


def test_our_own_code_is_imported_at_the_top_except_by_the_command_line():
    local = [
        f"{name_of(path)}:{node.lineno}"
        for path, tree in TREES.items()
        if path.name != "cli.py"
        for function in functions(tree)
        for node in ast.walk(function)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"consult", "analysis"})
        or (isinstance(node, ast.Import) and any(a.name.split(".")[0] in {"consult", "analysis"} for a in node.names))
    ]
    assert local == []


def test_every_column_declares_who_may_see_it():
    import_all_models()
    undeclared = [
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if column.info.get("visibility") not in {"public", "administration", "never"}
    ]
    assert undeclared == []


def test_the_environment_example_lists_every_setting_and_no_other():
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    listed = set(re.findall(r"^#?\s?([A-Z][A-Z_]+)=", example, flags=re.MULTILINE))
    assert listed == {option.metadata["variable"] for option in fields(Settings)}


def test_nobody_commits_but_the_entry_points():
    allowed = {"consult/app.py", "consult/db.py", "consult/jobs/worker.py"}
    commits = {
        name_of(path)
        for path in SOURCES
        if re.search(r"\bsession\.commit\(|\.session\.commit\(", path.read_text(encoding="utf-8"))
    }
    assert commits <= allowed


def test_import_contracts_hold():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_no_unfinished_mark_is_left():
    marks = re.compile(r"TODO|FIXME|XXX|[Bb]ientôt disponible|[Ll]orem ipsum")
    files = subprocess.run(
        ["git", "ls-files", "consult", "analysis", "deploy"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    found = [
        f"{name}: {match.group()}"
        for name in files
        if (ROOT / name).suffix in {".py", ".html", ".js", ".scss", ".md", ".sh", ".yaml"}
        and (ROOT / name).exists()
        and (match := marks.search((ROOT / name).read_text(encoding="utf-8")))
    ]
    assert found == []


@pytest.mark.parametrize("name", ["requirements.lock", "package-lock.json"])
def test_lock_files_name_no_registry(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "index-url" not in text
    assert '"resolved"' not in text
