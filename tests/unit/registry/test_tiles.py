"""Tiles and bundles: the paths and the bytes of C2SP tlog-tiles."""

import pytest

from consult.registry import tiles, tree
from consult.registry.tiles import Tile


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 1234067), "tile/0/x001/x234/067"),  # the specification's own example
        (Tile(1, 999), "tile/1/999"),
        (Tile(2, 1000, 17), "tile/2/x001/000.p/17"),
        (Tile(None, 5), "tile/entries/005"),
        (Tile(None, 273, 112), "tile/entries/273.p/112"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
    ],
)
def test_the_path_of_a_tile_and_back(tile, path):
    assert tile.path == path
    assert Tile.parse(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/1000",
        "tile/0/x000/001",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000/",
        "tile/0/000.p",
        "tile/0/../000",
        "tile/0/x00１/000",
        "tile/٠/000",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/" + "x999/" * 30 + "999",
        "tile/0/x001/x000",
    ],
)
def test_any_other_path_is_refused(path):
    assert Tile.parse(path) is None


@pytest.mark.parametrize("path", ["", "x", "/", "x001", "1", "a", "x001//000"])
def test_a_number_written_otherwise_is_refused(path):
    assert tiles.parse_index(path) is None


def test_the_tiles_of_a_tree_of_70000():
    """The specification's example, which it counts aloud."""
    written = [tile for tile in tiles.tiles_of_growth(0, 70_000) if tile.level is not None]
    assert len([tile for tile in written if tile.level == 0 and tile.width == 256]) == 273
    assert [tile for tile in written if tile.level > 0 or tile.width < 256] == [
        Tile(0, 273, 112),
        Tile(1, 0),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert {tile.index for tile in tiles.tiles_of_growth(0, 70_000) if tile.level is None} == set(range(274))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (0, 0, []),
        (7, 7, []),
        (0, 1, [Tile(None, 0, 1), Tile(0, 0, 1)]),
        (255, 256, [Tile(None, 0), Tile(0, 0), Tile(1, 0, 1)]),
        (256, 257, [Tile(None, 1, 1), Tile(0, 1, 1)]),
        (511, 513, [Tile(None, 1), Tile(None, 2, 1), Tile(0, 1), Tile(0, 2, 1), Tile(1, 0, 2)]),
        (65_535, 65_536, [Tile(None, 255), Tile(0, 255), Tile(1, 0), Tile(2, 0, 1)]),
    ],
)
def test_growth_writes_what_changed_and_nothing_else(old, new, expected):
    assert list(tiles.tiles_of_growth(old, new)) == expected


def test_a_tile_beyond_the_tree_does_not_exist():
    assert tiles.tile_at(1, 0, 256) == Tile(1, 0, 1)
    for level, index, size in ((0, 0, 0), (0, 1, 256), (1, 0, 255), (None, 2, 512)):
        with pytest.raises(ValueError, match="no tile"):
            tiles.tile_at(level, index, size)


def test_a_bundle_gives_its_entries_back():
    entries = [b"", b"{}", b"x" * 65_535]
    assert tiles.bundle(entries)[:6] == b"\x00\x00\x00\x02{}"
    assert tiles.entries_of(tiles.bundle(entries)) == entries
    with pytest.raises(ValueError, match="65535"):
        tiles.bundle([b"x" * 65_536])


def test_a_bundle_or_a_tile_that_is_cut_is_refused():
    whole = tiles.bundle([b"first", b"second"])
    for end in set(range(1, len(whole))) - {7}:  # cut after the first entry, it is a bundle
        with pytest.raises(ValueError, match="middle of an entry"):
            tiles.entries_of(whole[:end])
    with pytest.raises(ValueError, match="middle of a hash"):
        tiles.hashes_of(b"x" * 33)


@pytest.fixture(scope="module")
def files():
    """A tree of 66,000 leaves in tiles, without a file."""
    size = 66_000
    rows = [[tree.leaf_hash(b"%d" % number) for number in range(size)]]
    while len(rows[-1]) >= 256:
        last = rows[-1]
        rows.append([tree.complete_root(last[at : at + 256]) for at in range(0, len(last) - 255, 256)])
    return size, rows


def test_the_tree_read_from_tiles_is_the_tree(files):
    size, rows = files
    fetched = []

    def fetch(tile):
        fetched.append(tile)
        return b"".join(rows[tile.level][tile.index * 256 :][: tile.width])

    read = tiles.TileReader(fetch, size)
    root = tree.root(read, size)
    assert root == tree.Frontier(rows[0]).root()
    for index in (0, 255, 256, 40_000, size - 1):
        proof = tree.inclusion_proof(read, index, size)
        assert tree.verify_inclusion(rows[0][index], index, size, proof, root)
    for old in (1, 256, 257, 65_536, 65_999):
        proof = tree.consistency_proof(read, old, size)
        assert tree.verify_consistency(old, size, proof, tree.Frontier(rows[0][:old]).root(), root)
    assert len(fetched) == len(set(fetched))  # none is asked for twice


def test_a_tile_that_is_too_short_is_refused(files):
    _, rows = files
    read = tiles.TileReader(lambda tile: b"".join(rows[0][: tile.width - 1]), 300)
    with pytest.raises(ValueError, match="does not hold 256 hashes"):
        read(0, 3)
    with pytest.raises(ValueError, match="no complete subtree"):
        tiles.TileReader(lambda tile: b"".join(rows[0][: tile.width]), 300)(3, 37)
