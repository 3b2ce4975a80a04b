"""Mails leave with the act that causes them, through a real SMTP server, and leave nothing personal behind."""

import datetime as dt
import email
import email.policy
import stat
import uuid
from dataclasses import replace

import jinja2
import pytest
from sqlalchemy import func, select

from consult.clock import now as real_now
from consult.db import ALL_TENANTS
from consult.errors import InvalidError
from consult.jobs.models import Job, JobState
from consult.jobs.worker import Worker
from consult.mail import service
from consult.mail.jobs import DeliverMail, PruneMails, mail_folder
from consult.mail.models import OutgoingMail
from consult.settings import Settings
from tests.servers import free_port

CONTEXT = {
    "organisation_name": "Agence des mobilités",
    "site_url": "https://consultation.example.fr",
    "pseudonym": "Zoé <b>",
    "title": "Vélo & piétons",
    "link": "https://consultation.example.fr/confirmer?jeton=abc",
}


@pytest.fixture(autouse=True)
def _templates(monkeypatch):
    """Two mails of the tests beside the platform's layouts."""
    own = jinja2.DictLoader(
        {
            "mail/essai.txt": "{% extends 'mail/layout.txt' %}{% block subject %}Merci : {{ title }}{% endblock %}"
            "{% block body %}Bonjour {{ pseudonym }},\n\nVotre lien :\n{{ link }}{% endblock %}",
            "mail/riche.txt": "{% extends 'mail/layout.txt' %}{% block subject %}Merci{% endblock %}"
            "{% block body %}Bonjour {{ pseudonym }}{% endblock %}",
            "mail/riche.html": "{% extends 'mail/layout.html' %}{% block body %}<p>Bonjour {{ pseudonym }}</p>"
            "{% endblock %}",
        }
    )
    monkeypatch.setattr(
        service.ENVIRONMENT, "loader", jinja2.ChoiceLoader([own, service.ENVIRONMENT.loader]), raising=True
    )


@pytest.fixture
def send(database, organisation_id):
    def send(to="zoe@example.fr", template="essai", **context):
        with database.transaction(tenant=organisation_id) as session:
            return service.send(
                session,
                organisation_id=organisation_id,
                to=to,
                template=template,
                context=CONTEXT | context,
                now=real_now(),
            ).id

    return send


@pytest.fixture
def smtp_settings(smtp_server, tmp_path):
    return Settings(
        smtp_host=smtp_server.host,
        smtp_port=smtp_server.port,
        mail_from="Consultation de l’agence <ne-pas-repondre@example.fr>",
        data_dir=str(tmp_path / "data"),
    )


@pytest.fixture
def deliver(database, smtp_settings):
    def deliver(settings=smtp_settings, now=real_now):
        return Worker(database, {DeliverMail.kind: DeliverMail(settings)}, now=now, random=lambda: 0.0).run_once()

    return deliver


def rows(database, model):
    with database.session(write=False, tenant=ALL_TENANTS) as session:
        return list(session.scalars(select(model)))


def test_a_mail_arrives_in_plain_french_with_its_headers(send, deliver, smtp_server):
    send()
    assert deliver()
    ((sender, recipients),) = smtp_server.envelopes
    assert (sender, recipients) == ("ne-pas-repondre@example.fr", ["zoe@example.fr"])
    (message,) = smtp_server.messages
    assert message["From"] == "Consultation de l’agence <ne-pas-repondre@example.fr>"
    assert (message["To"], message["Subject"]) == ("zoe@example.fr", "Merci : Vélo & piétons")
    assert (message["Auto-Submitted"], message["Content-Language"]) == ("auto-generated", "fr")
    assert message["Message-ID"].endswith("@example.fr>")
    assert abs(email.utils.parsedate_to_datetime(message["Date"]) - real_now()) < dt.timedelta(minutes=1)
    assert message.get_content_type() == "text/plain"
    text = message.get_content().replace("\r\n", "\n")
    assert text.startswith("Bonjour Zoé <b>,")
    assert "\nhttps://consultation.example.fr/confirmer?jeton=abc\n\n-- \nAgence des mobilités\n" in text
    assert text.rstrip().endswith("ne sont pas lues.")


def test_the_html_part_escapes_what_people_typed_and_calls_nobody(send, deliver, smtp_server):
    send(template="riche")
    assert deliver()
    text, html = smtp_server.messages[0].iter_parts()
    assert "Bonjour Zoé <b>" in text.get_content()
    assert "<p>Bonjour Zoé &lt;b&gt;</p>" in html.get_content()
    assert 'lang="fr"' in html.get_content()
    for remote in ("src=", "<img", "<link", "<script"):
        assert remote not in html.get_content()


def test_a_mail_rolled_back_never_leaves(database, organisation_id, deliver):
    with database.session(write=True, tenant=organisation_id) as session:
        service.send(
            session, organisation_id=organisation_id, to="a@example.fr", template="essai", context=CONTEXT,
            now=real_now(),
        )  # fmt: skip
        session.rollback()
    assert not deliver()
    assert rows(database, OutgoingMail) == []


def test_once_sent_neither_address_nor_text_remains(database, send, deliver):
    send(template="riche")
    deliver()
    (mail,) = rows(database, OutgoingMail)
    assert (mail.recipient, mail.subject, mail.text, mail.html) == (None, None, None, None)
    assert mail.sent_at is not None
    (job,) = rows(database, Job)
    assert (job.state, job.payload) == (JobState.DONE, {"mail": str(mail.id)})


def test_a_server_that_says_later_gets_the_same_mail_later(database, send, deliver, smtp_server):
    smtp_server.replies[:] = ["451 4.3.0 plus tard"]
    send()
    assert deliver()
    (job,) = rows(database, Job)
    assert (job.state, job.error) == (
        JobState.WAITING,
        "Le serveur de messagerie demande d’attendre (code 451).",
    )
    assert not deliver(), "the back-off is not over"
    assert deliver(now=lambda: real_now() + dt.timedelta(seconds=11))
    assert len(smtp_server.messages) == 1
    assert rows(database, Job)[0].state is JobState.DONE


def test_a_server_that_is_away_is_tried_again(database, send, deliver, tmp_path):
    send()
    away = Settings(smtp_host="127.0.0.1", smtp_port=free_port(), data_dir=str(tmp_path))
    assert deliver(away)
    (job,) = rows(database, Job)
    assert (job.state, job.attempts) == (JobState.WAITING, 1)
    assert "ne répond pas" in job.error
    assert rows(database, OutgoingMail)[0].text is not None


def test_a_server_that_refuses_for_good_fails_the_job_without_telling_the_address(database, send, deliver, smtp_server):
    smtp_server.replies[:] = ["550 5.1.1 zoe@example.fr unknown"]
    send()
    assert deliver()
    (job,) = rows(database, Job)
    assert (job.state, job.error) == (JobState.FAILED, "Le serveur de messagerie a refusé ce courriel (code 550).")


def test_starttls_is_never_given_up_for_clear_text(database, send, deliver, smtp_server, smtp_settings):
    send()
    deliver(replace(smtp_settings, smtp_tls="starttls"))  # this server has none
    assert smtp_server.messages == []
    assert rows(database, Job)[0].state is JobState.FAILED


def test_without_a_server_mails_are_files_that_their_owner_alone_reads(database, send, deliver, tmp_path):
    settings = Settings(data_dir=str(tmp_path / "data"))
    send()
    assert deliver(settings)
    (path,) = mail_folder(settings).iterdir()
    assert path.suffix == ".eml"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert message["To"] == "zoe@example.fr"
    assert "jeton=abc" in message.get_content()


def test_an_erased_mail_is_not_sent(database, send, deliver, smtp_server):
    mail_id = send()
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.delete(session.get(OutgoingMail, mail_id))
    assert deliver()
    assert smtp_server.messages == []
    assert rows(database, Job)[0].state is JobState.DONE


@pytest.mark.parametrize(
    "title",
    ["Salut\nBcc: victime@example.org", "Salut\r\nBcc: victime@example.org", "Salut\u2028Bcc: x", "a\x00b\x85c"],
)
def test_a_subject_cannot_add_a_header(send, deliver, smtp_server, title):
    send(title=title)
    assert deliver()
    (message,) = smtp_server.messages
    assert message["Bcc"] is None
    assert message["Subject"].startswith("Merci : ")
    assert smtp_server.envelopes[0][1] == ["zoe@example.fr"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "zoe",
        "zoe@",
        "@example.fr",
        "zoe@exa mple.fr",
        "zoe@example.fr\nBcc: victime@example.org",
        "zoe@example.fr\r\nBcc: victime@example.org",
        "zoe@example.fr,victime@example.org",
        "zoe@example.fr>, <victime@example.org",
        "Zoé <zoe@example.fr>",
        "zoe@a@example.fr",
        "zoe\u200b@example.fr",
        "zoe@exa..mple.fr",
        "z" * 250 + "@example.fr",
    ],
)
def test_an_address_that_would_break_a_header_is_refused_and_nothing_is_queued(database, send, address):
    with pytest.raises(InvalidError, match="adresse électronique") as refusal:
        send(to=address)
    assert set(refusal.value.fields) == {"email"}
    assert rows(database, OutgoingMail) == rows(database, Job) == []


def test_an_international_domain_is_written_in_ascii(send, deliver, smtp_server):
    send(to=" zoe@münchen.example ")
    assert deliver()
    assert smtp_server.envelopes[0][1] == ["zoe@xn--mnchen-3ya.example"]


def test_a_template_that_names_what_it_was_not_given_is_a_fault(database, organisation_id):
    with database.session(write=True, tenant=organisation_id) as session, pytest.raises(jinja2.UndefinedError):
        service.send(
            session, organisation_id=organisation_id, to="a@example.fr", template="essai", context={}, now=real_now()
        )


def test_old_mails_are_forgotten_sent_or_not(database, send, deliver):
    send()
    deliver()
    send()
    later = real_now() + dt.timedelta(days=31)
    recent = send()
    with database.transaction(tenant=ALL_TENANTS) as session:
        session.get(OutgoingMail, recent).created_at = later
        handler = PruneMails(now=lambda: later)
        assert [progress.done for progress in handler.run(session, {}, {})] == [2]
    assert [mail.id for mail in rows(database, OutgoingMail)] == [recent]


def test_mails_of_one_organisation_are_not_seen_by_another(database, send):
    send()
    with database.session(write=False, tenant=uuid.uuid4()) as session:
        assert session.scalar(select(func.count()).select_from(OutgoingMail)) == 0
