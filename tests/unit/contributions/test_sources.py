"""Sources that a version cites: what a reader can open, and nothing that could be something else."""

import pytest

from consult.contributions.bill.policy import check_version, read_sources, written_sources
from consult.errors import InvalidError

GOOD = "https://www.exemple.fr/rapport?page=2#fin Rapport sur les trajets"


def test_one_source_a_line_and_each_address_once():
    typed = f"{GOOD}\r\n\n  http://été.exemple.fr   Une  autre \n{GOOD} bis"
    assert read_sources(typed) == [
        {"url": "https://www.exemple.fr/rapport?page=2#fin", "title": "Rapport sur les trajets"},
        {"url": "http://été.exemple.fr", "title": "Une autre"},
    ]
    assert read_sources(written_sources(read_sources(typed))) == read_sources(typed)
    assert read_sources(" \n ") == []


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://exemple.fr/f", "//exemple.fr", "exemple.fr", "https://",
        "https://localhost/x", "https://127.0.0.1/x", "https://[::1]/x", "https://exemple.fr:99999/",
        "https://moi:secret@exemple.fr/", 'https://exemple.fr/"onclick', "https://[exemple.fr/", "https://.fr/",
        "https://exemple.fr/" + "a" * 500, "https://2130706433/",
    ],
)  # fmt: skip
def test_what_is_no_public_address_is_refused_by_its_line(url):
    with pytest.raises(InvalidError) as refusal:
        read_sources(f"{GOOD}\n{url} Un titre")
    assert refusal.value.fields["sources"].startswith("Source 2")


def test_a_source_has_a_title_and_there_are_ten_at_most():
    with pytest.raises(InvalidError, match="titre est vide"):
        read_sources("https://exemple.fr")
    with pytest.raises(InvalidError, match="11 sources"):
        read_sources("\n".join(f"https://exemple.fr/{n} Titre" for n in range(11)))


def test_a_version_changes_something():
    reason = "Les apprentis n’ont pas de revenu."
    check_version("Pour tous", "Les trajets sont gratuits pour tous.", reason, "Les trajets sont gratuits.")
    with pytest.raises(InvalidError) as refusal:
        check_version("Pour", "Les  trajets\u00a0sont gratuits .", "Court.", "Les trajets sont gratuits.")
    assert set(refusal.value.fields) == {"title", "body", "reason"}
    assert "la même chose" in refusal.value.fields["body"]
