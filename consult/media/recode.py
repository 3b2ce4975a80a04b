"""Write pictures again, small, in a process that can do nothing else. Run as a program, never imported by one.

Its arguments are the longest side, in pixels, and the most bytes of what it writes.
Each line of its standard input is a picture in base64; each line of its output is what became of it:
`{"content", "width", "height"}`, the content a WebP in base64, or `{"refused": "…"}`, in French. Nothing of the bytes
that came in goes out: neither metadata (place, date, camera), nor what would hide behind the picture.

It stands alone (`consult.confinement`, the standard library, Pillow): the child loads nothing else of the platform.
"""

from __future__ import annotations

import base64
import io
import json
import re
import struct
import sys
import warnings
import zipfile
from typing import Any, Final

from PIL import Image, ImageOps

from consult.confinement import confine

CPU_SECONDS: Final = 20
MEMORY_BYTES: Final = 1024**3
FORMATS: Final = ("JPEG", "PNG", "WEBP")  # told by the bytes, whatever the name says
MOST_PIXELS: Final = 40_000_000
QUALITIES: Final = (82, 70, 58, 45, 32, 20)
PROGRAMS: Final = re.compile(rb"<script|<html|<svg|<\?php|<!doctype|%pdf-|Rar!\x1a\x07", re.IGNORECASE)
UNREADABLE: Final = "Ce fichier n’est pas une image lisible : choisissez un fichier JPEG, PNG ou WebP."
HIDDEN: Final = (
    "Ce fichier contient autre chose qu’une image (archive, page ou programme). "
    "Ouvrez l’image, enregistrez-la de nouveau, puis recommencez."
)


class RefusedError(Exception):
    """The picture cannot be taken; the message is for the person who sent it."""


def rewritten(raw: bytes, longest_side: int, heaviest: int) -> dict[str, Any]:
    """The picture, written again. Raises RefusedError."""
    try:
        opened = Image.open(io.BytesIO(raw), formats=FORMATS)
    except Image.DecompressionBombError:
        raise _too_large() from None
    except (OSError, SyntaxError, ValueError, struct.error):
        raise RefusedError(UNREADABLE) from None
    with opened as image:
        _check(raw, image)
        image.draft("RGB", (2 * longest_side, 2 * longest_side))  # a JPEG is read smaller at once
        try:
            upright = ImageOps.exif_transpose(image)
        except (OSError, SyntaxError, ValueError, struct.error, EOFError):
            raise RefusedError("Cette image est abîmée : enregistrez-la de nouveau, puis recommencez.") from None
        return _written(_bare(upright, longest_side), heaviest)


def _check(raw: bytes, image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise _too_large()
    if getattr(image, "is_animated", False):
        raise RefusedError("Cette image est animée : choisissez une image fixe.")
    if PROGRAMS.search(raw) or zipfile.is_zipfile(io.BytesIO(raw)):
        raise RefusedError(HIDDEN)
    if (end := _end(raw, image.format or "")) is not None and end < len(raw):
        raise RefusedError(HIDDEN)


def _end(raw: bytes, kind: str) -> int | None:
    """Where the picture ends in the file; None for a JPEG, behind which cameras put more pictures."""
    if kind == "WEBP":
        (length,) = struct.unpack_from("<I", raw, 4)
        return 8 + int(length) + int(length) % 2
    if kind != "PNG":
        return None
    at = 8
    while at + 12 <= len(raw):
        length, name = struct.unpack_from(">I4s", raw, at)
        at += 12 + int(length)
        if name == b"IEND":
            return at
    return None  # cut short: reading it will say so


def _too_large() -> RefusedError:
    millions = MOST_PIXELS // 1_000_000
    return RefusedError(f"Cette image dépasse {millions} millions de pixels : réduisez-la, puis recommencez.")


def _bare(image: Image.Image, longest_side: int) -> Image.Image:
    """The pixels alone, at the size shown."""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    plain = image.convert(mode)
    plain.thumbnail((longest_side, longest_side))
    bare = Image.new(mode, plain.size)
    bare.paste(plain)
    return bare


def _written(image: Image.Image, heaviest: int) -> dict[str, Any]:
    """The best that fits; a picture that never fits (noise) gets smaller."""
    while True:
        for quality in QUALITIES:
            out = io.BytesIO()
            image.save(out, "WEBP", quality=quality, method=4)
            if out.tell() <= heaviest:
                content = base64.b64encode(out.getvalue()).decode()
                return {"content": content, "width": image.width, "height": image.height}
        image = image.resize((max(1, image.width * 3 // 4), max(1, image.height * 3 // 4)))


def answer(line: bytes, longest_side: int, heaviest: int) -> dict[str, Any]:
    """What became of one picture."""
    try:
        return rewritten(base64.b64decode(line), longest_side, heaviest)
    except RefusedError as refusal:
        return {"refused": str(refusal)}
    except MemoryError:
        return {"refused": "Cette image demande trop de mémoire : réduisez-la, puis recommencez."}
    except Exception as error:  # noqa: BLE001  # a hostile file may raise anything: the person gets one sentence
        return {"refused": f"{UNREADABLE} ({type(error).__name__})"}


def main() -> int:
    """One line out for each line in."""
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("ignore")  # what goes past the limit is refused by `_check`
    Image.init()  # its plugins are modules: they are loaded before the door closes
    confine(cpu_seconds=CPU_SECONDS, memory_bytes=MEMORY_BYTES)
    longest_side, heaviest = (int(each) for each in sys.argv[1:])
    for line in sys.stdin.buffer:
        print(json.dumps(answer(line, longest_side, heaviest)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
