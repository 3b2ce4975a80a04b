"""A security key made of software, from the specification (WebAuthn level 2) and without the library under test."""

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

USER_PRESENT, USER_VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def from_b64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def cbor(value) -> bytes:
    """The encoding of RFC 8949 for what an attestation holds: small integers, bytes, texts and maps."""
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        return _head(3, len(value.encode())) + value.encode()
    return _head(5, len(value)) + b"".join(cbor(key) + cbor(held) for key, held in value.items())


def _head(major: int, count: int) -> bytes:
    if count < 24:
        return bytes([major << 5 | count])
    if count < 256:
        return bytes([major << 5 | 24, count])
    return bytes([major << 5 | 25]) + struct.pack(">H", count)


@dataclass
class Authenticator:
    """One key: it holds a P-256 pair for each enrolment, and counts its signatures."""

    pairs: dict[bytes, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    count: int = 0
    flags: int = USER_PRESENT
    handles: dict[bytes, bytes] = field(default_factory=dict)
    identities: list[tuple[bytes, ec.EllipticCurvePrivateKey]] = field(default_factory=list)  # for the next enrolments

    def create(self, options: dict, *, origin: str, **changes) -> str:
        """What `navigator.credentials.create` gives, as JSON. `changes` replace parts of what was asked."""
        asked = {**options, **changes}
        fresh = (secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()))
        identity, pair = self.identities.pop() if self.identities else fresh
        self.pairs[identity] = pair
        self.handles[identity] = from_b64url(options["user"]["id"])
        point = pair.public_key().public_numbers()
        cose = cbor({1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")})
        attested = bytes(16) + struct.pack(">H", len(identity)) + identity + cose
        said = self._said(asked["rp"]["id"], ATTESTED) + attested
        response = {
            "clientDataJSON": b64url(_client_data("webauthn.create", asked["challenge"], origin)),
            "attestationObject": b64url(cbor({"fmt": "none", "attStmt": {}, "authData": said})),
        }
        return _credential(identity, response)

    def get(self, options: dict, *, origin: str, kind="webauthn.get", handle=None, **changes) -> str:
        """What `navigator.credentials.get` gives, as JSON, by the first listed key that this one holds."""
        asked = {**options, **changes}
        listed = (from_b64url(each["id"]) for each in asked["allowCredentials"])
        identity = next(each for each in listed if each in self.pairs)
        self.count += 1
        said = self._said(asked["rpId"])
        data = _client_data(kind, asked["challenge"], origin)
        signature = self.pairs[identity].sign(said + hashlib.sha256(data).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": b64url(data),
            "authenticatorData": b64url(said),
            "signature": b64url(signature),
            "userHandle": b64url(self.handles[identity] if handle is None else handle),
        }
        return _credential(identity, response)

    def _said(self, relying_party: str, more: int = 0) -> bytes:
        return (
            hashlib.sha256(relying_party.encode()).digest() + bytes([self.flags | more]) + struct.pack(">I", self.count)
        )


def _client_data(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": False}).encode()


def _credential(identity: bytes, response: dict[str, str]) -> str:
    name = b64url(identity)
    return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})
