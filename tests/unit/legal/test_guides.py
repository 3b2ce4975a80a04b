"""The guides: one for each audience, of this version, without a dead link, in typographic French."""

import re

import pytest

import consult
from consult.site.guides import ORDER, guides
from tests.e2e.test_pictures import TAKEN

GUIDES = {guide.slug: guide for guide in guides()}
PUBLIC_PATHS = {
    *(
        "charte",
        "donnees-personnelles",
        "corbeille",
        "moderation",
        "donnees-ouvertes",
        "contact",
        "recepisse",
        "recepisse/verifier",
        "registre",
        "registry/",
        "cas-d-usage",
        "droits",
        "assistance",
    ),
    "api/reference",
}


def test_AT_3_1_there_is_a_guide_for_each_audience_and_no_other():
    assert list(GUIDES) == list(ORDER)


@pytest.mark.parametrize("slug", ORDER)
def test_AT_3_1_each_guide_is_of_this_version_and_leads_somewhere(slug):
    guide = GUIDES[slug]
    assert guide.version == consult.__version__
    assert guide.html.startswith("<p>") or guide.html.startswith("<h2>")  # the page gives the title
    for link in re.findall(r'href="([^"]+)"', guide.html):
        if link.startswith(("http://", "https://")):
            continue
        # Relative, so that they hold under /o/<organisation> too.
        assert link in GUIDES or link.removeprefix("../") in {*PUBLIC_PATHS, "reponse-par-code", "invitation"}, link


@pytest.mark.parametrize("slug", ORDER)
def test_the_prose_is_typographic_french(slug):
    prose = re.sub(r"<(code|pre)>.*?</\1>", "", GUIDES[slug].html, flags=re.DOTALL)
    text = re.sub(r"<[^>]+>", " ", prose)
    assert not re.search(r"(?<=\w)'(?=\w)", text)
    assert not re.search(r" [;!?»](?=\s|$)|« ", text)
    assert not re.search(r"\w :\s", text)


def test_every_picture_is_one_that_the_tests_take_and_says_what_it_shows():
    shown = [picture for guide in GUIDES.values() for picture in re.findall(r"<img[^>]*>", guide.html)]
    assert len(shown) >= 8
    for picture in shown:
        name, width, height = re.search(
            r'src="/static/img/guides/([a-z-]+\.png)" .*width="(\d+)" height="(\d+)"', picture
        ).groups()
        assert TAKEN[name][2:] == (int(width), int(height))
        assert len(re.search(r'alt="([^"]*)"', picture)[1]) > 15
