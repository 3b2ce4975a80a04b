"""What is counted of a request, and under which words."""

import datetime as dt

import pytest

from consult import clock
from consult.audience import policy
from consult.audience.policy import DIRECT, OTHERS


@pytest.mark.parametrize(
    ("rule", "values", "page"),
    [
        ("/", {}, "/"),
        ("/consultations/<slug>", {"slug": "velo"}, "/consultations/velo"),
        ("/consultations/<slug>/<step_slug>", {"slug": "velo", "step_slug": "idees"}, "/consultations/velo/idees"),
        ("/aide/<slug>", {"slug": "participant"}, "/aide/participant"),
        ("/contributions/<uuid:item_id>", {"item_id": "6f"}, "/contributions/*"),
        ("/confirmer/<token>", {"token": "s3cret"}, "/confirmer/*"),
        ("/desabonnement/<slug>", {"slug": "s3cret"}, "/desabonnement/*"),
        ("/fichiers/<any('a', 'b'):name>/<path:rest>", {"name": "a", "rest": "x/y"}, "/fichiers/*/*"),
    ],
)
def test_AT_22_3_a_page_is_named_without_identifier_nor_token(rule, values, page):
    assert policy.page_of(rule, values) == page


@pytest.mark.parametrize(
    ("referrer", "source"),
    [
        ("", DIRECT),
        ("https://www.exemple.fr/recherche?q=mots+secrets#ici", "exemple.fr"),
        ("https://site.example/o/ville/page", None),
        ("https://SITE.example:8443/", None),
        ("https://192.0.2.7/page", OTHERS),
        ("https://[2001:db8::1]/page", OTHERS),
        ("https://[2001:db8::1/page", OTHERS),
        ("https://localhost/", OTHERS),
        ("https://user:pass@mail.exemple.fr/x", "mail.exemple.fr"),
        ("https://a'; DROP TABLE audience_count.fr/", OTHERS),
        ("javascript:alert(1)", OTHERS),
        (f"https://{'a' * 60}.{'b' * 60}.fr/", OTHERS),
    ],
)
def test_only_the_domain_of_a_source_is_kept(referrer, source):
    assert policy.source_of(referrer, "site.example") == source


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "ordinateur"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "téléphone"),
        ("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/128.0 Mobile Safari/537.36", "téléphone"),
        ("Mozilla/5.0 (Linux; Android 13; SM-X200) AppleWebKit/537.36 Chrome/128.0 Safari/537.36", "tablette"),
        ("Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148", "tablette"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", None),
        ("curl/8.9.1", None),
        ("python-requests/2.32", None),
        ("", None),
    ],
)
def test_devices_are_three_classes_and_robots_none(agent, device):
    assert policy.device_of(agent) == device


@pytest.mark.parametrize("day", [dt.date(2026, 3, 29), dt.date(2026, 10, 25), dt.date(2026, 7, 14)])
def test_a_day_is_that_of_paris_on_the_nights_of_change_too(day):
    first, after = (clock.hour_number(clock.start_of(each)) for each in (day, day + dt.timedelta(days=1)))
    assert after - first == {3: 23, 10: 25, 7: 24}[day.month]
    assert {policy.day_of(hour) for hour in range(first, after)} == {first}
