"""A database as the migrations make it, made once on each kind and copied for each test."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from consult.migrations import commands


@pytest.fixture(scope="session")
def _migrated_sqlite(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "template.db"
    commands.upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _migrated_postgres(fresh_postgres: Callable) -> Iterator[str]:
    with fresh_postgres() as url:
        commands.upgrade(url)
        yield str(make_url(url).database)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_database_url(request, tmp_path) -> Iterator[str]:
    """The address of a database without rows, at the last migration."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_migrated_sqlite"), tmp_path / "migrated.db")
        yield f"sqlite:///{tmp_path}/migrated.db"
        return
    fresh, template = (request.getfixturevalue(name) for name in ("fresh_postgres", "_migrated_postgres"))
    with fresh(template) as url:
        yield url
