"""C2SP tlog-tiles: the paths and the bytes by which the tree and its entries are published as immutable files."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consult.registry.tree import HASH_BYTES, complete_root

WIDTH: Final = 256  # hashes of a full tile, entries of a full bundle
_HEIGHT: Final = 8  # levels of the tree in a tile
ENTRIES: Final = "entries"
MAX_ENTRY_BYTES: Final = 65_535
_MAX_LEVEL: Final = 63
_PATH: Final = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One file: hashes at a level of tiles, or a bundle of entries (`level` None); partial below 256."""

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path under the address of the log."""
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{ENTRIES if self.level is None else self.level}/{index_path(self.index)}{partial}"

    @property
    def partials(self) -> str:
        """The folder of its partial versions."""
        return f"tile/{ENTRIES if self.level is None else self.level}/{index_path(self.index)}.p"

    @classmethod
    def parse(cls, path: str) -> Tile | None:
        """The tile of a path written exactly as the specification says; None for anything else."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        level = None if match["level"] == ENTRIES else int(match["level"])
        index = parse_index(match["index"])
        width = WIDTH if match["width"] is None else int(match["width"])
        if index is None or (level or 0) > _MAX_LEVEL or (match["width"] is not None and width >= WIDTH):
            return None
        return cls(level, index, width)


def index_path(index: int) -> str:
    """A number as groups of three digits, all but the last marked by an x: 1234067 is x001/x234/067."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def parse_index(path: str) -> int | None:
    """The number of such a path; None where it is not written as `index_path` does."""
    digits = path.replace("x", "").replace("/", "")
    if not digits.isascii() or not digits.isdigit():
        return None
    return index if index_path(index := int(digits)) == path else None


def tiles_of_growth(old: int, new: int) -> Iterator[Tile]:
    """The files to write for a tree that grew from `old` to `new` leaves: bundles first, then tiles, level by level."""
    yield from _of_level(None, old, new)
    level = 0
    while new > 0:
        yield from _of_level(level, old, new)
        old, new, level = old // WIDTH, new // WIDTH, level + 1


def _of_level(level: int | None, old: int, new: int) -> Iterator[Tile]:
    if new > old:
        for index in range(old // WIDTH, -(-new // WIDTH)):
            yield Tile(level, index, min(WIDTH, new - index * WIDTH))


def tile_at(level: int | None, index: int, size: int) -> Tile:
    """The file that holds tile `index` of that level in a tree of `size` leaves. Raises ValueError beyond it."""
    count = size // WIDTH ** (level or 0) - index * WIDTH
    if count <= 0:
        raise ValueError(f"no tile {index} at level {level} in a tree of {size}")
    return Tile(level, index, min(WIDTH, count))


def bundle(entries: Sequence[bytes]) -> bytes:
    """The bytes of a bundle. Raises ValueError for an entry longer than the format allows."""
    if any(len(entry) > MAX_ENTRY_BYTES for entry in entries):
        raise ValueError(f"an entry may not exceed {MAX_ENTRY_BYTES} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def entries_of(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises ValueError when it is cut."""
    entries, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if at > len(data) or start > len(data):
            raise ValueError("a bundle that ends in the middle of an entry")
        entries.append(data[start:at])
    return entries


def hashes_of(data: bytes) -> list[bytes]:
    """The hashes of a tile. Raises ValueError when it is cut."""
    if len(data) % HASH_BYTES:
        raise ValueError("a tile that ends in the middle of a hash")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


class TileReader:
    """`tree.ReadHash` over the tiles of a tree of `size` leaves; each tile is asked for once and not believed longer.

    What is read is checked by whoever compares the root with a signed one. `fetch` raises for a missing file;
    ValueError is raised for one of the wrong length.
    """

    def __init__(self, fetch: Callable[[Tile], bytes], size: int) -> None:
        self.size = size
        self._fetch = fetch
        self._hashes = functools.lru_cache(maxsize=64)(self._read_tile)

    def __call__(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, _HEIGHT)
        number, first = divmod(index << height, WIDTH)
        hashes = self._hashes(tile_level, number)[first : first + (1 << height)]
        if len(hashes) != 1 << height:
            raise ValueError(f"no complete subtree {index} of level {level} in a tree of {self.size}")
        return complete_root(hashes)

    def _read_tile(self, level: int, index: int) -> list[bytes]:
        tile = tile_at(level, index, self.size)
        hashes = hashes_of(self._fetch(tile))
        if len(hashes) != tile.width:
            raise ValueError(f"{tile.path} does not hold {tile.width} hashes")
        return hashes
