"""The shared fixtures hold what they promise: every test starts from an empty, real database and real servers."""

import smtplib
from email.message import EmailMessage

import pytest
import redis
from sqlalchemy import func, insert, select

from consult.audit.models import AuditEntry


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_the_database_empty(database, turn, now):
    with database.engine.begin() as connection:
        assert connection.scalar(select(func.count()).select_from(AuditEntry)) == 0
        connection.execute(insert(AuditEntry).values(action=f"turn.{turn}", target_type="test", target_id="1", at=now))


def test_redis_is_real(redis_url):
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


def test_smtp_is_real_and_can_refuse(smtp_server):
    message = EmailMessage()
    message["Subject"] = "Bienvenue à vous"
    message.set_content("Bonjour")
    smtp_server.replies.append("451 plus tard")
    with smtplib.SMTP(smtp_server.host, smtp_server.port, timeout=5) as client:
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(message, "a@example.org", ["b@example.org"])
        client.send_message(message, "a@example.org", ["b@example.org"])
    assert [m["Subject"] for m in smtp_server.to("b@example.org")] == ["Bienvenue à vous"]
