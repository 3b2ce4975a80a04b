"""Signed notes, checkpoints and cosignatures, against notes that other programs signed."""

import base64
import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from consult.registry import notes, tree
from consult.registry.notes import Checkpoint, NoteError, SigningKey, VerifierKey

# Published with the Go implementation of signed notes.
NEUMANN = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
SUM_GOLANG = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

ORIGIN = "consultations.example/registry/agence"
KEY = SigningKey(b"\x07" * 32, ORIGIN)
CHECKPOINT = Checkpoint(ORIGIN, 12, tree.leaf_hash(b"root"))
NOTE = KEY.sign(CHECKPOINT.text)


def cosign(name, checkpoint, time):
    """A witness of its own: its key, and its line on the text of a checkpoint."""
    private = Ed25519PrivateKey.generate()
    key = VerifierKey(name, private.public_key().public_bytes_raw(), notes.WITNESS_KEY)
    signature = private.sign(b"cosignature/v1\ntime %d\n" % time + checkpoint.text)
    return key, notes.signature_line(key, time.to_bytes(8, "big") + signature)


def test_a_note_signed_by_another_program_verifies():
    text, lines = notes.split(NEUMANN_NOTE)
    assert list(notes.signers(text, lines, [NEUMANN])) == [NEUMANN]
    assert str(VerifierKey.parse(SUM_GOLANG)) == SUM_GOLANG  # a key whose base64 holds a plus


def test_the_key_of_a_log_depends_on_the_seed_and_the_origin_alone():
    assert SigningKey(b"\x07" * 32, ORIGIN).verifier == KEY.verifier
    assert SigningKey(b"\x08" * 32, ORIGIN).verifier.public != KEY.verifier.public
    assert SigningKey(b"\x07" * 32, ORIGIN + "2").verifier.public != KEY.verifier.public
    # HKDF-SHA-256 of RFC 5869 in its own words: the key can be derived again without this program.
    pseudo = hmac.new(b"\x00" * 32, b"\x07" * 32, hashlib.sha256).digest()
    derived = hmac.new(pseudo, b"consult/registry/v1/" + ORIGIN.encode() + b"\x01", hashlib.sha256).digest()
    public = Ed25519PrivateKey.from_private_bytes(derived).public_key().public_bytes_raw()
    assert KEY.verifier.public == public


def test_the_line_of_a_key_is_as_the_record_says_and_reads_back():
    name, identifier, encoded = str(KEY.verifier).split("+", 2)
    assert (name, len(identifier)) == (ORIGIN, 8)
    assert base64.b64decode(encoded) == b"\x01" + KEY.verifier.public
    assert VerifierKey.parse(f"{KEY.verifier}\n") == KEY.verifier


@pytest.mark.parametrize(
    "line",
    [
        "",
        "name",
        "name+00000000",
        f"na me+{SUM_GOLANG.partition('+')[2]}",
        SUM_GOLANG.replace("033de0ae", "033de0af"),
        SUM_GOLANG[:-4],
        "name+00000000+é",
        f"other{SUM_GOLANG}",
        "name+00000000+" + base64.b64encode(b"\x02" * 33).decode(),
    ],
)
def test_a_line_that_is_no_key_is_refused(line):
    with pytest.raises(NoteError):
        VerifierKey.parse(line)


def test_a_checkpoint_is_signed_and_read_back():
    assert notes.open_checkpoint(NOTE, KEY.verifier) == CHECKPOINT
    assert NOTE.startswith(f"{ORIGIN}\n12\n".encode())


def test_a_checkpoint_of_which_any_byte_changed_is_refused():
    """AT-B.3."""
    for at in range(len(NOTE)):
        changed = NOTE[:at] + bytes([NOTE[at] ^ 1]) + NOTE[at + 1 :]
        with pytest.raises(NoteError):
            notes.open_checkpoint(changed, KEY.verifier)


def test_the_checkpoint_of_another_log_is_refused():
    other = SigningKey(b"\x07" * 32, "consultations.example/registry/autre")
    with pytest.raises(NoteError, match="not signed"):
        notes.open_checkpoint(other.sign(Checkpoint("autre", 1, tree.EMPTY_ROOT).text), KEY.verifier)
    with pytest.raises(NoteError, match="not of"):
        notes.open_checkpoint(KEY.sign(Checkpoint("autre", 1, tree.EMPTY_ROOT).text), KEY.verifier)


@pytest.mark.parametrize(
    "text",
    [
        b"o\n1\n",
        b"o\n01\n" + CHECKPOINT.text.split(b"\n")[2] + b"\n",
        b"o\n-1\nAAAA\n",
        b"o\n1\nAAAA\n",
        b"\n1\nAAAA\n",
        CHECKPOINT.text + b"extension\n",
        CHECKPOINT.text.replace(b"12", b"1" * 30),
    ],
)
def test_a_text_that_is_no_checkpoint_is_refused(text):
    with pytest.raises(NoteError):
        Checkpoint.parse(text)


def test_witnesses_add_their_lines_and_unknown_ones_are_passed_over():
    first, first_line = cosign("temoin.example/1", CHECKPOINT, 1_700_000_000)
    _, unknown_line = cosign("temoin.example/2", CHECKPOINT, 1_700_000_000)
    text, lines = notes.split(NOTE + unknown_line + first_line)
    assert notes.signers(text, lines, [KEY.verifier, first]) == {KEY.verifier: lines[0], first: first_line}
    assert notes.open_checkpoint(NOTE + unknown_line + first_line, KEY.verifier) == CHECKPOINT


def test_a_cosignature_of_which_any_byte_changed_is_refused_or_no_longer_of_the_witness():
    """AT-B.3."""
    witness, line = cosign("temoin.example/1", CHECKPOINT, 1_700_000_000)
    raw = base64.b64decode(line.split()[-1])
    for at in range(4, len(raw)):
        changed = notes.signature_line(witness, raw[4:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        with pytest.raises(NoteError, match="not good"):
            notes.signers(CHECKPOINT.text, [changed], [witness])
    short = notes.signature_line(witness, raw[4:30])
    with pytest.raises(NoteError, match="not good"):
        notes.signers(CHECKPOINT.text, [short], [witness])


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\nline",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace(b"12", b"1\t"),
        b"\xff" + NOTE,
        NOTE + b"\xe2\x80\x94 x AAAA\n" * 64,
        b"x" * 200000 + NOTE,
        NOTE + "— deux mots AAAAAA==\n".encode(),
        NOTE + "— nom ****\n".encode(),
        NOTE + b"nom AAAAAAAA\n",
        NOTE + "— nom AAAA\n".encode(),
    ],
)
def test_what_is_no_note_is_refused(note):
    with pytest.raises(NoteError):
        notes.open_checkpoint(note, KEY.verifier)
