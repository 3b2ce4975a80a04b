"""The edge writes the very tiles that the tree is made of, however the entries arrive."""

import pytest

from consult.registry import tiles, tree
from consult.registry.edge import Edge

ENTRIES = [b"entry %d" % number for number in range(66_100)]


@pytest.fixture(scope="module")
def written():
    """The files after batches of odd sizes, and the root after each."""
    edge, files, roots, at = Edge(), {}, {}, 0
    for step in (1, 254, 1, 1, 300, 0, 1_000, 63_979, 64, 500):
        files |= edge.extend(ENTRIES[at : at + step])
        at += step
        roots[at] = edge.root()
    assert at == len(ENTRIES) == edge.size
    return files, roots


def test_each_root_is_that_of_the_tree(written):
    _, roots = written
    frontier = tree.Frontier()
    assert Edge().root() == tree.EMPTY_ROOT
    for size, entry in enumerate(ENTRIES, start=1):
        frontier.append(tree.leaf_hash(entry))
        if size in roots:
            assert roots[size] == frontier.root()


def test_every_tile_of_every_size_that_had_a_checkpoint_was_written(written):
    files, roots = written
    for size, root in roots.items():
        assert set(tiles.tiles_of_growth(0, size)) <= files.keys()
        assert tree.root(tiles.TileReader(files.__getitem__, size), size) == root


def test_the_bundles_hold_the_entries(written):
    files, _ = written
    bundles = [tile for tile in tiles.tiles_of_growth(0, len(ENTRIES)) if tile.level is None]
    assert [entry for tile in bundles for entry in tiles.entries_of(files[tile])] == ENTRIES
