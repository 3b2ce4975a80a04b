"""The right edge of a log: what must be remembered of it to write its next tiles and to tell its root."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from consult.registry import tiles, tree
from consult.registry.tiles import WIDTH, Tile


class Edge:
    """The partial tiles of a log and its last bundle, growing entry by entry."""

    def __init__(self) -> None:
        self.size = 0
        self._rows: list[list[bytes]] = [[]]  # the hashes of the partial tile of each level
        self._bundle: list[bytes] = []

    def extend(self, entries: Iterable[bytes]) -> dict[Tile, bytes]:
        """Append entries; returns the files that the growth gives, full and partial."""
        old, files = self.size, dict[Tile, bytes]()
        for entry in entries:
            self._append(entry, files.__setitem__)
        for tile in tiles.tiles_of_growth(old, self.size):
            if tile.width < WIDTH:
                row = self._bundle if tile.level is None else self._rows[tile.level]
                files[tile] = tiles.bundle(row) if tile.level is None else b"".join(row)
        return files

    def root(self) -> bytes:
        """The root of what was appended."""
        below: list[bytes] = []  # the hash of what is on the right of the tile, smaller than one of its hashes
        for row in self._rows:
            if row or below:
                below = [tree.Frontier([*row, *below]).root()]
        return below[0] if below else tree.EMPTY_ROOT

    def _append(self, entry: bytes, write: Callable[[Tile, bytes], None]) -> None:
        self._bundle.append(entry)
        self.size += 1
        if len(self._bundle) == WIDTH:
            write(Tile(None, self.size // WIDTH - 1), tiles.bundle(self._bundle))
            self._bundle = []
        self._add(0, tree.leaf_hash(entry), write)

    def _add(self, level: int, node: bytes, write: Callable[[Tile, bytes], None]) -> None:
        row = self._rows[level]
        row.append(node)
        if len(row) < WIDTH:
            return
        write(Tile(level, self.size // WIDTH ** (level + 1) - 1), b"".join(row))
        self._rows[level] = []
        if level + 1 == len(self._rows):
            self._rows.append([])
        self._add(level + 1, tree.complete_root(row), write)
