"""Where the files of the logs lie: two folders of which each holds, by organisation, what a web server may serve as is.

A file is whole or absent, and durable once `write` is back: written beside, flushed to the disk, renamed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from consult.registry.tiles import Tile
from consult.registry.tree import HASH_BYTES

CHECKPOINT: Final = "checkpoint"
KEY: Final = "key"
PROGRAMS: Final = "programs"
_FILE_MODE, _FOLDER_MODE = 0o644, 0o755  # public, whatever the mask of the process: nginx reads them
_TEMPORARY: Final = ".writing-"


class Store:
    """One folder of logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, log: str, path: str) -> bytes | None:
        """The bytes of a file of a log; None when there is none. `path` is one of ours, never a visitor's."""
        try:
            return (self.folder / log / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def fetch(self, log: str, tile: Tile) -> bytes:
        """The bytes of a tile of hashes, cut out of the full one where that took its place. Raises ValueError."""
        found = self.read(log, tile.path)
        if found is None and tile.level is not None:
            full = self.read(log, Tile(tile.level, tile.index).path)
            found = None if full is None else full[: tile.width * HASH_BYTES]
        if found is None:
            raise ValueError(f"{self.folder / log / tile.path} is missing")
        return found

    def write(self, log: str, files: Mapping[str, bytes]) -> None:
        """Write files over what they replace; back from here, they outlive a power cut."""
        touched: set[Path] = set()
        for path, content in files.items():
            target = self.folder / log / path
            self._make_folder(target.parent)
            _put(target, content)
            touched.add(target.parent)
        for folder in sorted(touched):
            _flush(folder)

    def drop_partials(self, log: str, tiles: Collection[Tile]) -> None:
        """Remove the partial versions of tiles that are full, as the specification allows."""
        for tile in tiles:
            with contextlib.suppress(FileNotFoundError):
                shutil.rmtree(self.folder / log / tile.partials)

    def _make_folder(self, folder: Path) -> None:
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        with contextlib.suppress(FileExistsError):
            folder.mkdir()
            folder.chmod(_FOLDER_MODE)
        _flush(folder.parent)


def _put(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=_TEMPORARY, dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _FILE_MODE)
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
