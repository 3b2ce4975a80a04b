"""The code that the author of a reply tied to no account holds: drawn before sending, kept by nobody else."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
import uuid
from typing import Final

BYTES: Final = 20  # 32 signs
GROUP: Final = 4
_CODE: Final = re.compile(r"[A-Z2-7]{32}", re.ASCII)
_BLANKS: Final = re.compile(r"[\s\-\u2010-\u2015]+")
_LOOK_ALIKE: Final = str.maketrans("018", "OLB")  # digits that a code never has


def draw() -> str:
    """A new code, in groups that a person can copy by hand."""
    signs = base64.b32encode(secrets.token_bytes(BYTES)).decode()
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def clean(typed: str) -> str | None:
    """A code as `draw` gives it, however it was typed; None when it cannot be one."""
    signs = _BLANKS.sub("", typed[:200]).upper().translate(_LOOK_ALIKE)
    if not _CODE.fullmatch(signs):
        return None
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def edit_key(organisation_id: uuid.UUID, code: str) -> str:
    """What is kept of a code: nobody finds it again from this, which is not the same in two organisations."""
    return hmac.digest(organisation_id.bytes, f"consult/anonymous reply\n{code}".encode(), "sha256").hex()
