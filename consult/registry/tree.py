"""The Merkle tree of RFC 6962, over whatever holds its hashes: roots, inclusion and consistency proofs, a frontier.

A proof reads the hashes of complete subtrees through `ReadHash`: `read(level, index)` is the hash of the leaves
`[index * 2**level, (index + 1) * 2**level)`. `tiles.py` gives one that reads tiles.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()

ReadHash: TypeAlias = Callable[[int, int], bytes]


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry as a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_root(hashes: Sequence[bytes]) -> bytes:
    """The root of a complete subtree from its hashes, whose number is a power of two."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def subtree_hash(read: ReadHash, start: int, end: int) -> bytes:
    """The hash of the leaves `[start, end)`, a subtree of some tree: `start` is aligned on its size rounded up."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(size)
    return node_hash(subtree_hash(read, start, middle), subtree_hash(read, middle, end))


def root(read: ReadHash, size: int) -> bytes:
    """The root of the first `size` leaves."""
    return subtree_hash(read, 0, size) if size else EMPTY_ROOT


def inclusion_proof(read: ReadHash, index: int, size: int) -> list[bytes]:
    """RFC 6962, 2.1.1: the hashes that lead from leaf `index` to the root at `size`, the leaf's sibling first."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(subtree_hash(read, middle, end))
            end = middle
        else:
            proof.append(subtree_hash(read, start, middle))
            start = middle
    return proof[::-1]


def consistency_proof(read: ReadHash, old: int, new: int) -> list[bytes]:
    """RFC 6962, 2.1.2: the hashes that prove the tree at `old` to be a prefix of the tree at `new`."""
    if not 0 < old <= new:
        raise ValueError(f"no consistency proof from {old} to {new}")
    proof: list[bytes] = []
    start, end, known = 0, new, True  # `known`: the verifier holds the root of the old tree, which starts here
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(subtree_hash(read, middle, end))
            end = middle
        else:
            proof.append(subtree_hash(read, start, middle))
            start, known = middle, False
    if not known:
        proof.append(subtree_hash(read, start, end))
    return proof[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the proof leads from that leaf hash to that root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and current == expected


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the proof shows the tree of `old_root` to be a prefix of that of `new_root` (RFC 9162, 2.1.4.2)."""
    if old == new:
        return not proof and old_root == new_root
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if not 0 < old < new or not proof:
        return False
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    node, last = old - 1, new - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


class Frontier:
    """The right edge of a growing tree: what is needed of it to append leaves and tell its root, in log(n) hashes."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.size = 0
        self._peaks: list[bytes] = []  # the complete subtrees from left to right, one for each bit of the size
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        current, carry = leaf, self.size
        while carry & 1:
            current = node_hash(self._peaks.pop(), current)
            carry >>= 1
        self._peaks.append(current)
        self.size += 1

    def root(self) -> bytes:
        """The root of what was appended."""
        if not self._peaks:
            return EMPTY_ROOT
        current = self._peaks[-1]
        for peak in reversed(self._peaks[:-1]):
            current = node_hash(peak, current)
        return current


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
