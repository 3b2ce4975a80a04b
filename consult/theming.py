"""Themes and assets: which template and which static file a page uses.

A theme is a folder with `templates/` and `static/`, each optional, laid out like ours: a file of the same name replaces
ours (so each component macro, each page and each image can be replaced), and its `static/theme.css` is added after our
style sheet. It is either `consult/themes/<name>` or a package named by the entry-point group `consult.themes`.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Flask, Response, current_app, request, send_from_directory
from flask.templating import Environment
from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader
from werkzeug.exceptions import NotFound

HERE = Path(__file__).parent
ENTRY_POINTS = "consult.themes"
FOREVER, ONE_HOUR = 365 * 86_400, 3_600


class UnknownThemeError(LookupError):
    """No folder and no installed package bears the name of the theme asked for."""


class Templates(Environment):
    """Flask's, where a template has no globals of its own: each import compares them, a tenth of a page."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """Those of all templates, as a plain dictionary, which is quick to compare."""
        return super().make_globals(d) if d else self.globals


def theme_folder(name: str) -> Path:
    """The folder of a theme. Raises UnknownThemeError, whose message says which themes exist."""
    folders = {path.name: path for path in (HERE / "themes").glob("*") if path.is_dir()}
    points = {point.name: point for point in entry_points(group=ENTRY_POINTS)}
    if name in points:
        return Path(str(points[name].load().__file__)).parent
    if name in folders:
        return folders[name]
    known = ", ".join(sorted({*folders, *points})) or "aucun"
    raise UnknownThemeError(f"Thème inconnu : {name}. Thèmes installés : {known}.")


def theme_loader(name: str | None) -> BaseLoader:
    """Where templates are read: the theme's first, ours behind. Raises UnknownThemeError."""
    ours = FileSystemLoader(HERE / "templates")
    if not name:
        return ours
    return ChoiceLoader([FileSystemLoader(theme_folder(name) / "templates"), ours])


def install(app: Flask, theme: str | None) -> None:
    """Have the app read templates, then static files, in the theme first. Raises UnknownThemeError."""
    app.jinja_loader = theme_loader(theme)
    folders = _static_folders(theme)
    app.extensions["static_folders"] = folders

    def static(filename: str) -> Response:
        # An address with its digest never changes; a script imported by another, or a font, has none.
        age = FOREVER if "v" in request.args else ONE_HOUR
        for folder in folders[:-1]:
            with suppress(NotFound):
                return send_from_directory(folder, filename, max_age=age)
        return send_from_directory(folders[-1], filename, max_age=age)

    app.view_functions["static"] = static


def asset(name: str, *, optional: bool = False) -> str:
    """The address of a static file, with a digest of its content so that it may be cached for ever.

    An absent file gives its plain address, or "" if it is optional.
    """
    address = f"{request.script_root}{current_app.static_url_path}/{quote(name)}"  # url_for takes ten times as long
    for folder in current_app.extensions.get("static_folders") or _static_folders(None):
        path = folder / name
        with suppress(OSError):
            return f"{address}?v={_digest(path, path.stat().st_mtime_ns)}"
    return "" if optional else address


def _static_folders(theme: str | None) -> tuple[Path, ...]:
    return (*((theme_folder(theme) / "static",) if theme else ()), HERE / "static")


@lru_cache(maxsize=1024)
def _digest(path: Path, modified: int) -> str:  # noqa: ARG001  # part of the key: a rebuilt file gets a new address
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]
