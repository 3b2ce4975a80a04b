"""Pages as PDF files."""

import io

import pytest
from pypdf import PdfReader

from consult import pdf

PAGE = (
    '<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Le titre</title>'
    '<meta name="dcterms.created" content="2026-10-05T08:00:00Z"></head>'
    "<body><h1>Le titre</h1><p>L’été où l’œuvre naît.</p>{}</body></html>"
)


def test_a_page_is_a_tagged_french_file_of_the_same_bytes():
    content = pdf.written(PAGE.format(""))
    assert content == pdf.written(PAGE.format(""))
    read = PdfReader(io.BytesIO(content))
    catalogue = read.trailer["/Root"]
    assert catalogue["/Lang"] == "fr"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert read.metadata.title == "Le titre"
    assert "L’été où l’œuvre naît." in read.pages[0].extract_text()


@pytest.mark.parametrize("address", ["https://exemple.invalid/x.png", "file:///etc/passwd"])
def test_nothing_is_fetched(address):
    content = pdf.written(PAGE.format(f'<img src="{address}" alt="rien">'))
    assert "/Image" not in str(PdfReader(io.BytesIO(content)).pages[0].get("/Resources"))
