"""Writing, changing and withdrawing proposals and arguments; hiding and restoring them.

Each act locks the account's row first: one act of an account at a time, so that a double click or two hundred parallel
requests find what the first one did. The database's unique constraints stand behind.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.orm import Session

from consult.accounts.models import Account
from consult.accounts.service import lock_active
from consult.consultations import policy as consultations
from consult.consultations import reading
from consult.consultations.age.service import lock_participant
from consult.consultations.labels import AWAITING, HELD, REWORDING
from consult.consultations.models import ContentStatus, Step
from consult.contributions import policy
from consult.contributions.bill import policy as versions
from consult.contributions.bill.policy import Sources
from consult.contributions.models import Argument, ContentVersion, Proposal, ProposalKind, StepSecret, Theme
from consult.errors import ClosedError, ConflictError, ForbiddenError, GoneError, InvalidError
from consult.registry import conservation
from consult.registry import service as registry
from consult.registry.models import EntryKind
from consult.search import service as search

Content: TypeAlias = Proposal | Argument
ContentT = TypeVar("ContentT", Proposal, Argument)

CLOSED = "Cette étape n’est pas ouverte aux contributions : rien n’a été enregistré. Votre texte est ci-dessous."


def submit_proposal(
    session: Session,
    *,
    step: Step,
    account_id: uuid.UUID,
    title: str,
    body: str,
    theme_id: uuid.UUID | None,
    submission_key: str,
    now: dt.datetime,
    departement: str | None = None,
) -> Proposal:
    """Publish a proposal, or keep it pending until its author's e-mail is confirmed.

    The same form sent twice, or the same text sent again by its author, gives the same proposal. Raises ClosedError,
    InvalidError naming the fields.
    """
    title, body = policy.one_line(title), policy.many_lines(body)
    account = lock_participant(session, step.consultation, account_id)
    key = policy.submission_digest(account_id, submission_key)
    same_text = (Proposal.step_id == step.id, Proposal.title == title, Proposal.body == body)
    sent_already = standing_copy(session, Proposal, account_id, key, same_text)
    if sent_already is not None:
        return sent_already
    check_open(step, now)
    policy.check_proposal(title, body, policy.limits(step.settings))
    filed = _filed(session, step, theme_id, departement)
    proposal = Proposal(**new_row(step, account_id, key, now), **filed, title=title, body=body)
    proposal.random_rank = policy.random_rank(step.order_seed, proposal.id)
    return receive(session, proposal, account, now)


def edit(
    session: Session,
    item: Content,
    *,
    step: Step,
    account_id: uuid.UUID,
    title: str | None,
    body: str,
    theme_id: uuid.UUID | None,
    version: int,
    now: dt.datetime,
    departement: str | None = None,
    reason: str | None = None,
    sources: Sources | None = None,
) -> None:
    """Replace the text of one's own content; the former text stays, publicly, in its history.

    `reason` and `sources` are those of a version of an article. `version` is the one that was read: raises
    ConflictError when another edit came first. An unchanged text changes nothing. Raises ClosedError, ForbiddenError,
    GoneError, InvalidError.
    """
    _lock_own(session, item, account_id)
    check_open(step, now)
    before = item.status_reason
    if before == AWAITING:
        raise ConflictError("Ce texte attend d’être lu par la modération\u00a0: pour en changer, retirez-le d’abord.")
    said = _checked(session, item, step, title, body, theme_id, departement, reason, sources)
    if item.version != version:
        raise ConflictError("Ce texte a changé depuis que vous l’avez ouvert, dans un autre onglet peut-être.")
    if all(getattr(item, name) == value for name, value in said.items()):
        return
    if before == REWORDING:
        _forget(session, item, now)
    else:
        _keep_version(session, item, now)
    item.version, item.edited_at = item.version + 1, now
    for name, value in said.items():
        setattr(item, name, value)
    if item.status is not ContentStatus.PENDING:
        log(session, item, EntryKind.EDIT, _text_entry(session, item), now)
        if before == REWORDING or reading.reads_first(step):
            hold(session, item, now)
        else:
            index(session, item)
    session.flush()


def _checked(
    session: Session,
    item: Content,
    step: Step,
    title: str | None,
    body: str,
    theme_id: uuid.UUID | None,
    departement: str | None,
    reason: str | None,
    sources: Sources | None,
) -> dict[str, Any]:
    """What an edit makes a content say, column by column. Raises InvalidError."""
    said: dict[str, Any] = {"body": policy.many_lines(body)}
    if isinstance(item, Argument):
        said["title"] = policy.one_line(title or "") or None
        policy.check_argument(said["title"], said["body"], policy.limits(step.settings))
    else:
        said |= {"title": policy.one_line(title or "")}
        if item.kind is ProposalKind.VERSION:
            said |= {"reason": policy.many_lines(reason or ""), "sources": sources or []}
            rewritten = session.get_one(Proposal, item.rewrites_id)
            versions.check_version(said["title"], said["body"], said["reason"], rewritten.body)
        else:
            policy.check_proposal(said["title"], said["body"], policy.limits(step.settings))
            said |= _filed(session, step, theme_id, departement)
    return said


def withdraw(session: Session, item: Content, *, account_id: uuid.UUID, now: dt.datetime) -> None:
    """Take back one's own content, at any time: its text is public no more, a tombstone says so in the log; one that
    never was public goes whole.

    Its openings go: a digest of the text would let whoever guesses it know. Raises ForbiddenError, GoneError.
    """
    _lock_own(session, item, account_id)
    if item.status is ContentStatus.PENDING:
        session.delete(item)
    else:
        item.status, item.status_reason, item.ended_at = ContentStatus.WITHDRAWN, None, now
        _bury(session, item, "withdrawn", now)
        search.remove(session, item.id)
    session.flush()


def erase(session: Session, item: Content, now: dt.datetime) -> None:
    """Empty a content for ever, at its author's request: no text, no author, no opening in the log; a tombstone stays.

    One that never was public, since its author's e-mail was never confirmed, goes whole. Its former texts are the
    caller's to delete.
    """
    if item.status is ContentStatus.PENDING:
        session.delete(item)
        session.flush()
        return
    item.status, item.status_reason, item.ended_at = ContentStatus.ERASED, None, now
    item.author_id, item.author_name, item.submission_key = None, "", None
    item.title, item.body = "" if isinstance(item, Proposal) else None, ""
    if isinstance(item, Proposal):
        item.reason = item.sources = item.departement = None
    _bury(session, item, "erased", now)
    search.remove(session, item.id)
    session.flush()


def publish(session: Session, item: Content, now: dt.datetime) -> None:
    """Log a pending content: public and findable at once, or once read where moderators read before."""
    item.status = ContentStatus.PUBLISHED
    name, kind = "argument", EntryKind.ARGUMENT
    if isinstance(item, Proposal):
        of_article = item.kind is ProposalKind.VERSION
        name, kind = ("version", EntryKind.VERSION) if of_article else ("proposal", EntryKind.CONTRIBUTION)
    session.flush()
    submitted = conservation.flow(name, item.origin, conservation.SUBMITTED)
    item.registry_ref = log(session, item, kind, _text_entry(session, item), now, effect=submitted)
    if reading.reads_first(session.get_one(Step, item.step_id)):
        hold(session, item, now)
    else:
        index(session, item)


def hold(session: Session, item: Content, now: dt.datetime) -> None:
    """Keep a content from the public until a moderator has read it: the log commits to it, and shows no word of it."""
    item.status, item.status_reason, item.ended_at = ContentStatus.HIDDEN, AWAITING, now
    search.remove(session, item.id)
    session.flush()
    registry.hold_text(session, item, _name(item), item.__tablename__, AWAITING, now)


def is_shown(session: Session, item: Content) -> bool:
    """Whether a content may be read and acted on: it is published, and the proposal that an argument is on too."""
    on = session.get_one(Proposal, item.proposal_id) if isinstance(item, Argument) else item
    return item.status is ContentStatus.PUBLISHED and on.status is ContentStatus.PUBLISHED


def hide(session: Session, item: Content, reason: str, now: dt.datetime) -> list[str]:
    """Withhold a content from the public for a ground of the charter; returns the refs of its entries in the log.

    Raises ConflictError when it is neither shown nor held.
    """
    session.refresh(item, with_for_update=True)
    if item.status is not ContentStatus.PUBLISHED and item.status_reason not in HELD:
        raise ConflictError("Ce contenu n’est pas publié : il n’y a rien à masquer.")
    item.status, item.status_reason, item.ended_at = ContentStatus.HIDDEN, reason, now
    search.remove(session, item.id)
    session.flush()
    return _refs(session, item)


def restore(session: Session, item: Content) -> list[str]:
    """Undo `hide`: published again, with its votes; returns the same refs. Raises ConflictError when not hidden."""
    session.refresh(item, with_for_update=True)
    if item.status is not ContentStatus.HIDDEN:
        raise ConflictError("Ce contenu n’est pas masqué.")
    item.status, item.status_reason, item.ended_at = ContentStatus.PUBLISHED, None, None
    index(session, item)
    session.flush()
    return _refs(session, item)


def log(
    session: Session, item: Content, kind: EntryKind, content: Mapping[str, Any], now: dt.datetime, **more: Any
) -> str:
    """Write a public act on a content in the registry; returns the entry's reference. `more`: see `registry.append`."""
    return registry.append(
        session,
        organisation_id=item.organisation_id,
        consultation_id=item.consultation_id,
        kind=kind,
        content={"step": str(item.step_id), _name(item): str(item.id), "version": item.version, **content},
        now=now,
        **more,
    )


def _name(item: Content) -> str:
    return "contribution" if isinstance(item, Proposal) else "argument"


def standing_copy(
    session: Session, model: type[ContentT], account_id: uuid.UUID, key: str, same_text: tuple[ColumnElement[bool], ...]
) -> ContentT | None:
    """What this form, or this account in the same words, has published already."""
    # The « Back » button shows a new form, with a new key, around the text already sent.
    standing = or_(model.status.in_((ContentStatus.PENDING, ContentStatus.PUBLISHED)), model.status_reason == AWAITING)
    again = and_(model.author_id == account_id, standing, *same_text)
    return session.scalar(select(model).where(or_(model.submission_key == key, again)).limit(1))


def new_row(step: Step, account_id: uuid.UUID, submission_key: str, now: dt.datetime) -> dict[str, Any]:
    """The columns that every new content of an account has; it is pending until `receive`."""
    return {
        "id": uuid.uuid4(),
        "organisation_id": step.organisation_id,
        "consultation_id": step.consultation_id,
        "step_id": step.id,
        "author_id": account_id,
        "status": ContentStatus.PENDING,
        "submission_key": submission_key,
        "created_at": now,
        "version": 1,
    }


def receive(session: Session, item: ContentT, account: Account, now: dt.datetime) -> ContentT:
    """Keep a new content, and publish it at once when its author's e-mail is confirmed."""
    session.add(item)
    if account.confirmed_at is not None:
        publish(session, item, now)
    session.flush()
    return item


def _text_entry(session: Session, item: Content) -> dict[str, Any]:
    secret = session.get(StepSecret, item.step_id)
    author = policy.author_of(secret.secret, item.author_id) if secret and item.author_id else None
    more: dict[str, Any] = {}
    about: dict[str, Any]
    if isinstance(item, Argument):
        about = {"on": str(item.proposal_id), "side": item.side.value}
    elif item.kind is ProposalKind.VERSION:
        about = {"article": str(item.article_id), "rewrites": str(item.rewrites_id)}
        more = {"reason": item.reason, "sources": item.sources or []}
    else:
        about = {"theme": str(item.theme_id) if item.theme_id else None, "departement": item.departement}
    return {"author": author, **policy.text_entry(item.title, item.body, item.created_at, **more), **about}


def _refs(session: Session, item: Content) -> list[str]:
    return registry.refs_of_text(session, item.consultation_id, _name(item), item)


def _bury(session: Session, item: Content, ground: str, now: dt.datetime) -> None:
    entries = registry.bury_text(session, item.consultation_id, _name(item), item)
    log(session, item, EntryKind.TOMBSTONE, {"ground": ground, "entries": entries}, now)


def index(session: Session, item: Content) -> None:
    """Make a proposal findable by what it says; of the arguments, those of a debate are, which are its contents."""
    if isinstance(item, Argument) and session.get_one(Proposal, item.proposal_id).kind is not ProposalKind.QUESTION:
        return
    search.index(
        session,
        organisation_id=item.organisation_id,
        step_id=item.step_id,
        item_id=item.id,
        text="\n".join(filter(None, (item.title, item.body, getattr(item, "reason", None)))),
    )


def _forget(session: Session, item: Content, now: dt.datetime) -> None:
    """Destroy all that a content said until its author rewords it: publishing the new text must not show the former."""
    about = ContentVersion.proposal_id if isinstance(item, Proposal) else ContentVersion.argument_id
    session.execute(delete(ContentVersion).where(about == item.id))
    _bury(session, item, "reworded", now)


def _keep_version(session: Session, item: Content, now: dt.datetime) -> None:
    session.add(
        ContentVersion(
            organisation_id=item.organisation_id,
            proposal_id=item.id if isinstance(item, Proposal) else None,
            argument_id=item.id if isinstance(item, Argument) else None,
            version=item.version,
            title=item.title,
            body=item.body,
            reason=getattr(item, "reason", None),
            sources=getattr(item, "sources", None),
            replaced_at=now,
        )
    )


def _lock_own(session: Session, item: Content, account_id: uuid.UUID) -> None:
    lock_active(session, account_id)
    session.refresh(item, with_for_update=True)
    if item.author_id != account_id:
        raise ForbiddenError("Seul son auteur peut modifier ou retirer un contenu.")
    if not policy.changeable(item.status, item.status_reason):
        raise GoneError("Ce contenu n’est plus publié : il ne peut plus être modifié ni retiré.")


def check_open(step: Step, now: dt.datetime) -> None:
    """Raise ClosedError unless the step takes acts."""
    if not consultations.accepts_acts(step, step.consultation, now):
        raise ClosedError(CLOSED)
    if not reading.takes_texts(step, now):
        raise ClosedError(reading.ABSENT)


def _filed(session: Session, step: Step, theme_id: uuid.UUID | None, departement: str | None) -> dict[str, Any]:
    """Under what a proposal is filed; what its step does not ask is not kept. Raises InvalidError."""
    asked = policy.asks_departement(step.settings)
    departement = None if asked is policy.Asked.NO else departement or None
    policy.check_departement(departement, asked)
    _check_theme(session, step, theme_id)
    return {"theme_id": theme_id, "departement": departement}


def _check_theme(session: Session, step: Step, theme_id: uuid.UUID | None) -> None:
    themes = set(session.scalars(select(Theme.id).where(Theme.step_id == step.id)))
    if (themes and theme_id is None) or (theme_id is not None and theme_id not in themes):
        message = "Choisissez un thème de la liste."
        raise InvalidError(message, fields={"theme": message})
