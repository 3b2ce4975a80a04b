"""Pages as tagged PDF files that anyone can read: in French, nothing fetched, the same bytes for the same page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from consult.errors import UnavailableError

MEDIA_TYPE: Final = "application/pdf"
STYLE: Final = Path(__file__).with_name("templates") / "print.css"
VARIANT: Final = "pdf/ua-1"
LACKING: Final = "Ce serveur ne peut pas écrire de PDF\u00a0: la bibliothèque Pango lui manque. Prenez le fichier DOCX."


def written(page: str) -> bytes:
    """The file of a whole HTML page, in the style of print.css. Raises UnavailableError without what it needs."""
    try:
        from weasyprint import CSS, HTML  # here and not above: it takes a second, that only those who write a PDF spend
        from weasyprint.urls import URLFetcher
    except OSError:
        raise UnavailableError(LACKING) from None
    # What a page shows is within it: neither a file of the server nor another machine is ever asked.
    fetcher = URLFetcher(allowed_protocols={"data"})
    style = CSS(string=STYLE.read_text(encoding="utf-8"), url_fetcher=fetcher)
    content: bytes = HTML(string=page, url_fetcher=fetcher).write_pdf(stylesheets=[style], pdf_variant=VARIANT)
    return content
