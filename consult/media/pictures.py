"""A picture sent by somebody, made one that the platform may serve: see `recode.py`, run in a child process."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_BYTES: Final = 8_000_000  # of a file sent
MEDIA_TYPE: Final = "image/webp"  # of every picture kept
SECONDS: Final = 20
RECODE: Final = (sys.executable, "-I", "-m", "consult.media.recode")
TOO_HEAVY: Final = "Cette image est trop lourde : huit mégaoctets au plus. Réduisez-la, puis recommencez."
KILLED: Final = "La lecture de cette image a été interrompue : trop de temps ou de mémoire. Réduisez-la."


@dataclass(frozen=True, slots=True)
class Fit:
    """What a picture is made to fit in."""

    longest_side: int  # pixels
    heaviest: int  # bytes


SMALL: Final = Fit(480, 24_000)  # twelve of them leave a page under 500 kB
READABLE: Final = Fit(1_600, 300_000)  # the words of a screen can be read


@dataclass(frozen=True, slots=True)
class Picture:
    """A WebP that fits, without metadata."""

    content: bytes
    width: int
    height: int

    @property
    def digest(self) -> str:
        """SHA-256 of its bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def recoded(files: Sequence[bytes], fit: Fit = SMALL) -> list[Picture | str]:
    """Each file as a picture that fits, or why it is refused, in French; one child process, 20 seconds for all."""
    light = [raw for raw in files if len(raw) <= MOST_BYTES]
    lines = b"".join(base64.b64encode(raw) + b"\n" for raw in light)
    try:
        done = subprocess.run(  # noqa: S603  # our interpreter, our program, no shell
            (*RECODE, str(fit.longest_side), str(fit.heaviest)),
            input=lines,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            env={"LC_ALL": "C.UTF-8"},
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as late:
        done = late.stdout or b""
    answers = [json.loads(line) for line in done.splitlines(keepends=True) if line.endswith(b"\n")]
    found: list[Picture | str] = [
        each.get("refused") or Picture(base64.b64decode(each["content"]), each["width"], each["height"])
        for each in answers
    ]
    left = iter([*found, *[KILLED] * (len(light) - len(found))])
    return [next(left) if len(raw) <= MOST_BYTES else TOO_HEAVY for raw in files]
