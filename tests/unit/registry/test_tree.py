"""The tree of RFC 6962 against its published vectors, its own definition, and another implementation."""

import functools
import hashlib

import pymerkle
import pytest

from consult.registry import tree

LEAVES = [bytes.fromhex(data) for data in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
# The vectors of the Certificate Transparency reference implementation for these leaves.
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
PATH_6_OF_8 = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)
FROM_6_TO_8 = ("0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", *PATH_6_OF_8[1:])


class Definition:
    """RFC 6962, section 2.1, word for word on the leaf hashes of some data."""

    def __init__(self, data):
        self.leaves = [hashlib.sha256(b"\x00" + each).digest() for each in data]

    @functools.cache  # noqa: B019  # lives as long as the test
    def mth(self, start, end):
        if end - start == 1:
            return self.leaves[start]
        middle = start + self.split(end - start)
        return hashlib.sha256(b"\x01" + self.mth(start, middle) + self.mth(middle, end)).digest()

    @staticmethod
    def split(size):
        k = 1
        while k * 2 < size:
            k *= 2
        return k

    def path(self, m, start, end):
        if end - start == 1:
            return []
        middle = start + self.split(end - start)
        if m < middle:
            return [*self.path(m, start, middle), self.mth(middle, end)]
        return [*self.path(m, middle, end), self.mth(start, middle)]

    def proof(self, m, start, end, *, known=True):
        if m == end:
            return [] if known else [self.mth(start, end)]
        middle = start + self.split(end - start)
        if m <= middle:
            return [*self.proof(m, start, middle, known=known), self.mth(middle, end)]
        return [*self.proof(m, middle, end, known=False), self.mth(start, middle)]

    def read(self, level, index):
        return self.mth(index << level, (index + 1) << level)


def numbered(count):
    return [f"entry {number}".encode() for number in range(count)]


def test_the_published_vectors():
    """AT-B.1."""
    read = Definition(LEAVES).read
    assert tree.EMPTY_ROOT.hex().startswith("e3b0c442")
    assert tree.root(read, 0) == tree.EMPTY_ROOT == tree.Frontier().root()
    assert tuple(tree.root(read, size).hex() for size in range(1, 9)) == ROOTS
    assert tuple(tree.Frontier(map(tree.leaf_hash, LEAVES[:size])).root().hex() for size in range(1, 9)) == ROOTS
    assert tuple(each.hex() for each in tree.inclusion_proof(read, 5, 8)) == PATH_6_OF_8
    assert tuple(each.hex() for each in tree.consistency_proof(read, 6, 8)) == FROM_6_TO_8


def test_every_root_up_to_2000_leaves_is_that_of_the_definition_and_of_another_implementation():
    """AT-B.1: `pymerkle` is the oracle."""
    data = numbered(2000)
    definition, frontier, oracle = Definition(data), tree.Frontier(), pymerkle.InmemoryTree(algorithm="sha256")
    for size, each in enumerate(data, start=1):
        frontier.append(tree.leaf_hash(each))
        oracle.append_entry(each)
        assert frontier.root() == definition.mth(0, size)
        if size % 97 == 0 or size == 2000:
            assert frontier.root() == oracle.get_root() == tree.root(definition.read, size)


def test_every_inclusion_proof_up_to_300_leaves():
    """AT-B.2."""
    definition = Definition(numbered(300))
    for size in range(1, 301):
        root = definition.mth(0, size)
        for index in range(size):
            proof = tree.inclusion_proof(definition.read, index, size)
            assert proof == definition.path(index, 0, size)
            if index % 7 == size % 7:  # each index meets each shape of tree: verifying hashes, comparing does not
                assert tree.verify_inclusion(definition.leaves[index], index, size, proof, root)


def test_every_consistency_proof_up_to_300_leaves():
    """AT-B.2."""
    definition = Definition(numbered(300))
    for new in range(1, 301):
        for old in range(1, new + 1):
            proof = tree.consistency_proof(definition.read, old, new)
            assert proof == definition.proof(old, 0, new)
            if old % 7 == new % 7:
                assert tree.verify_consistency(old, new, proof, definition.mth(0, old), definition.mth(0, new))


def flipped(proof):
    """The proof with one bit of one of its bytes changed, for each byte; then without a hash, then with one more."""
    for at, each in enumerate(proof):
        for byte in range(len(each)):
            yield [*proof[:at], each[:byte] + bytes([each[byte] ^ 1]) + each[byte + 1 :], *proof[at + 1 :]]
    yield proof[:-1]
    yield [*proof, proof[-1]]


def test_a_proof_of_which_any_byte_changed_proves_nothing():
    """AT-B.3."""
    definition = Definition(numbered(23))
    roots = [definition.mth(0, size) if size else tree.EMPTY_ROOT for size in range(24)]
    for index in (0, 9, 22):
        leaf, proof = definition.leaves[index], tree.inclusion_proof(definition.read, index, 23)
        assert tree.verify_inclusion(leaf, index, 23, proof, roots[23])
        assert not any(tree.verify_inclusion(leaf, index, 23, changed, roots[23]) for changed in flipped(proof))
        assert not tree.verify_inclusion(definition.leaves[(index + 1) % 23], index, 23, proof, roots[23])
        assert not tree.verify_inclusion(leaf, (index + 1) % 23, 23, proof, roots[23])
    for old in (1, 8, 13, 22):
        proof = tree.consistency_proof(definition.read, old, 23)
        assert tree.verify_consistency(old, 23, proof, roots[old], roots[23])
        assert not any(tree.verify_consistency(old, 23, changed, roots[old], roots[23]) for changed in flipped(proof))
        assert not tree.verify_consistency(old, 23, proof, roots[old - 1], roots[23])
        assert not tree.verify_consistency(old, 23, proof, roots[old], roots[22])


def test_the_edges_of_consistency():
    root = Definition(numbered(3)).mth(0, 3)
    assert tree.verify_consistency(3, 3, [], root, root)
    assert not tree.verify_consistency(3, 3, [], root, tree.EMPTY_ROOT)
    assert tree.verify_consistency(0, 3, [], tree.EMPTY_ROOT, root)
    assert not tree.verify_consistency(0, 3, [], root, root)
    assert not tree.verify_consistency(4, 3, [root], root, root)
    assert not tree.verify_inclusion(root, 3, 3, [], root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_there_is_no_proof_of_a_leaf_outside_the_tree(index, size):
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion_proof(Definition(numbered(3)).read, index, size)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (4, 3)])
def test_there_is_no_consistency_proof_from_nothing_or_backwards(old, new):
    with pytest.raises(ValueError, match="no consistency proof"):
        tree.consistency_proof(Definition(numbered(3)).read, old, new)
