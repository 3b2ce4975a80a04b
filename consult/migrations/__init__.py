"""Schema migrations (Alembic), and the one list of what the schema is made of."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

import consult
from consult.db import Base


def load_models() -> MetaData:
    """Import every `models` module of the packages, so that the metadata is whole, and return it."""
    for module in pkgutil.walk_packages(consult.__path__, "consult."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    return Base.metadata
