"""What the author of a content is told of a decision, by mail: facts, ground, whether a machine took part, recourse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy.orm import Session

from consult.consultations.labels import GROUNDS
from consult.mail import service as mail
from consult.moderation import policy
from consult.moderation.models import Act, Decision
from consult.organisations.models import Organisation
from consult.protocols import ModerableItem

TEMPLATES: Final = {
    Act.HIDE: "moderation_hidden",
    Act.RESTORE: "moderation_restored",
    Act.UPHOLD: "moderation_upheld",
    Act.PUBLISH: "moderation_published",
    Act.REWORD: "moderation_reword",
}


@dataclass(frozen=True, slots=True)
class Links:
    """The absolute addresses that the mails name."""

    site: str
    charter: str
    contest: Callable[[str], str]


def preview(
    item: ModerableItem,
    said: tuple[Act, str, str],
    organisation: Organisation,
    links: Links,
    now: dt.datetime,
    *,
    automated: bool,
) -> str:
    """The mail that the author would receive, as text; the link it would hold is not made yet. Raises InvalidError.

    `said`: the act, its ground, its words; `automated`: see `policy.automated`.
    """
    policy.check_words(*said)
    context = _context(item, said, organisation, links, "(lien personnel)", now, automated=automated)
    return mail.ENVIRONMENT.get_template(f"mail/{TEMPLATES[said[0]]}.txt").render(context).strip()


def tell(
    session: Session,
    author: str,
    item: ModerableItem,
    decision: Decision,
    organisation: Organisation,
    links: Links,
    token: str | None,
    now: dt.datetime,
) -> None:
    """Tell an author, at that address, of a decision that concerns them; nothing of one that changes nothing."""
    template = TEMPLATES.get(decision.act)
    if template is None:
        return
    contest = links.contest(token) if token else ""
    said = decision.act, decision.ground or "", decision.message
    context = _context(item, said, organisation, links, contest, now, automated=decision.automated)
    mail.send(session, organisation_id=organisation.id, to=author, template=template, context=context, now=now)


def _context(
    item: ModerableItem,
    said: tuple[Act, str, str],
    organisation: Organisation,
    links: Links,
    contest: str,
    now: dt.datetime,
    *,
    automated: bool,
) -> dict[str, Any]:
    _, ground, message = said
    basis = GROUNDS.get(ground)
    return {
        "organisation_name": organisation.name,
        "site_url": links.site,
        "title": item.title,
        "quote": policy.quote(item.body),
        "published_at": item.created_at,
        "decided_at": now,
        "ground": basis.label if basis else "",
        "article": basis.article if basis else 0,
        "message": message.strip(),
        "automated": automated,
        "charter": links.charter,
        "contest": contest,
        "address": f"{links.site}{item.address}",
    }
