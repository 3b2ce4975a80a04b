"""The form of one picture."""

from __future__ import annotations

from wtforms import FileField, Form, StringField

from consult.questionnaires.models import QuestionOption


class PictureForm(Form):  # type: ignore[misc]  # WTForms has no types
    """A file and its words; several stand on one page, each named after its option."""

    file = FileField(
        "Image",
        description=(
            "JPEG, PNG ou WebP, huit mégaoctets au plus. Elle est réduite, et débarrassée de ce qu’elle dit du lieu, "
            "de la date et de l’appareil."
        ),
        render_kw={"accept": "image/jpeg,image/png,image/webp"},
    )
    alt = StringField(
        "Texte de remplacement",
        description="Ce que montre l’image, pour qui ne la voit pas. Par exemple : une place plantée de tilleuls.",
    )


def form_of(option: QuestionOption) -> PictureForm:
    """The form of an option, with the words that its picture has."""
    return PictureForm(prefix=f"{option.id}-", data={"alt": option.picture.alt if option.picture else ""})
