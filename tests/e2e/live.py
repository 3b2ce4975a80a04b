"""A whole platform as visitors meet it: web processes, a worker, mails that leave, the demonstration loaded."""

import contextlib
import datetime as dt
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from consult.actor import Role
from consult.db import ALL_TENANTS, Database
from consult.demo import visitors
from tests.servers import SmtpServer, accepts, free_port, wait_until

ROOT = Path(__file__).parents[2]
CONSULTATION = "/consultations/nos-trajets-de-tous-les-jours"
PROPOSALS = f"{CONSULTATION}/vos-propositions"
BILL = f"{CONSULTATION}/projet-de-loi"
QUESTIONNAIRE = f"{CONSULTATION}/votre-quotidien"
STAFF = "/gestion" + CONSULTATION
PASSWORD = "crayon-wagon-brume-ocre"
PATIENCE = 30_000  # ms; the machine may be busy
expect.set_options(timeout=PATIENCE)


@dataclass(frozen=True)
class Platform:
    """A served demonstration."""

    url: str
    database: Database
    smtp: SmtpServer

    def rows(self, model: Any, **values: Any) -> list[Any]:
        """Rows of any organisation that hold these values."""
        with self.database.transaction(tenant=ALL_TENANTS, write=False) as session:
            found = list(session.scalars(select(model).filter_by(**values)))
            session.expunge_all()
            return found

    def mail(self, address: str, subject: str) -> EmailMessage:
        """Wait for a mail; the worker sends them."""

        def arrived() -> EmailMessage | None:
            return next((mail for mail in self.smtp.to(address) if subject in str(mail["subject"])), None)

        return wait_until(arrived, seconds=60, what=f"a mail « {subject} » to {address}")


@contextlib.contextmanager
def serving(folder: Path, **settings: str) -> Iterator[Platform]:
    """Run `consult serve` on the database and the data of this folder, with a mail server of its own."""
    port, url = free_port(), f"sqlite:///{folder}/consult.db"
    own = {name: value for name, value in os.environ.items() if not name.startswith("CONSULT_")}
    with SmtpServer().running() as smtp:
        environment = {
            **own,
            "DATABASE_URL": url,
            "PORT": str(port),
            "CONSULT_DATA_DIR": str(folder / "data"),
            "CONSULT_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "CONSULT_SMTP_HOST": smtp.host,
            "CONSULT_SMTP_PORT": str(smtp.port),
            **settings,
        }
        with (folder / "serve.log").open("w") as log:
            command = [sys.executable, "-m", "consult.cli", "serve"]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
            try:
                wait_until(lambda: accepts(port) or process.poll() is not None, seconds=90, what="consult serve")
                assert process.poll() is None, Path(log.name).read_text()
                platform = Platform(f"http://127.0.0.1:{port}", Database(url), smtp)
                yield platform
                platform.database.dispose()
            finally:
                process.terminate()
                process.wait(60)


@contextlib.contextmanager
def watched_tab(browser: Browser, platform: Platform, **options: Any) -> Iterator[Page]:
    """A French visitor's tab. Console errors, scripts that fail and requests to another origin are collected in
    `page.faults` and refused at the end; a test that provokes one empties the list.
    """
    options = {"viewport": {"width": 1280, "height": 900}, "locale": "fr-FR", "timezone_id": "Europe/Paris"} | options
    context = browser.new_context(base_url=platform.url, **options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    watch(page, platform)
    yield page
    context.close()
    assert not page.faults, page.faults


def watch(page: Page, platform: Platform) -> None:
    """Collect what goes wrong on a page."""
    page.faults = faults = []
    local = (platform.url, "data:", "blob:", "about:")
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda said: faults.append(f"{said.text} {said.location}") if said.type == "error" else None)
    page.on("request", lambda request: None if request.url.startswith(local) else faults.append(request.url))


def sign_in(page: Page, email: str, password: str = visitors.PASSWORD) -> None:
    """Type an address and a password."""
    page.goto("/connexion")
    page.get_by_label("Adresse électronique").fill(email)
    page.locator("#password").fill(password)
    page.get_by_role("main").get_by_role("button", name="Se connecter").click()
    page.wait_for_url(lambda url: "/connexion" not in url)


def sign_in_as(page: Page, role: Role) -> None:
    """Sign in as a visitor of the demonstration, with the one-time code if the role asks for one."""
    sign_in(page, f"{role.value}@demo.example")
    if role is Role.PARTICIPANT:
        return
    page.goto("/gestion")
    code = page.get_by_label("Code à usage unique")
    expect(code).to_be_visible()
    totp = pyotp.TOTP(visitors.TOTP_SECRET)
    if totp.interval - time.time() % totp.interval < 3:  # it would end while it is sent
        page.wait_for_timeout(3_000)
    code.fill(visitors.code(dt.datetime.now(dt.UTC)))
    page.get_by_role("button", name="Continuer").click()
    page.wait_for_url("**/gestion")


def address_in(mail: EmailMessage, path: str) -> str:
    """The first address under that path in the text of a mail."""
    text = mail.get_body(("plain",)).get_content()
    found = re.search(rf"https?://\S*{re.escape(path)}\S*", text)
    assert found, text
    return found.group()
