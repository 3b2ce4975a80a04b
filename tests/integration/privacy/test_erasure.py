"""An erased account leaves nothing of the person; what is shown still equals a recount (AT-6.2)."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, delete, func, select

from consult.accounts.models import Account, AccountStatus, LoginSession, Membership, PlatformRole, SingleUseToken
from consult.actor import Actor, Role
from consult.consultations.models import ContentStatus
from consult.contributions import queries, votes
from consult.contributions.datasets import ArgumentsDataset, ContributionsDataset, VotesDataset
from consult.contributions.models import Proposal, StepSecret, Vote, VoteValue
from consult.contributions.policy import voter_of
from consult.db import ALL_TENANTS, as_tenant
from consult.errors import ConflictError, ForbiddenError
from consult.mail.models import OutgoingMail
from consult.migrations import load_models
from consult.moderation.models import Act, Contest, Decision, Report
from consult.privacy import service as privacy
from consult.privacy.models import ErasureEntry
from consult.questionnaires import service as replies
from consult.questionnaires.models import Answer, Reply, ReplyDraft
from consult.registry import queries as registry
from consult.registry.models import EntryKind, RegistryEntry
from consult.registry.service import commitment
from tests import factories as f
from tests.integration.privacy.town import EMAIL, PSEUDONYM, WRITTEN, found, naming
from tests.registers import check_removals, settle, standing_votes

NEEDLES = (EMAIL, "ysolde", "quartz", *WRITTEN.values())
# Where the id of an erased account may stay: the account then says nothing of anybody.
KEPT = {
    "account.id": "the emptied row itself, so that what follows names something",
    "erasure_entry.account_id": "the journal by which an erasure is done again after a restore",
    "membership.account_id": "the register of access",
    "membership.granted_by_id": "the register of access",
    "membership.revoked_by_id": "the register of access",
    "platform_role.account_id": "the register of access",
    "audit_entry.account_id": "the journal of staff acts, which never changes",
    "moderation_decision.moderator_id": "official acts; a contestation goes to somebody else",
    "codebook.author_id": "official acts",
    "codebook_approval.approver_id": "official acts",
    "analysis_run.requested_by_id": "official acts",
    "quality_sample.drawn_by_id": "official acts",
    "sample_coder.account_id": "official acts",
    "import_batch.actor_id": "official acts",
    "mission_package.requested_by_id": "official acts",
    "raw_export.requested_by_id": "official acts",
    "api_key.created_by_id": "official acts",
    "ticket.reported_by_id": "acts of staff under a contract",
    "ticket_file.sender_id": "acts of staff under a contract",
    "ticket_message.author_id": "acts of staff under a contract",
    "ticket_event.account_id": "acts of staff under a contract, in a history that never changes",
}
NOT_ACCOUNTS = {  # every other id that refers to no table, and what it names
    "registry_entry.vote_id",
    "proposal.import_batch_id", "argument.import_batch_id", "reply.import_batch_id", "answer.import_batch_id",
    "report.item_id", "moderation_decision.item_id", "search_document.item_id",
    "registry_entry.consultation_id", "suggestion.item_id", "moderation_hold.item_id",
    "exposure.item_id",
    "ballot.organisation_id", "ballot.consultation_id",
    "registry_entry.organisation_id", "vote.organisation_id", "vote.consultation_id", "vote.step_id",
    "followup_version.item_id", "commitment_link.target_id", "official_answer.target_id",
    "audit_entry.organisation_id", "job.organisation_id", "job.lease_token", "dump.job_id", "analysis_run.job_id",
    "mission_package.job_id", "raw_export.job_id", "quality_sample.job_id", "traffic_report.job_id",
    "sample_coding.unit",
}  # fmt: skip


def erase(town, bindings, account=None):
    return privacy.erase_account(town.session, bindings, account or town.person, now=town.later)


def test_every_column_that_may_hold_an_account_is_known(bindings):
    """AT-6.1: the list comes from the models, so that a new column fails here until somebody covers it."""
    tables = load_models().tables.values()
    columns = {f"{column.table.name}.{column.name}": column for table in tables for column in table.columns}
    naming_account = {
        name
        for name, column in columns.items()
        if any(key.column.table.name == "account" for key in column.foreign_keys)
    }
    loose = {
        name
        for name, column in columns.items()
        if type(column.type).__name__ == "Uuid" and not column.foreign_keys and column.name != "id"
    }
    assert loose - set(KEPT) == NOT_ACCOUNTS
    covered = {data.table for data in bindings.personal_data}
    assert {name.partition(".")[0] for name in naming_account | (loose & set(KEPT))} - covered == {"erasure_entry"}
    assert set(KEPT) <= {*columns}


def test_nothing_of_the_person_is_found_anywhere(town, bindings):
    """AT-6.2: no e-mail, no pseudonym, no word of theirs, in any column of any table; without exception."""
    places = found(town.session, *NEEDLES)
    written = {"proposal.body", "argument.body", "content_version.body", "contribution_draft.content", "answer.text",
               "reply_draft.answers", "report.comment", "moderation_decision.message", "moderation_contest.statement",
               "search_document.words", "outgoing_mail.text", "account.email", "account.pseudonym",
               "consultation_pseudonym.pseudonym", "security_key.name"}  # fmt: skip
    assert places >= written, "the search sees what is there"
    assert "audit_entry.reason" not in places
    counts = erase(town, bindings)
    assert found(town.session, *NEEDLES) == {"outgoing_mail.recipient"}, "the mail to an address that contains theirs"
    (kept,) = town.session.scalars(select(OutgoingMail.recipient).where(OutgoingMail.recipient.contains("uartz"))).all()
    assert kept == f"x{EMAIL}"
    assert set(naming(town.session, town.person.id)) == {"account.id", "erasure_entry.account_id"}
    assert counts["vote"] == 3
    assert counts["proposal"] == 4, "three of theirs, one of whoever claimed their address"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_database_file_itself_forgets(town, bindings, database):
    """AT-6.2: SQLite overwrites what it frees, and its search index keeps no word of what was removed."""
    town.session.execute(delete(OutgoingMail).where(OutgoingMail.recipient.startswith("x")))
    town.session.commit()
    erase(town, bindings)
    town.session.commit()
    town.session.close()
    database.dispose()  # the last connection folds the write-ahead log into the file
    raw = Path(database.url.database).read_bytes().decode("utf-8", errors="ignore").casefold()
    assert {needle for needle in NEEDLES if needle.casefold() in raw} == set()


@pytest.mark.parametrize("placed_before", [True, False])
def test_what_is_shown_equals_a_recount(town, bindings, placed_before):
    """AT-6.2: votes leave the counts and the log with their voter; nobody else's moves."""
    session = town.session
    if placed_before:
        settle(session)
    erase(town, bindings)
    settle(session)
    for proposal in session.scalars(select(Proposal)):
        truth = {value.value: count for value, count in votes.recount(session, proposal).items()}
        assert dict(queries.sheet(session, proposal.id).votes) == truth
    assert {value.value: count for value, count in votes.recount(session, town.theirs).items()} == {
        "for": 1, "mixed": 1, "against": 0
    }  # fmt: skip
    rows = list(VotesDataset().rows(session, town.consultation.id))
    assert standing_votes(session) == {(row["voter"], row["target"]): row["value"] for row in rows}
    assert len(rows) == session.scalar(select(func.count()).select_from(Vote))
    assert queries.census(session, town.step)["votes"] == 2, "those on what is still published"


def test_no_table_lets_anyone_try_the_three_answers(town, bindings):
    """AT-B.4: neither salt, nor value, nor voter is left of any vote, changed or withdrawn ones included."""
    session, person = town.session, town.person
    another = town.write(town.other, "funiculaire")
    town.vote(person, another, VoteValue.MIXED)
    town.vote(person, another, VoteValue.AGAINST)
    votes.withdraw_vote(session, another, step=town.step, account_id=person.id, now=f.NOW)
    secret = session.get_one(StepSecret, town.step.id).secret
    voter = voter_of(secret, person.id)
    mine = session.scalars(select(RegistryEntry).where(RegistryEntry.holder == voter)).all()
    salts, refs = [entry.salt for entry in mine], {entry.ref for entry in mine}
    assert len(refs) == 6, "three votes, and one that was cast, changed and withdrawn"
    erase(town, bindings)
    session.flush()
    for table in load_models().tables.values():
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                assert not set(session.scalars(select(column))) & set(salts), column
    assert found(session, voter) == set()
    check_removals(session)
    about = [e.opening for e in session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.TOMBSTONE))]
    graves = [opening for opening in about if opening.get("type") == "vote"]
    assert {ref for grave in graves for ref in grave["entries"]} == refs
    assert {str(another.id), str(town.theirs.id)} <= {grave.get("contribution") for grave in graves}
    assert not any({"value", "voter"} & set(grave) for grave in graves)


def test_contents_leave_a_tombstone_and_no_opening(town, bindings):
    session, person = town.session, town.person
    openings = select(RegistryEntry).where(
        RegistryEntry.kind.in_([EntryKind.CONTRIBUTION, EntryKind.EDIT, EntryKind.ARGUMENT])
    )
    others = {
        e.ref
        for e in session.scalars(openings)
        if not is_about(e, town.mine, town.argument, town.hidden, town.withdrawn, town.replied)
    }
    before = session.scalar(select(RegistryEntry.opening).where(RegistryEntry.ref == town.mine.registry_ref))
    assert (before["created_at"], before["author"] is None) == ("2026-03-02T09:00:00Z", False)
    committed = {entry.ref: entry.commitment for entry in session.scalars(openings)}
    erase(town, bindings)
    check_removals(session)
    session.expire_all()
    for item in (town.mine, town.hidden, town.withdrawn, town.argument, town.replied):
        assert (item.status, item.status_reason) == (ContentStatus.ERASED, None)
    assert (town.mine.title, town.mine.body, town.mine.author_id, town.mine.submission_key) == ("", "", None, None)
    assert (town.argument.title, town.argument.body, town.argument.author_id) == (None, "", None)
    for entry in session.scalars(openings):
        assert entry.commitment == committed[entry.ref], "the log does not change"
        assert (entry.opening is None) is (entry.ref not in others)
        if entry.opening is not None:
            assert commitment(entry.salt, entry.opening) == entry.commitment
    erased = [
        e.opening for e in session.scalars(select(RegistryEntry).where(RegistryEntry.kind == EntryKind.TOMBSTONE))
    ]
    told = [e for e in erased if e["ground"] == "erased" and e.get("type") != "vote"]
    assert sorted(e.get("contribution") or e.get("argument") or e["reply"] for e in told) == sorted(
        str(item.id) for item in (town.mine, town.hidden, town.withdrawn, town.argument, town.replied)
    )
    assert str(person.id) not in str(erased)
    shown = {row["id"]: row for row in ContributionsDataset().rows(session, town.consultation.id)}
    assert [shown[str(town.mine.id)][name] for name in ("status", "title", "body", "author")] == [
        "erased",
        None,
        None,
        None,
    ]
    arguments = {row["id"]: row for row in ArgumentsDataset().rows(session, town.consultation.id)}
    assert arguments[str(town.argument.id)]["body"] is None


def is_about(entry, *items) -> bool:
    """Whether the entry commits to what one of these contents said."""
    named = {(entry.opening or {}).get(name) for name in ("contribution", "argument", "reply")}
    return entry.opening is None or not named.isdisjoint(str(item.id) for item in items)


def test_files_made_before_are_served_no_more(town, bindings):
    """The text is still in the last dump: it must not be downloaded, and another one is due."""
    shown = registry.removals(town.session, [town.consultation.id])
    erase(town, bindings)
    assert registry.removals(town.session, [town.consultation.id]) != shown


def test_what_never_was_public_goes_whole(town, bindings):
    """A content whose author's address was not confirmed is in no log, and must not appear in one by its erasure."""
    newcomer = f.make_account(town.session, town.organisation, confirmed_at=None)
    pending = town.write(newcomer, "baobab")
    town.vote(newcomer, town.theirs)
    actor = Actor(newcomer.id, newcomer.pseudonym, confirmed=False)
    public = town.questions["public"]
    answers = {
        q.id: {"text": "séquoia" if q is public else None, "options": [], "other": None}
        for q in town.questions.values()
    }
    replies.submit(
        town.session, town.questionnaire, list(town.questions.values()), answers, actor=actor, seen=0, now=f.NOW
    )
    entries = count(town.session, RegistryEntry)
    erase(town, bindings, newcomer)
    assert town.session.get(Proposal, pending.id) is None
    assert found(town.session, "baobab", "séquoia") == set()
    assert count(town.session, RegistryEntry) == entries
    assert naming(town.session, newcomer.id) == {"account.id": 1, "erasure_entry.account_id": 1}
    assert town.person.email == EMAIL, "an address that was not proved is no ground to touch whoever owns it"


def test_reports_and_decisions_stay_without_words(town, bindings):
    reasons = town.session.scalars(select(Report.reason)).all()
    erase(town, bindings)
    town.session.expire_all()
    assert town.session.scalars(select(Report.reason)).all() == reasons
    mine = town.session.scalars(select(Report).where(Report.item_id == town.theirs.id)).one()
    assert mine.comment == ""
    town.report(f.make_account(town.session, town.organisation), town.theirs, "Un autre.")
    hide = town.session.scalars(select(Decision).where(Decision.item_id == town.hidden.id)).one()
    assert (hide.ground, hide.message, hide.contest_digest) == (
        "insult", "Message effacé avec le compte de l’auteur.", None
    )  # fmt: skip
    assert count(town.session, Contest) == 0, "nothing is left to restore"


def test_an_answered_contestation_keeps_its_place(town, bindings):
    other = f.make_account(town.session, town.organisation, Role.MODERATOR)
    town.decide(other, town.hidden, Act.UPHOLD, "La décision est maintenue.", seen=1)
    erase(town, bindings)
    town.session.expire_all()
    (contest,) = town.session.scalars(select(Contest))
    assert (contest.statement, contest.answer_id is not None) == ("", True)


def test_erasing_twice_is_erasing_once(town, bindings):
    erase(town, bindings)
    entries, journal = count(town.session, RegistryEntry), count(town.session, ErasureEntry)
    assert erase(town, bindings) == {}
    for data in bindings.personal_data:
        data.erase(town.session, town.person.id, town.later)
    assert (count(town.session, RegistryEntry), count(town.session, ErasureEntry)) == (entries, journal)


def test_an_erased_account_acts_no_more(town, bindings):
    """The request that was already past the gate finds the account gone."""
    erase(town, bindings)
    with pytest.raises(ForbiddenError):
        town.write(town.person, "revenant")
    with pytest.raises(ForbiddenError):
        town.vote(town.person, town.theirs)
    with pytest.raises(ForbiddenError):
        town.reply(town.person, public="revenant", private="revenant", other="revenant")


def test_nobody_else_is_touched(town, bindings):
    with as_tenant(town.session, ALL_TENANTS):
        elsewhere = f.make_organisation(town.session)
        namesake = f.make_account(town.session, elsewhere, email=EMAIL, pseudonym=PSEUDONYM)
    before = naming(town.session, town.other.id)
    erase(town, bindings)
    assert naming(town.session, town.other.id) == before
    assert (namesake.email, namesake.status) == (EMAIL, AccountStatus.ACTIVE)
    again = f.make_account(town.session, town.organisation, email=EMAIL, pseudonym=PSEUDONYM)
    assert again.id != town.person.id, "the name and the address are free again"


def test_an_agent_leaves_the_registers_without_a_name(town, bindings):
    """AT-6.2 for staff: the journal of acts alone keeps a name, since the database refuses to change it."""
    f.make_account(town.session, town.organisation, Role.ADMINISTRATOR)
    admin, name, email = town.admin, town.admin.pseudonym, town.admin.email
    assert set(naming(town.session, admin.id)) >= set(KEPT) - {"erasure_entry.account_id"}, "the town has one of each"
    erase(town, bindings, admin)
    town.session.expire_all()
    assert found(town.session, name) == {"audit_entry.pseudonym"}
    assert found(town.session, email) == set()
    assert set(naming(town.session, admin.id)) == set(KEPT)
    held = [*town.session.scalars(select(Membership).where(Membership.account_id == admin.id)),
            *town.session.scalars(select(PlatformRole).where(PlatformRole.account_id == admin.id))]  # fmt: skip
    assert [row.revoked_at for row in held] == [town.later] * 2
    assert (held[0].revocation_reason, held[0].revoked_by_id) == ("Compte supprimé par son titulaire.", admin.id)


def test_the_last_administrator_stays(town, bindings):
    with pytest.raises(ConflictError, match="la seule personne à administrer"):
        erase(town, bindings, town.admin)
    assert town.admin.status is AccountStatus.ACTIVE
    f.make_account(town.session, town.organisation, Role.ADMINISTRATOR, consultation=town.consultation)
    with pytest.raises(ConflictError):
        erase(town, bindings, town.admin)


def test_of_two_administrators_who_leave_at_once_one_stays(database, bindings):
    """The second waits for the first, on both databases."""
    with database.transaction(tenant=ALL_TENANTS) as session:
        organisation = f.make_organisation(session)
        ids = [f.make_account(session, organisation, Role.ADMINISTRATOR).id for _ in range(2)]
    together, ends = threading.Barrier(2), []

    def leave(account_id):
        together.wait()
        try:
            with database.transaction(tenant=ALL_TENANTS) as session:
                privacy.erase_account(session, bindings, session.get_one(Account, account_id), now=f.NOW)
            ends.append("gone")
        except ConflictError:
            ends.append("kept")

    threads = [threading.Thread(target=leave, args=(account_id,)) for account_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["gone", "kept"]


def test_sessions_and_links_are_dead(town, bindings):
    erase(town, bindings)
    for model in (LoginSession, SingleUseToken, ReplyDraft):
        assert count(town.session, model) == 0
    assert town.session.scalars(select(Answer).join(Reply).where(Reply.id == town.replied.id)).all() == []
    assert town.person.pseudonym == "Compte supprimé"
    assert (town.person.password_hash, town.person.totp_secret, town.person.confirmed_at) == (None,) * 3


def count(session, model) -> int:
    session.flush()
    return session.scalar(select(func.count()).select_from(model))
