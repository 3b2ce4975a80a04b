from difflib import SequenceMatcher

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


def held(model, text):
    """The part of the model that stands in a text, in the same order."""
    model, text = model.split(), text.split()
    blocks = SequenceMatcher(None, model, text, autojunk=False).get_matching_blocks()
    return sum(block.size for block in blocks) / len(model)


def assert_like_their_models(campaigns, texts):
    for campaign in campaigns:
        assert all(held(texts[campaign.model], texts[member]) >= 0.5 for member in campaign.texts)


def paragraphs(count, words, seed):
    draws = np.random.default_rng(seed)
    return [" ".join(f"mot{n}" for n in draws.integers(0, 4_000, size=words)) for _ in range(count)]


def test_texts_that_follow_one_another_by_their_paragraphs_make_no_single_family():
    """Each text shares four paragraphs of five with the next, the first and the last share none: no family of forty."""
    parts = paragraphs(44, 16, seed=3)
    texts = [" ".join(parts[n : n + 5]) for n in range(40)]
    found = find_campaigns(read(texts))
    assert 3 <= max(campaign.size for campaign in found.campaigns) <= 5
    assert_like_their_models(found.campaigns, texts)


def test_a_wording_that_drifts_leaves_its_family_when_it_no_longer_looks_like_its_model():
    words = paragraphs(1, 180, seed=4)[0].split()
    texts = [" ".join(words[2 * n : 2 * n + 60]) for n in range(60)]
    found = find_campaigns(read(texts))
    assert len(set(found.duplicates.groups.tolist())) == 1
    assert 10 <= found.campaigns[0].size <= 31
    assert_like_their_models(found.campaigns, texts)


def test_a_text_between_two_campaigns_does_not_join_them():
    one, two = paragraphs(2, 40, seed=6)
    own = paragraphs(13, 8, seed=7)
    first = [f"{own[n]} {one}" for n in range(6)]
    second = [f"{own[6 + n]} {two}" for n in range(6)]
    found = find_campaigns(read([*first, *second, f"{own[12]} {one} {two}"]))
    assert len(found.campaigns) == 2
    assert len(set(found.family[:6].tolist())) == len(set(found.family[6:12].tolist())) == 1
    assert found.family[0] != found.family[6]


def test_nearly_all_near_duplicates_of_planted_families_stay_together():
    texts = families(60, 20, 60, seed=8)
    found = find_campaigns(read(texts))
    together = found.family[found.duplicates.pairs]
    assert (found.duplicates.similarity >= 0.8).all()
    assert len(together) > 700
    assert ((together[:, 0] == together[:, 1]) & (together[:, 0] >= 0)).mean() >= 0.98
    assert len(found.campaigns) == 60
