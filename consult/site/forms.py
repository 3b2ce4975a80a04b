"""Forms of the site's own pages."""

from __future__ import annotations

from wtforms import FileField, Form, TextAreaField


class ReceiptForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A receipt that somebody brings back: its file, or what is in it."""

    file = FileField("Fichier du récépissé", description="Le fichier « .tlog-proof » que vous avez gardé.")
    text = TextAreaField(
        "Ou son contenu, collé ici", description="Tout le fichier, de la première à la dernière ligne."
    )
