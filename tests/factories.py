"""Rows for tests: one small function per model, real values, everything overridable.

Each takes an open session and flushes; whoever opened the session commits. Add yours in your feature's section.
"""

# Over 400 lines: one factory a model, where anybody looks for it.

import datetime as dt
import functools
import io
import itertools
import secrets

from flask import g
from PIL import Image
from sqlalchemy import select

from consult import security
from consult.accounts import policy, service
from consult.accounts.models import Account, ConsultationPseudonym, Membership, PlatformRole, SecurityKey
from consult.accounts.passwords.service import KeptPassword
from consult.accounts.passwords.service import keep as keep_password
from consult.accounts.pseudonyms.policy import columns
from consult.actor import PLATFORM_ROLES, STAFF_ROLES, SYSTEM, Role
from consult.consultations.models import Consultation, ConsultationStatus, Step
from consult.contributions.ballots.models import Ballot
from consult.contributions.bill.builder import service as bill_builder
from consult.contributions.debate import service as debate
from consult.contributions.models import (
    STEP_KINDS,
    Argument,
    Article,
    Level,
    Proposal,
    Side,
    StepSecret,
    Theme,
    Vote,
    VoteValue,
)
from consult.db import ALL_TENANTS
from consult.followup.models import Commitment, OfficialAnswer, Outcome, Status, TargetType, UseCase
from consult.media.pictures import Picture
from consult.organisations.models import Organisation
from consult.questionnaires.models import (
    Answer,
    AnswerVisibility,
    OptionKind,
    OptionPicture,
    PublishedTotal,
    Question,
    QuestionOption,
    Reply,
)
from consult.subscriptions.models import Subscription

NOW = dt.datetime(2026, 3, 2, 9, 41, 27, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
PASSWORD = "crayon-wagon-brume-ocre"
_number = itertools.count(100_001)  # as many digits to the end: slugs sort as they were made


@functools.cache
def kept_password(password: str = PASSWORD) -> KeptPassword:
    """A real Argon2id hash, made once per process: they are slow on purpose."""
    return keep_password(password)


# organisations, accounts


def make_organisation(session, **values) -> Organisation:
    n = next(_number)
    values = {"slug": f"agence-{n}", "name": f"Agence des essais {n}", "created_at": NOW} | values
    return _added(session, Organisation(**values))


def make_account(session, organisation, *roles: Role, consultation=None, password=PASSWORD, now=NOW, **values):
    """A confirmed account; `roles` are granted on the organisation, or on `consultation`, and enrol the second factor.

    `confirmed_at=None` leaves the address to confirm; `totp_enrolled_at=None` leaves the second factor to enrol.
    """
    n = next(_number)
    kept = kept_password(password)
    email = values.pop("email", f"personne{n}@exemple.fr")
    pseudonym = values.pop("pseudonym", f"Zéphyr {_letters(n)}")
    staff = not STAFF_ROLES.isdisjoint(roles)
    values = {
        "email": email,
        "email_key": policy.email_key(email, tags_differ=False),
        **columns(pseudonym),
        "password_hash": kept.hash,
        "password_for_staff": kept.for_staff,
        "created_at": now,
        "confirmed_at": now,
        "totp_secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP" if staff else None,
        "totp_enrolled_at": now if staff else None,
    } | values
    account = _added(session, Account(organisation_id=organisation.id, **values))
    for role in roles:
        if role in PLATFORM_ROLES:
            session.add(PlatformRole(account_id=account.id, role=role, granted_at=now))
        elif role in STAFF_ROLES:
            scope = consultation.id if consultation else None
            session.add(
                Membership(
                    organisation_id=organisation.id,
                    account_id=account.id,
                    role=role,
                    consultation_id=scope,
                    granted_at=now,
                )
            )
    session.flush()
    return account


def sign_in(client, account, *, second_factor=True, now=None) -> str:
    """Sign an account in on a Flask test client, through a real session row; gives the cookie's token.

    The session is dated now by the real clock, or by `now`. Staff are given their second factor unless told otherwise.
    """
    application = client.application
    settings = application.extensions["settings"]
    now = now or dt.datetime.now(dt.UTC)
    with application.extensions["database"].transaction(tenant=ALL_TENANTS) as session:
        token, _ = service.open_session(
            session,
            account,
            now=now,
            life=policy.session_life((), settings),
            browser="Firefox sous Linux",
            second_factor_at=now if second_factor and account.totp_enrolled_at else None,
        )
    cookie = policy.session_cookie(settings)
    client.set_cookie(cookie.name, token, secure=cookie.secure)
    return token


def csrf_token(client, path="/connexion") -> str:
    """The token of the forms that this client sees: on any page once signed in, else on that one."""
    application = client.application
    signed_in = client.get_cookie(policy.session_cookie(application.extensions["settings"]).name)
    if signed_in is not None:
        with application.test_request_context():
            g.session_token = signed_in.value
            return security.csrf_token()
    return csrf_token_on(client, path)


def csrf_token_on(client, path) -> str:
    """The token of the form of that page, which is opened."""
    html = client.get(path, follow_redirects=True).get_data(as_text=True)
    return html.split('name="csrf_token" value="')[1].split('"')[0]


def make_security_key(session, account, *, now=NOW, **values) -> SecurityKey:
    """A second factor that answers nobody: its private half is nowhere."""
    owned = {"organisation_id": account.organisation_id, "account_id": account.id}
    values = {"name": "clé du bureau", "relying_party": "localhost", "sign_count": 0, "added_at": now} | values
    return _added(
        session,
        SecurityKey(**owned, credential_id=secrets.token_bytes(32), public_key=secrets.token_bytes(77), **values),
    )


# consultations


def make_pseudonym(session, account, consultation, pseudonym) -> ConsultationPseudonym:
    """The name under which an account is shown in one consultation."""
    owned = {"organisation_id": account.organisation_id, "account_id": account.id}
    named = columns(pseudonym) | {"chosen_at": NOW}
    return _added(session, ConsultationPseudonym(consultation_id=consultation.id, **owned, **named))


def make_consultation(session, organisation, *, opened=True, now=NOW, **values) -> Consultation:
    """An open consultation without steps; `opened=False` leaves it a draft."""
    n = next(_number)
    dates = {"opens_at": now - dt.timedelta(days=7), "closes_at": now + dt.timedelta(days=30), "created_at": now}
    state = {"status": ConsultationStatus.OPEN, "opened_at": dates["opens_at"]} if opened else {}
    text = {"slug": f"consultation-{n}", "title": f"Consultation {n}", "summary": "Une consultation d’essai."}
    return _added(session, Consultation(organisation_id=organisation.id, **(text | dates | state | values)))


def make_step(session, consultation, *, kind="proposals", **values) -> Step:
    """A step with the dates of its consultation."""
    n = next(_number)
    values = {
        "slug": f"etape-{n}",
        "title": f"Étape {n}",
        "position": n,
        "opens_at": consultation.opens_at,
        "closes_at": consultation.closes_at,
        "order_seed": f"{n:032x}",
    } | values
    step = _added(
        session,
        Step(organisation_id=consultation.organisation_id, consultation_id=consultation.id, kind=kind, **values),
    )
    if kind in STEP_KINDS:
        owned = {"organisation_id": step.organisation_id, "step_id": step.id}
        _added(session, StepSecret(**owned, secret=secrets.token_bytes(32)))
    return step


# contributions


def make_theme(session, step, **values) -> Theme:
    n = next(_number)
    values = {"slug": f"theme-{n}", "title": f"Thème {n}", "position": n} | values
    return _added(session, Theme(organisation_id=step.organisation_id, step_id=step.id, **values))


def make_debate(session, consultation, *, question="Faut-il ouvrir une ligne de nuit ?", **values) -> Proposal:
    """The question of a new debate."""
    step = make_step(session, consultation, kind="debate", **values)
    return debate.write(session, step, debate.QuestionDraft(question, "Deux trains par nuit, tous les jours."), NOW)


def make_part(session, step, level=Level.ARTICLE, parent=None, **values) -> Article:
    """A part at the end of a bill, made as staff make it before the opening; `text_of_article` gives its text."""
    body = "Les trajets en autocar sont gratuits pour les apprentis." if level is Level.ARTICLE else ""
    draft = bill_builder.PartDraft(level, **({"body": body} | values))
    parent_id = parent.id if parent else None
    whole = session.get_one(Consultation, step.consultation_id)
    state = whole.status, whole.opened_at
    whole.status, whole.opened_at = ConsultationStatus.DRAFT, None
    session.flush()
    part = bill_builder.add(session, step, draft, parent_id=parent_id, actor=SYSTEM, now=NOW)
    whole.status, whole.opened_at = state
    session.flush()
    return part


def text_of_article(session, article) -> Proposal:
    return session.scalars(select(Proposal).where(Proposal.article_id == article.id, Proposal.kind == "article")).one()


def make_version(session, rewritten, author=None, **values) -> Proposal:
    """A version of an article's text, or of another version."""
    step = session.get_one(Step, rewritten.step_id)
    of = {"kind": "version", "article_id": rewritten.article_id, "rewrites_id": rewritten.id}
    words = {"title": "Pour tous", "body": f"{rewritten.body} Sans condition.", "reason": "Chacun a droit d’aller."}
    return make_proposal(session, step, author, **(of | words | values))


def make_proposal(session, step, author=None, **values) -> Proposal:
    n = next(_number)
    values = {
        "title": f"Plus de trains le soir {n}",
        "body": "Le dernier train part trop tôt pour rentrer du travail.",
        "created_at": NOW,
        "random_rank": secrets.randbits(63),
    } | values
    return _added(
        session,
        Proposal(
            organisation_id=step.organisation_id,
            consultation_id=step.consultation_id,
            step_id=step.id,
            author_id=author.id if author else None,
            **values,
        ),
    )


def make_argument(session, proposal, author=None, **values) -> Argument:
    values = {"side": Side.FOR, "body": "Cela éviterait bien des trajets en voiture.", "created_at": NOW} | values
    return _added(
        session,
        Argument(
            organisation_id=proposal.organisation_id,
            consultation_id=proposal.consultation_id,
            step_id=proposal.step_id,
            proposal_id=proposal.id,
            author_id=author.id if author else None,
            **values,
        ),
    )


def make_ballot(session, proposal, account, points=1, **values) -> Ballot:
    """A ballot row alone, for one proposal: no count follows."""
    values = {"choices": {str(proposal.id): points}, "cast_at": NOW, "account_id": account.id} | values
    owned = {name: getattr(proposal, name) for name in ("organisation_id", "consultation_id", "step_id")}
    return _added(session, Ballot(**owned, **values))


def make_vote(session, target, account, value=VoteValue.FOR, **values) -> Vote:
    """A vote row alone: no count follows. Use contributions.service to vote for real."""
    column = "proposal_id" if isinstance(target, Proposal) else "argument_id"
    values = {column: target.id, "value": value, "cast_at": NOW} | values
    return _added(
        session,
        Vote(
            organisation_id=target.organisation_id,
            consultation_id=target.consultation_id,
            step_id=target.step_id,
            account_id=account.id if account else None,
            **values,
        ),
    )


# questionnaires


def make_question(session, step, kind="long_text", options=(), **values) -> Question:
    """A question; `options` are labels, or (label, OptionKind) pairs."""
    n = next(_number)
    values = {"position": n, "wording": f"Question {n} ?"} | values
    pairs = [option if isinstance(option, tuple) else (option, OptionKind.NORMAL) for option in options]
    rows = [
        QuestionOption(organisation_id=step.organisation_id, position=rank, label=label, kind=option_kind)
        for rank, (label, option_kind) in enumerate(pairs, 1)
    ]
    return _added(
        session,
        Question(organisation_id=step.organisation_id, step_id=step.id, kind=kind, options=rows, **values),
    )


def make_picture(session, option, colour="teal", **values) -> OptionPicture:
    """A plain picture of an option, made as those that organisers send are."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "WEBP")
    kept = Picture(out.getvalue(), 64, 48)
    shown = {"content": kept.content, "digest": kept.digest, "width": kept.width, "height": kept.height}
    values = {"alt": f"Un aplat ({colour})", **shown} | values
    option.picture = OptionPicture(organisation_id=option.organisation_id, **values)
    session.flush()
    return option.picture


def make_total(session, step, counts=(12, 11), **values) -> PublishedTotal:
    """The published totals of a new question of that step, one option for each count."""
    labels = [f"Option {rank}" for rank, _ in enumerate(counts)]
    question = make_question(session, step, "single", labels, visibility=AnswerVisibility.AGGREGATES)
    told = dict(zip((str(option.id) for option in question.options), counts, strict=True))
    values = {
        "origin": "live",
        "number": 1,
        "as_of": NOW,
        "answered": sum(filter(None, counts)),
        "counts": told,
    } | values
    return _added(session, PublishedTotal(organisation_id=step.organisation_id, question_id=question.id, **values))


def make_reply(session, step, account=None, answers=None, **values) -> Reply:
    """A published reply; `answers` gives each question its text, or the list of its chosen options."""
    values = {"received_on": NOW.date(), "received_at": NOW} | values
    given = [
        Answer(
            organisation_id=step.organisation_id,
            question_id=question.id,
            text=said if isinstance(said, str) else None,
            options=[] if isinstance(said, str) else [str(option.id) for option in said],
        )
        for question, said in (answers or {}).items()
    ]
    return _added(
        session,
        Reply(
            organisation_id=step.organisation_id,
            consultation_id=step.consultation_id,
            step_id=step.id,
            account_id=account.id if account else None,
            answers=given,
            **values,
        ),
    )


# followup


def _make_said(session, model, consultation, published, values):
    """A row of what an administration says, draft or published; nothing is logged."""
    owned = {"organisation_id": consultation.organisation_id, "consultation_id": consultation.id, "created_at": NOW}
    state = {"status": Status.PUBLISHED, "published_at": NOW} if published else {}
    return _added(session, model(**(owned | state | values)))


def make_answer(session, target, *, published=True, consultation=None, **values) -> OfficialAnswer:
    """An official answer to a proposal, or to anything of `consultation`; nothing is logged."""
    kind = TargetType.CONTRIBUTION if isinstance(target, Proposal) else TargetType(type(target).__name__.lower())
    consultation = consultation or session.get_one(Consultation, getattr(target, "consultation_id", target.id))
    values = {
        "target_type": kind,
        "target_id": target.id,
        "outcome": Outcome.ACCEPTED,
        "authority": "Direction des mobilités",
        "body": "Un train de plus circulera dès septembre.",
    } | values
    return _make_said(session, OfficialAnswer, consultation, published, values)


def make_commitment(session, consultation, *, published=True, **values) -> Commitment:
    n = next(_number)
    values = {
        "title": f"Ouvrir un train du soir {n}",
        "body": "Un train de plus, du lundi au samedi.",
        "owner": "Direction des mobilités",
    } | values
    return _make_said(session, Commitment, consultation, published, values)


def make_case(session, consultation, *, published=True, **values) -> UseCase:
    n = next(_number)
    values = {
        "title": f"Les trajets du soir {n}",
        "partner": "Direction des mobilités",
        "theme": "Transports",
        "summary": "Un mois de propositions sur les trajets du soir.",
        "starts_on": NOW.date(),
        "ends_on": NOW.date() + dt.timedelta(days=30),
        "licence": "etalab-2.0",
    } | values
    return _make_said(session, UseCase, consultation, published, values)


# what people follow


def make_subscription(session, account, target, *, now=NOW, **values) -> Subscription:
    """The account follows this consultation, or this contribution."""
    followed = {"consultation_id" if isinstance(target, Consultation) else "proposal_id": target.id}
    values = {"organisation_id": account.organisation_id, "created_at": now, "told_until": now, **followed, **values}
    return _added(session, Subscription(account_id=account.id, **values))


def _added(session, row):
    session.add(row)
    session.flush()
    return row


def _letters(n: int) -> str:
    """A number told in letters, so that no two pseudonyms look alike."""
    return "".join("bcdfghjkmp"[int(digit)] for digit in str(n))
