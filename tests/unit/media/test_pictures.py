"""Pictures that come in are written again in a confined process: small, bare, nothing else than a picture (AT-19.9)."""

import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from consult.media import pictures, recode
from consult.media.pictures import Picture, recoded


def drawn(width=640, height=400, mode="RGB"):
    """Two halves, dark above, and a disc."""
    image = Image.new(mode, (width, height), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, width, height // 2), fill="navy")
    pen.ellipse((width // 4, height // 4, width // 2, height // 2), fill="gold")
    return image


def saved(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def noise(width, height):
    return Image.effect_noise((width, height), 200).convert("RGB")


def located():
    """A photograph taken by a phone held upright, with the place where it was taken."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Fabricant"  # to be turned by a quarter
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 30.0)
    return saved(drawn(), "JPEG", exif=exif, comment=b"secret")


def png_claiming(width, height):
    """A few bytes that say they are a picture of that size."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(bytes(100_000)), b"IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, content) for name, content in parts.items())


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("page.html", "caché")
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_comes_out_small_and_alike(kind):
    [picture] = recoded([saved(drawn(), kind)])
    with Image.open(io.BytesIO(picture.content)) as image:
        assert (image.format, image.size, image.size) == ("WEBP", (480, 300), (picture.width, picture.height))
        seen = image.convert("RGB")
    assert len(picture.content) <= 24_000
    blue, white = seen.getpixel((20, 20)), seen.getpixel((20, 290))
    assert blue[2] > 90 > blue[0]
    assert min(white) > 240
    assert recoded([saved(drawn(), kind)]) == [picture]


def test_what_it_says_of_place_camera_and_colours_goes_and_it_stands_upright():
    [picture] = recoded([located()])
    with Image.open(io.BytesIO(picture.content)) as image:
        assert dict(image.getexif()) == {}
        assert set(image.info) <= {"loop", "background", "timestamp", "duration"}
        assert image.size == (300, 480)
    for hidden in (b"EXIF", b"Exif", b"XMP ", b"ICCP", b"Fabricant", b"secret"):
        assert hidden not in picture.content


@pytest.mark.slow
def test_transparency_stays_and_noise_still_fits():
    images = [Image.new("RGBA", (80, 80), (0, 0, 0, 0)), noise(900, 900), drawn(2, 3000)]
    clear, loud, tall = recoded([saved(image, "PNG") for image in images])
    with Image.open(io.BytesIO(clear.content)) as image:
        assert image.convert("RGBA").getpixel((40, 40))[3] == 0
    assert len(loud.content) <= 24_000
    assert max(loud.width, loud.height) <= 480
    assert (tall.width, tall.height) == (1, 480)


PHOTO = saved(drawn(64, 64), "JPEG")
DRAWING = saved(drawn(64, 64), "PNG")
SPOKEN = PngImagePlugin.PngInfo()
SPOKEN.add_text("Comment", "<script>alert(1)</script>")
REFUSED = {
    "nothing": (b"", "n’est pas une image lisible"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "n’est pas une image lisible"),
    "gif": (saved(drawn(9, 9), "GIF"), "n’est pas une image lisible"),
    "page": (b"<!doctype html><p>", "n’est pas une image lisible"),
    "another name": (zipped(), "n’est pas une image lisible"),
    "cut": (saved(noise(200, 200), "PNG")[:4000], "abîmée"),
    "pixels": (png_claiming(60_000, 60_000), "millions de pixels"),
    "just too many pixels": (png_claiming(8_000, 5_001), "millions de pixels"),
    "animated": (
        saved(drawn(9, 9), "WEBP", save_all=True, append_images=[Image.new("RGB", (9, 9))], duration=9),
        "animée",
    ),
    "archive behind a drawing": (DRAWING + zipped(), "autre chose qu’une image"),
    "archive behind a photograph": (PHOTO + zipped(), "autre chose qu’une image"),
    "bytes behind": (DRAWING + b"\0" * 9, "autre chose qu’une image"),
    "bytes behind a WebP": (saved(drawn(9, 9), "WEBP") + b"zz", "autre chose qu’une image"),
    "document behind": (PHOTO + b"%PDF-1.7", "autre chose qu’une image"),
    "program inside": (saved(drawn(9, 9), "PNG", pnginfo=SPOKEN), "autre chose qu’une image"),
    "heavy": (DRAWING + b"\0" * pictures.MOST_BYTES, "huit mégaoctets"),
}


def test_what_is_not_a_plain_picture_is_refused_in_french_and_the_others_are_taken():
    files = [raw for raw, _ in REFUSED.values()]
    answers = recoded([DRAWING, *files, PHOTO])
    assert isinstance(answers[0], Picture)
    assert isinstance(answers[-1], Picture)
    told = dict(zip(REFUSED, answers[1:-1], strict=True))
    assert {name: why for name, (_, why) in REFUSED.items() if why not in str(told[name])} == {}


def test_the_child_is_bounded_in_time_and_what_it_had_not_read_is_refused(monkeypatch):
    monkeypatch.setattr(pictures, "SECONDS", 1)
    slow = 'import sys, time; sys.stdin.readline(); print(\'{"refused": "non"}\', flush=True); time.sleep(60)'
    monkeypatch.setattr(pictures, "RECODE", (pictures.RECODE[0], "-c", slow))
    assert recoded([DRAWING, PHOTO]) == ["non", pictures.KILLED]


def test_the_child_is_bounded_in_memory(monkeypatch):
    greedy = (
        "from consult.confinement import confine; from consult.media import recode;"
        "confine(cpu_seconds=recode.CPU_SECONDS, memory_bytes=recode.MEMORY_BYTES); bytearray(2 * 1024 ** 3)"
    )
    assert recode.MEMORY_BYTES < 2 * 1024**3
    monkeypatch.setattr(pictures, "RECODE", (pictures.RECODE[0], "-c", greedy))
    assert recoded([DRAWING]) == [pictures.KILLED]
