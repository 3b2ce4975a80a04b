import numpy as np

from analysis.semantic.campaigns import find_campaigns
from tests.unit.analysis.semantic.test_duplicates import families, read

LETTER = (
    "Madame, Monsieur, je soussigné {name}, demeurant à {town} depuis de longues années, vous demande par la présente "
    "de rétablir la ligne de train de nuit supprimée en {year}, car elle rendait de grands services aux habitants de "
    "{town} et des communes voisines, et {own}. Veuillez agréer mes salutations."
)
OWN = ["mes enfants étudient loin", "je ne conduis plus depuis mon accident", "nous manquons de tout ici"]


def letters():
    return [LETTER.format(name=f"nom{n}", town=f"ville{n}", year=2000 + n, own=OWN[n % 3]) for n in range(6)]


def noise(count):
    return families(count, 1, 40, seed=9)


def test_copies_make_a_campaign_with_its_authors_and_dates():
    texts = [*noise(3), *["Nous demandons la gratuité des transports publics pour tous les habitants de la région"] * 4]
    authors = [None, None, None, "a", "b", "b", None]
    dates = [None, None, None, "2026-03-04", "2026-03-02", None, "2026-03-09"]
    found = find_campaigns(read(texts), authors=authors, dates=dates)
    [campaign] = found.campaigns
    assert (campaign.size, campaign.wordings, campaign.kinds, campaign.texts) == (4, 1, ("exact",), (3, 4, 5, 6))
    assert (campaign.authors, campaign.first, campaign.last) == (2, "2026-03-02", "2026-03-09")
    assert not campaign.single_author
    assert campaign.template is None


def test_one_author_repeating_himself_is_flagged_apart():
    texts = ["Je demande encore une fois que la piscine soit ouverte le dimanche matin"] * 3
    assert find_campaigns(read(texts), authors=["a", "a", "a"]).campaigns[0].single_author
    assert not find_campaigns(read(texts)).campaigns[0].single_author


def test_a_letter_with_filled_in_places_is_a_template():
    found = find_campaigns(read([*noise(5), *letters()]))
    [campaign] = found.campaigns
    assert campaign.texts == (5, 6, 7, 8, 9, 10)
    assert "template" in campaign.kinds
    assert campaign.template.startswith("madame monsieur je soussigné […]")
    assert "de longues années vous demande par la présente" in campaign.template
    assert "nom" not in campaign.template


def test_letters_that_share_only_their_opening_are_found_by_it():
    opening = "Citoyen inquiet de ma ville je vous écris au sujet de notre avenir commun"
    texts = [f"{opening} {tail}" for tail in families(4, 1, 60, seed=2)]
    found = find_campaigns(read([*noise(4), *texts]))
    [campaign] = found.campaigns
    assert campaign.kinds == ("opening",)
    assert campaign.texts == (4, 5, 6, 7)


def test_planted_families_are_found_and_independent_texts_are_not():
    texts = [*noise(30), *families(8, 6, 60, seed=5)]
    found = find_campaigns(read(texts))
    assert (found.family[:30] == -1).all()
    for family in range(8):
        assert len(set(found.family[30 + 6 * family : 36 + 6 * family].tolist())) == 1
    assert len(found.campaigns) == 8


def test_repeated_short_answers_are_duplicates_but_no_campaign():
    found = find_campaigns(read(["Baisser les impôts"] * 20))
    assert found.campaigns == ()
    assert set(found.duplicates.exact.tolist()) == {0}
    assert found.first_only.all()


def test_figures_without_campaigns_keep_one_text_of_each():
    found = find_campaigns(read([*letters(), *noise(2)]))
    assert found.first_only.tolist() == [True, *[False] * 5, True, True]


def test_two_copies_are_not_yet_a_campaign():
    text = "Nous demandons la gratuité des transports publics pour tous les habitants de la région"
    assert find_campaigns(read([text, text])).campaigns == ()
    assert len(find_campaigns(read([text, text]), smallest=2).campaigns) == 1


def test_nothing_has_no_campaign():
    found = find_campaigns(read([]))
    assert found.campaigns == ()
    assert found.first_only.dtype == np.bool_
