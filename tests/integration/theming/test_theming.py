"""A theme is a folder that overrides templates and static files; it reaches every component."""

import re
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from flask import Flask, render_template, render_template_string
from jinja2 import Environment, nodes

import consult
from consult import labels, theming
from consult.errors import TEXTS
from consult.html import render_plain, render_rich

pytestmark = pytest.mark.slow  # many pages and processes: `make check` leaves it to `make test`

TEMPLATES = Path(consult.__file__).parent / "templates"
STATIC = Path(consult.__file__).parent / "static"
COMPONENTS = sorted(path.name for path in (TEMPLATES / "components").glob("*.html"))
FILTERS = {**labels.FILTERS, "rich": render_rich, "plain": render_plain}


def macros(name: str) -> list[str]:
    """The public macros of a component file."""
    tree = Environment(autoescape=True).parse((TEMPLATES / "components" / name).read_text(encoding="utf-8"))
    return [macro.name for macro in tree.find_all(nodes.Macro) if not macro.name.startswith("_")]


@pytest.fixture
def theme_package(tmp_path, monkeypatch):
    """An installed package, as an operator would bring one: every macro of ours answers with the theme's own mark."""
    folder = tmp_path / "stripes"
    for name in COMPONENTS:
        file = folder / "templates" / "components" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            "".join(
                f"{{% macro {macro}() %}}{{% set _ = (varargs, kwargs, caller) %}}"
                f"<i>stripes {macro}</i>{{% endmacro %}}"
                for macro in macros(name)
            )
        )
    (folder / "static" / "img").mkdir(parents=True)
    (folder / "static" / "theme.css").write_text(":root { --c-action: #402000; }")
    (folder / "static" / "img" / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    (folder / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(theming, "entry_points", lambda *, group: [EntryPoint("rayures", "stripes", group)])
    yield folder
    sys.modules.pop("stripes", None)


def site(theme: str | None) -> Flask:
    app = Flask("consult", static_folder="static")
    theming.install(app, theme)
    app.jinja_env.globals.update(asset=theming.asset, csrf_token=lambda: "token")
    app.jinja_env.filters.update(FILTERS)
    app.context_processor(lambda: {"organisation": {"name": "Agence", "tagline": ""}, "current_user": {}})
    app.add_url_rule("/", "home", lambda: render_template_string("{% extends 'base.html' %}"))
    return app


def body(client, address: str) -> bytes:
    with client.get(address) as reply:
        assert reply.status_code == 200
        return reply.data


def test_there_is_one_file_per_component_and_each_is_documented():
    assert len(COMPONENTS) >= 20
    guide = (TEMPLATES / "components" / "README.md").read_text(encoding="utf-8")
    for name in COMPONENTS:
        text = (TEMPLATES / "components" / name).read_text(encoding="utf-8")
        assert text.startswith("{#-"), name
        assert f"`{name}`" in guide
        assert macros(name), name


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_theme_can_replace_every_component(theme_package, name):
    app = site("rayures")
    for macro in macros(name):
        source = f"{{% from 'components/{name}' import {macro} %}}{{% call(x) {macro}(1, b=2) %}}{{% endcall %}}"
        with app.test_request_context():
            assert render_template_string(source) == f"<i>stripes {macro}</i>"


def test_a_page_of_ours_uses_the_components_style_and_images_of_the_theme(theme_package):
    client = site("rayures").test_client()
    page = client.get("/").text
    assert "<i>stripes header</i>" in page
    assert "<i>stripes footer</i>" in page
    styles = re.findall(r'rel="stylesheet" href="([^"]+)"', page)
    assert [style.split("?")[0] for style in styles] == ["/static/dist/consult.css", "/static/theme.css"]
    assert "--c-action: #402000" in body(client, styles[1]).decode()
    icon = re.search(r'rel="icon" href="([^"]+)"', page).group(1)
    assert body(client, icon) == (theme_package / "static" / "img" / "favicon.svg").read_bytes()


def test_without_a_theme_ours_are_used_and_nothing_else_is_asked_for():
    client = site(None).test_client()
    page = client.get("/").text
    assert "theme.css" not in page
    assert 'class="site-header"' in page
    assert body(client, "/static/img/favicon.svg") == (STATIC / "img" / "favicon.svg").read_bytes()


def test_a_theme_that_overrides_one_component_leaves_the_others(tmp_path, monkeypatch):
    (tmp_path / "themes" / "sobre" / "templates" / "components").mkdir(parents=True)
    badge = tmp_path / "themes" / "sobre" / "templates" / "components" / "badge.html"
    badge.write_text("{% macro badge(label, kind='neutral') %}[{{ label }}]{% endmacro %}")
    (tmp_path / "templates").symlink_to(TEMPLATES)
    monkeypatch.setattr(theming, "HERE", tmp_path)
    app = site("sobre")
    with app.test_request_context():
        source = "{% from 'components/card.html' import card %}{{ card('Titre', badges=[('En cours', 'success')]) }}"
        shown = render_template_string(source)
    assert "[En cours]" in shown
    assert 'class="card-title"' in shown


def test_an_unknown_theme_is_refused_by_name():
    with pytest.raises(theming.UnknownThemeError, match="Thème inconnu : nulle-part"):
        theming.theme_loader("nulle-part")


@pytest.mark.parametrize(
    "name",
    ["../settings.py", "..%2fsettings.py", "/etc/passwd", "%2e%2e/settings.py", "img/../../app.py", "a" * 5000, "%00"],
)
def test_static_files_never_leave_their_folders(theme_package, name):
    for theme in (None, "rayures"):
        assert site(theme).test_client().get(f"/static/{name}", follow_redirects=True).status_code == 404


def test_an_address_with_its_digest_is_kept_for_a_year_and_changes_with_the_file(tmp_path, monkeypatch):
    (tmp_path / "static").mkdir()
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(theming, "HERE", tmp_path)
    style = tmp_path / "static" / "a.css"
    style.write_text("one")
    app = site(None)
    with app.test_request_context():
        before = theming.asset("a.css")
        style.write_text("another")
        after = theming.asset("a.css")
        assert theming.asset("absent.css") == "/static/absent.css"
        assert theming.asset("absent.css", optional=True) == ""
    assert before != after
    for address, seconds in ((after, 365 * 86_400), ("/static/a.css", 3_600)):
        with app.test_client().get(address) as reply:
            assert reply.cache_control.max_age == seconds


@pytest.mark.parametrize("status", sorted(TEXTS))
def test_every_error_page_says_what_happened_and_what_to_do(status):
    app = site(None)
    words = TEXTS[status]
    with app.test_request_context():
        page = render_template(
            "errors/error.html", status=status, title=words.title, message=words.message, remedy=words.remedy
        )
    assert f"<h1>{words.title}</h1>" in page
    assert words.remedy in page
    assert 'content="noindex"' in page


def test_the_fallback_page_needs_neither_template_nor_script():
    page = (TEMPLATES / "errors" / "fallback.html").read_text(encoding="utf-8")
    assert "{{" not in page
    assert "{%" not in page
    assert "<script" not in page
    assert '<html lang="fr">' in page


def test_every_component_that_a_template_imports_exists():
    missing = []
    for path in TEMPLATES.rglob("*.html"):
        tree = Environment(autoescape=True).parse(path.read_text(encoding="utf-8"))
        for found in tree.find_all(nodes.FromImport):
            folder, _, file = found.template.value.partition("/")
            if folder == "components":
                wanted = {name if isinstance(name, str) else name[0] for name in found.names}
                known = set(macros(file)) if file in COMPONENTS else set()
                missing += [f"{path.relative_to(TEMPLATES)}: {file} {name}" for name in wanted - known]
    assert missing == []


def test_no_template_holds_inline_style_script_or_event():
    forbidden = re.compile(
        r"""\sstyle\s*=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=\s*["']|javascript:""", re.IGNORECASE
    )
    found = [
        f"{path.relative_to(TEMPLATES)}: {match.group()}"
        for path in TEMPLATES.rglob("*.html")
        if "mail" not in path.parts and (match := forbidden.search(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_style_sheet_asks_nothing_of_elsewhere_and_holds_no_embedded_image():
    style = (STATIC / "dist" / "consult.css").read_text(encoding="utf-8")
    addresses = set(re.findall(r"""url\(["']?([^)"']*)""", style))
    assert addresses == {"fonts/source-sans-3.woff2", "fonts/source-serif-4.woff2"}
