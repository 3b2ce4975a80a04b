"""The platform's own keys, for which identity providers encrypt what they tell it (FranceConnect+)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from consult.sealing import phrases
from consult.settings import UnsafeSettingsError

ALGORITHMS: Final = ["RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "A256GCM"]  # neither PKCS #1 v1.5 nor compression
_DOTS: Final = 4  # of an encrypted token; a signed one has two


def load(setting: str) -> KeySet:
    """The private keys of CONSULT_IDENTITY_KEY_FILES. Raises UnsafeSettingsError naming the file."""
    return KeySet([_read(path) for path in phrases(setting)])


def _read(path: str) -> RSAKey | ECKey:
    try:
        raw = Path(path).read_bytes()
    except OSError:
        raise UnsafeSettingsError(f"CONSULT_IDENTITY_KEY_FILES : le fichier {path} ne se lit pas") from None
    for kind in (RSAKey, ECKey):
        try:
            key: RSAKey | ECKey = kind.import_key(raw, {"use": "enc"})
        except (JoseError, ValueError, TypeError):
            continue
        if key.is_private and (isinstance(key, RSAKey) or key.curve_name == "P-256"):
            return key
    raise UnsafeSettingsError(f"CONSULT_IDENTITY_KEY_FILES : {path} n'est pas une clé privée PEM, RSA ou P-256")


def is_encrypted(token: str) -> bool:
    """Whether a token must be opened before its signature is read."""
    return token.count(".") == _DOTS


def opened(token: str, keys: KeySet) -> str:
    """The signed token inside an encrypted one: encryption vouches for nobody. Raises JoseError, ValueError."""
    if not keys.keys:
        raise ValueError("an encrypted token, and no key of CONSULT_IDENTITY_KEY_FILES to open it")
    # A provider may repeat claims in the header (RFC 7519, 5.3): they are read inside, where they are signed.
    registry = jwe.JWERegistry(algorithms=ALGORITHMS, strict_check_header=False)
    plaintext = jwe.decrypt_compact(token, keys, registry=registry).plaintext
    return (plaintext or b"").decode("ascii")
