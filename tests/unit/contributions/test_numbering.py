"""Numbers of the parts of a bill, compared with what French codes and bills print."""

import uuid
from dataclasses import dataclass, field

import pytest

from consult.contributions.bill.numbering import height, outline, roman
from consult.contributions.models import Level


@dataclass
class Part:
    level: Level
    parent: "Part | None" = None
    number: str = ""
    heading: str = ""
    position: int = 0
    id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def parent_id(self):
        return self.parent.id if self.parent else None


def placed(*parts):
    for place, part in enumerate(parts):
        part.position = place
    return parts


def names(*parts):
    return [line.name for line in outline(placed(*parts))]


# Livre des procédures: the Constitution, the codes and the Imprimerie nationale write « Ier », then IV, IX, XL.
@pytest.mark.parametrize(
    ("number", "written"),
    [
        (1, "Ier"),
        (2, "II"),
        (4, "IV"),
        (9, "IX"),
        (14, "XIV"),
        (19, "XIX"),
        (40, "XL"),
        (99, "XCIX"),
        (1994, "MCMXCIV"),
    ],
)
def test_roman_numbers(number, written):
    assert roman(number) == written


def test_articles_are_numbered_through_the_bill_and_divisions_within_what_holds_them():
    first, second = Part(Level.TITLE), Part(Level.TITLE)
    assert names(
        first, Part(Level.CHAPTER, first), Part(Level.ARTICLE, first), Part(Level.ARTICLE, first),
        second, Part(Level.CHAPTER, second), Part(Level.CHAPTER, second), Part(Level.ARTICLE, second),
        Part(Level.SECTION), Part(Level.ANNEX), Part(Level.PART),
    ) == [
        "Titre Ier", "Chapitre Ier", "Article 1er", "Article 2", "Titre II", "Chapitre Ier", "Chapitre II",
        "Article 3", "Section 1", "Annexe 1", "Partie 1",
    ]  # fmt: skip


def test_a_typed_number_stands_and_the_count_goes_on():
    article = [Part(Level.ARTICLE, number=number) for number in ("", "1er bis", "", "12", "", "L. 121-3", "", "²")]
    assert [name.removeprefix("Article ") for name in names(*article)] == [
        "1er", "1er bis", "2", "12", "13", "L. 121-3", "14", "²",
    ]  # fmt: skip


def test_a_heading_without_a_number_has_no_name():
    line = outline(placed(Part(Level.HEADING, heading="Dispositions finales")))[0]
    assert (line.name, line.title) == ("", "Dispositions finales")


def test_a_line_says_where_it_stands():
    title = Part(Level.TITLE, heading="Des transports")
    chapter = Part(Level.CHAPTER, title)
    article = Part(Level.ARTICLE, chapter, heading="Gratuité")
    lines = outline(placed(title, chapter, article))
    assert lines[2].path == ("Titre Ier – Des transports", "Chapitre Ier")
    assert (lines[2].title, lines[2].depth) == ("Article 1er – Gratuité", 2)
    assert [height(lines, each.id) for each in (title, chapter, article)] == [3, 2, 1]
