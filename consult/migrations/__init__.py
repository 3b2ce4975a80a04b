"""Schema migrations (Alembic), and the one list of what the schema is made of."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path

from sqlalchemy import MetaData

import consult
from consult.db import Base


def load_models() -> MetaData:
    """Import every `consult/*/models.py`, so that the metadata is whole, and return it."""
    for package in pkgutil.iter_modules(consult.__path__):
        if package.ispkg and (Path(consult.__path__[0]) / package.name / "models.py").is_file():
            importlib.import_module(f"consult.{package.name}.models")
    return Base.metadata
