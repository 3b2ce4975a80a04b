"""Schema migrations (Alembic), and the one list of what the schema is made of."""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import Final

from sqlalchemy import MetaData

import consult
from consult.db import Base

# Made by statements of their own (see `consult.search.models`), unknown to the metadata.
BESIDE_THE_MODELS: Final = re.compile(r"search_words(_\w+)?|ix_search_document_words")


def is_modelled(_item: object, name: str | None, _kind: str, reflected: bool, _twin: object) -> bool:  # noqa: FBT001
    """Whether comparing the database with the models is to look at this one (Alembic's `include_object`)."""
    return not (reflected and name is not None and BESIDE_THE_MODELS.fullmatch(name))


def load_models() -> MetaData:
    """Import every `models` module of the packages, so that the metadata is whole, and return it."""
    for module in pkgutil.walk_packages(consult.__path__, "consult."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
    return Base.metadata
