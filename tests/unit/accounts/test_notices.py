"""Every mail there is has its notice: wanted or declined, or sent to everybody for a reason that is said."""

import itertools
import re
from collections import Counter
from pathlib import Path

import pytest

import consult
from consult.accounts.models import Account
from consult.accounts.notices import policy
from consult.actor import Role
from consult.mail.service import ENVIRONMENT

FOLDER = Path(consult.__file__).parent / "templates" / "mail"
LAYOUTS = {"layout", "chosen"}
MAILS = sorted({path.stem for path in FOLDER.iterdir()} - LAYOUTS)
DECLINED = [template for notice in policy.CHOSEN for template in notice.templates]


def test_each_mail_is_in_one_notice_and_no_notice_names_another():
    named = Counter(itertools.chain.from_iterable(notice.templates for notice in policy.NOTICES))
    assert sorted(named) == MAILS
    assert set(named.values()) == {1}


def test_each_notice_may_be_declined_or_says_why_not():
    for notice in policy.NOTICES:
        assert bool(notice.column) is not bool(notice.why), notice.name
        assert notice.name
        assert notice.said.endswith(".")


@pytest.mark.parametrize("template", MAILS)
def test_those_that_may_be_declined_give_the_link_that_does_and_no_other(template):
    """They cannot be rendered without it: `mail.send` alone cannot send them."""
    source = (FOLDER / f"{template}.txt").read_text()
    assert re.match(r'{% extends "mail/(chosen|layout).txt" %}', source)[1] == (
        "chosen" if template in DECLINED else "layout"
    )
    assert "decline_url" not in source
    assert template in DECLINED or not (FOLDER / f"{template}.html").exists()


def test_the_link_is_in_the_layout_of_those_that_may_be_declined():
    wanted = {"decline_url": "https://exemple.fr/x", "organisation_name": "", "site_url": ""}
    mail = ENVIRONMENT.from_string("{% extends 'mail/chosen.txt' %}{% block body %}Bonjour.{% endblock %}")
    assert "Ne plus recevoir ces courriels : https://exemple.fr/x\n" in mail.render(wanted)


@pytest.mark.parametrize("notice", policy.CHOSEN, ids=lambda notice: notice.column)
def test_the_rule_is_the_column_of_the_account(notice):
    for wanted in (True, False):
        assert policy.wants(Account(**{notice.column: wanted}), notice) is wanted
    assert policy.of_column(notice.column) is notice
    assert all(policy.chosen(template) is notice for template in notice.templates)


@pytest.mark.parametrize("column", ["", "id", "status", "pseudonym"])
def test_no_other_column_is_a_choice(column):
    assert policy.of_column(column) is None


def test_a_mail_that_may_not_be_declined_has_no_choice():
    with pytest.raises(KeyError):
        policy.chosen("moderation_hidden")


def test_participants_are_not_asked_about_the_mails_of_staff():
    told = {notice.column for notice in policy.CHOSEN if notice.concerns(())}
    assert told == {"told_when_answered", "told_of_answers", "told_of_followed"}
    assert {notice.column for notice in policy.CHOSEN if notice.concerns({Role.MODERATOR})} == told | {
        "told_of_reports"
    }
