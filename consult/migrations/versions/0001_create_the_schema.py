"""Create the schema."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# What create_table cannot say: append-only tables, and the full-text index.
BESIDE_THE_TABLES = {
    "postgresql": [
        """CREATE OR REPLACE FUNCTION consult_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$""",
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW EXECUTE FUNCTION consult_refuse_change()",
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry FOR EACH ROW WHEN (OLD.at > now() - interval '180 days') EXECUTE FUNCTION consult_refuse_change()",
        "CREATE TRIGGER registry_entry_no_update BEFORE UPDATE OF id, organisation_id, consultation_id, kind, ref, commitment, recorded_at ON registry_entry FOR EACH ROW EXECUTE FUNCTION consult_refuse_change()",
        "CREATE TRIGGER registry_entry_no_delete BEFORE DELETE ON registry_entry FOR EACH ROW EXECUTE FUNCTION consult_refuse_change()",
        "CREATE INDEX ix_search_document_words ON search_document USING gin (array_to_tsvector(string_to_array(words, ' ')))",
    ],
    "sqlite": [
        "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
        "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry FOR EACH ROW WHEN OLD.at > datetime('now', '-180 days') BEGIN SELECT RAISE(ABORT, 'audit_entry is append-only'); END",
        "CREATE TRIGGER registry_entry_no_update BEFORE UPDATE OF id, organisation_id, consultation_id, kind, ref, commitment, recorded_at ON registry_entry FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'registry_entry is append-only'); END",
        "CREATE TRIGGER registry_entry_no_delete BEFORE DELETE ON registry_entry FOR EACH ROW BEGIN SELECT RAISE(ABORT, 'registry_entry is append-only'); END",
        "CREATE VIRTUAL TABLE search_words USING fts5(words, content='search_document', content_rowid='id', tokenize='ascii')",
        "CREATE TRIGGER search_document_insert AFTER insert ON search_document BEGIN INSERT INTO search_words(rowid, words) VALUES (new.id, new.words); END",
        "CREATE TRIGGER search_document_delete AFTER delete ON search_document BEGIN INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', old.id, old.words); END",
        "CREATE TRIGGER search_document_update AFTER update ON search_document BEGIN INSERT INTO search_words(search_words, rowid, words) VALUES ('delete', old.id, old.words); INSERT INTO search_words(rowid, words) VALUES (new.id, new.words); END",
    ],
}


def upgrade() -> None:
    op.create_table(
        "attempt_count",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_attempt_count")),
    )
    with op.batch_alter_table("attempt_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_attempt_count_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("pseudonym", sa.String(length=40), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("action", sa.String(length=80), nullable=False),
        sa.Column("target_type", sa.String(length=60), nullable=False),
        sa.Column("target_id", sa.String(length=80), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entry_account_id"), ["account_id"], unique=False)
        batch_op.create_index("ix_audit_entry_organisation", ["organisation_id", "id"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.String(length=80), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("cursor", sa.JSON(none_as_null=True), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="jobstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("max_attempts", sa.Integer(), nullable=False),
        sa.Column("run_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("worker", sa.String(length=80), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("unique_key", sa.String(length=120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'running') = (lease_token IS NOT NULL)", name="running_is_leased"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("unique_key", name=op.f("uq_job_unique_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_due", ["state", "run_after"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("tagline", sa.String(length=300), nullable=False),
        sa.Column("legal_name", sa.String(length=200), nullable=False),
        sa.Column("legal_address", sa.Text(), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("publication_director", sa.String(length=200), nullable=False),
        sa.Column("host_name", sa.String(length=200), nullable=False),
        sa.Column("host_address", sa.Text(), nullable=False),
        sa.Column("host_phone", sa.String(length=40), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("dpo_email", sa.String(length=254), nullable=False),
        sa.Column("access_register_email", sa.String(length=254), nullable=False),
        sa.Column("theme", sa.JSON(), nullable=False),
        sa.Column("fictional", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("slug", name=op.f("uq_organisation_slug")),
    )
    op.create_table(
        "spent_proof",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_spent_proof")),
    )
    with op.batch_alter_table("spent_proof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_spent_proof_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("email_key", sa.String(length=254), nullable=True),
        sa.Column("pseudonym", sa.String(length=40), nullable=False),
        sa.Column("pseudonym_key", sa.String(length=160), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("password_for_staff", sa.Boolean(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "active",
                "blocked",
                "erased",
                name="accountstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terms_version", sa.String(length=20), nullable=False),
        sa.Column("terms_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_secret", sa.String(length=64), nullable=True),
        sa.Column("totp_enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("totp_last_step", sa.Integer(), nullable=True),
        sa.Column("recovery_codes", sa.JSON(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_account_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("organisation_id", "pseudonym_key", name=op.f("uq_account_organisation_id_pseudonym_key")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index("ix_account_email_key", ["organisation_id", "email_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(
            "uq_account_confirmed_email",
            ["organisation_id", "email_key"],
            unique=True,
            sqlite_where=sa.text("confirmed_at IS NOT NULL"),
            postgresql_where=sa.text("confirmed_at IS NOT NULL"),
        )

    op.create_table(
        "consultation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.String(length=500), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "open",
                "closed",
                name="consultationstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("rules_digest", sa.String(length=64), nullable=True),
        sa.Column("fictional", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'draft') = (opened_at IS NULL)", name="opening_is_dated"),
        sa.CheckConstraint("closes_at > opens_at", name="closes_after_it_opens"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_consultation_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consultation")),
        sa.UniqueConstraint("organisation_id", "slug", name=op.f("uq_consultation_organisation_id_slug")),
    )
    with op.batch_alter_table("consultation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consultation_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_consultation_status"), ["status"], unique=False)

    op.create_table(
        "erasure_entry",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_erasure_entry_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_erasure_entry")),
    )
    with op.batch_alter_table("erasure_entry", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_erasure_entry_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "outgoing_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.String(length=80), nullable=False),
        sa.Column("recipient", sa.String(length=254), nullable=True),
        sa.Column("subject", sa.String(length=300), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_outgoing_mail_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_mail")),
    )
    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outgoing_mail_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_outgoing_mail_recipient"), ["recipient"], unique=False)

    op.create_table(
        "registry_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "opened",
                "rules",
                "contribution",
                "edit",
                "argument",
                "version",
                "vote.cast",
                "vote.changed",
                "vote.withdrawn",
                "replies",
                "moderation",
                "moderation.reversed",
                "tombstone",
                "answer",
                "content",
                "release",
                "incident",
                "sealed",
                name="entrykind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("salt", sa.LargeBinary(length=32), nullable=True),
        sa.Column("opening", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("withheld", sa.Boolean(), nullable=False),
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(salt IS NULL) = (opening IS NULL)", name="opened_or_destroyed"),
        sa.CheckConstraint("length(commitment) = 32", name="commitment_is_sha256"),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_registry_entry_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registry_entry")),
        sa.UniqueConstraint("organisation_id", "position", name=op.f("uq_registry_entry_organisation_id_position")),
        sa.UniqueConstraint("ref", name=op.f("uq_registry_entry_ref")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("registry_entry", schema=None) as batch_op:
        batch_op.create_index("ix_registry_entry_consultation", ["consultation_id", "id"], unique=False)
        batch_op.create_index(
            "ix_registry_entry_edits",
            ["consultation_id", "id"],
            unique=False,
            sqlite_where=sa.text("kind = 'edit'"),
            postgresql_where=sa.text("kind = 'edit'"),
        )
        batch_op.create_index(batch_op.f("ix_registry_entry_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(
            "ix_registry_entry_removals",
            ["consultation_id", "id"],
            unique=False,
            sqlite_where=sa.text("kind IN ('tombstone', 'moderation')"),
            postgresql_where=sa.text("kind IN ('tombstone', 'moderation')"),
        )

    op.create_table(
        "codebook",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_codebook_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_codebook_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_codebook_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codebook")),
        sa.UniqueConstraint("consultation_id", "number", name=op.f("uq_codebook_consultation_id_number")),
    )
    with op.batch_alter_table("codebook", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_codebook_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "dump",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting", "done", "failed", name="dumpstatus", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_entry", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_dump_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_dump_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dump")),
    )
    with op.batch_alter_table("dump", schema=None) as batch_op:
        batch_op.create_index("ix_dump_latest", ["consultation_id", "status", "finished_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_dump_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "login_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("browser", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_seconds", sa.Integer(), nullable=False),
        sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_login_session_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_login_session_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_login_session_token_digest")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_session_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_session_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_login_session_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "membership",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "operator",
                "ditp",
                "administrator",
                "organiser",
                "moderator",
                "analyst",
                "decision_maker",
                "reader",
                "facilitator",
                "member",
                "participant",
                "anonymous",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("consultation_id", sa.Uuid(), nullable=True),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by_id", sa.Uuid(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by_id", sa.Uuid(), nullable=True),
        sa.Column("revocation_reason", sa.String(length=300), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(revoked_at IS NULL) = (revocation_reason = '')", name="revocation_is_motivated"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_membership_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_membership_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_membership_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index("ix_membership_held", ["account_id", "revoked_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_membership_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(
            "uq_membership_consultation",
            ["account_id", "role", "consultation_id"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL AND consultation_id IS NOT NULL"),
            postgresql_where=sa.text("revoked_at IS NULL AND consultation_id IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_membership_organisation",
            ["account_id", "role"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL AND consultation_id IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL AND consultation_id IS NULL"),
        )

    op.create_table(
        "moderation_decision",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "act",
            sa.Enum(
                "hide", "dismiss", "restore", "uphold", name="act", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("ground", sa.String(length=40), nullable=True),
        sa.Column("article", sa.Integer(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("automated", sa.Boolean(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("delay_seconds", sa.Integer(), nullable=True),
        sa.Column("moderator_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contest_digest", sa.String(length=64), nullable=True),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(act = 'hide') = (ground IS NOT NULL)", name="hiding_has_a_ground"),
        sa.CheckConstraint("act = 'dismiss' OR length(message) > 0", name="explained"),
        sa.CheckConstraint("(ground IS NULL) = (article IS NULL)", name="ground_and_article"),
        sa.ForeignKeyConstraint(
            ["consultation_id"],
            ["consultation.id"],
            name=op.f("fk_moderation_decision_consultation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["moderator_id"], ["account.id"], name=op.f("fk_moderation_decision_moderator_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_moderation_decision_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_decision")),
        sa.UniqueConstraint("contest_digest", name=op.f("uq_moderation_decision_contest_digest")),
        sa.UniqueConstraint(
            "item_type", "item_id", "number", name=op.f("uq_moderation_decision_item_type_item_id_number")
        ),
    )
    with op.batch_alter_table("moderation_decision", schema=None) as batch_op:
        batch_op.create_index("ix_decision_public", ["consultation_id", "act", "decided_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_moderation_decision_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "platform_role",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "operator",
                "ditp",
                "administrator",
                "organiser",
                "moderator",
                "analyst",
                "decision_maker",
                "reader",
                "facilitator",
                "member",
                "participant",
                "anonymous",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('operator', 'ditp')", name="platform_roles_only"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_platform_role_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_platform_role")),
    )
    with op.batch_alter_table("platform_role", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_platform_role_account_id"), ["account_id"], unique=False)
        batch_op.create_index(
            "uq_platform_role_held",
            ["account_id", "role"],
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )

    op.create_table(
        "single_use_token",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "confirm_email",
                "reset_password",
                name="tokenpurpose",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_single_use_token_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_single_use_token_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_single_use_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_single_use_token_digest")),
    )
    with op.batch_alter_table("single_use_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_single_use_token_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_single_use_token_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("introduction", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("order_seed", sa.String(length=32), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("closes_at > opens_at", name="closes_after_it_opens"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_step_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_step_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
        sa.UniqueConstraint("consultation_id", "slug", name=op.f("uq_step_consultation_id_slug")),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_consultation_id"), ["consultation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_step_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "analysis_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("codebook_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "waiting", "done", "failed", name="runstatus", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by_id", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("manifest_digest", sa.String(length=64), nullable=True),
        sa.Column("publishable", sa.Boolean(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'waiting') = (finished_at IS NULL)", name="end_is_dated"),
        sa.CheckConstraint("published_at IS NULL OR status = 'done'", name="only_a_finished_run_is_published"),
        sa.ForeignKeyConstraint(["codebook_id"], ["codebook.id"], name=op.f("fk_analysis_run_codebook_id")),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_analysis_run_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_analysis_run_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["account.id"], name=op.f("fk_analysis_run_requested_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_analysis_run")),
    )
    with op.batch_alter_table("analysis_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_analysis_run_consultation_id"), ["consultation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_analysis_run_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "codebook_approval",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("codebook_id", sa.Uuid(), nullable=False),
        sa.Column(
            "party",
            sa.Enum("ditp", "administration", name="party", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("approver_id", sa.Uuid(), nullable=False),
        sa.Column("approver_name", sa.String(length=40), nullable=False),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["approver_id"], ["account.id"], name=op.f("fk_codebook_approval_approver_id")),
        sa.ForeignKeyConstraint(
            ["codebook_id"], ["codebook.id"], name=op.f("fk_codebook_approval_codebook_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_codebook_approval_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_codebook_approval")),
        sa.UniqueConstraint("codebook_id", "party", name=op.f("uq_codebook_approval_codebook_id_party")),
    )
    with op.batch_alter_table("codebook_approval", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_codebook_approval_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "contribution_draft",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_contribution_draft_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["step_id"], ["step.id"], name=op.f("fk_contribution_draft_step_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_contribution_draft")),
    )
    with op.batch_alter_table("contribution_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contribution_draft_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_contribution_draft_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_contribution_draft_step_id"), ["step_id"], unique=False)

    op.create_table(
        "import_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(length=20), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("file_sha256", sa.String(length=64), nullable=False),
        sa.Column("mapping", sa.Text(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "running",
                "done",
                "stopped",
                "undoing",
                "undone",
                name="batchstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("stopped_because", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_line", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("rows_added", sa.Integer(), nullable=False),
        sa.Column("rows_completed", sa.Integer(), nullable=False),
        sa.Column("rows_existing", sa.Integer(), nullable=False),
        sa.Column("rows_empty", sa.Integer(), nullable=False),
        sa.Column("rows_rejected", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_import_batch_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_import_batch_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_import_batch_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_batch")),
    )
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_batch_consultation_id"), ["consultation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_batch_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_import_batch_step_id"), ["step_id"], unique=False)

    op.create_table(
        "moderation_contest",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("contested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["answer_id"], ["moderation_decision.id"], name=op.f("fk_moderation_contest_answer_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["decision_id"],
            ["moderation_decision.id"],
            name=op.f("fk_moderation_contest_decision_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_moderation_contest_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moderation_contest")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_moderation_contest_decision_id")),
    )
    with op.batch_alter_table("moderation_contest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_moderation_contest_answer_id"), ["answer_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_moderation_contest_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "question",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "single",
                "multiple",
                "short_text",
                "long_text",
                name="questionkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.Column("help", sa.Text(), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column(
            "visibility",
            sa.Enum(
                "rows",
                "aggregates",
                "administration",
                name="answervisibility",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_question_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_question_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question")),
        sa.UniqueConstraint("step_id", "position", name=op.f("uq_question_step_id_position")),
    )
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_question_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_question_step_id"), ["step_id"], unique=False)

    op.create_table(
        "reply",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "published",
                "hidden",
                "withdrawn",
                "erased",
                name="contentstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=40), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "live",
                "imported",
                "offline",
                "test",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("import_batch_id", sa.Uuid(), nullable=True),
        sa.Column("external_ref", sa.String(length=120), nullable=True),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'hidden') = (status_reason IS NOT NULL)", name="hiding_is_motivated"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reply_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_reply_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reply_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_reply_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
        sa.UniqueConstraint("step_id", "account_id", name=op.f("uq_reply_step_id_account_id")),
        sa.UniqueConstraint("step_id", "external_ref", name=op.f("uq_reply_step_id_external_ref")),
    )
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reply_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reply_import_batch_id"), ["import_batch_id"], unique=False)
        batch_op.create_index("ix_reply_listed", ["step_id", "status", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reply_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_reply_public", ["consultation_id", "status", "id"], unique=False)

    op.create_table(
        "reply_draft",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("holder_digest", sa.String(length=64), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(account_id IS NULL) <> (holder_digest IS NULL)", name="one_holder"),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_reply_draft_account_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_reply_draft_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_reply_draft_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply_draft")),
        sa.UniqueConstraint("step_id", "account_id", name=op.f("uq_reply_draft_step_id_account_id")),
        sa.UniqueConstraint("step_id", "holder_digest", name=op.f("uq_reply_draft_step_id_holder_digest")),
    )
    with op.batch_alter_table("reply_draft", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reply_draft_account_id"), ["account_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reply_draft_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_reply_draft_updated_at"), ["updated_at"], unique=False)

    op.create_table(
        "report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("item_type", sa.String(length=40), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("reporter_key", sa.String(length=64), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_report_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["decision_id"], ["moderation_decision.id"], name=op.f("fk_report_decision_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_report_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint(
            "item_type", "item_id", "reporter_key", name=op.f("uq_report_item_type_item_id_reporter_key")
        ),
    )
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_report_consultation_id"), ["consultation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_report_decision_id"), ["decision_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_report_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_report_waiting", ["organisation_id", "decision_id", "reported_at"], unique=False)

    op.create_table(
        "search_document",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_search_document_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_search_document_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_document")),
        sa.UniqueConstraint("item_id", name=op.f("uq_search_document_item_id")),
    )
    with op.batch_alter_table("search_document", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_search_document_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_search_document_step_id"), ["step_id"], unique=False)

    op.create_table(
        "step_secret",
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=32), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_step_secret_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_step_secret_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("step_id", name=op.f("pk_step_secret")),
    )
    with op.batch_alter_table("step_secret", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_step_secret_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "theme",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_theme_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_theme_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_theme")),
        sa.UniqueConstraint("step_id", "slug", name=op.f("uq_theme_step_id_slug")),
    )
    with op.batch_alter_table("theme", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_theme_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_theme_step_id"), ["step_id"], unique=False)

    op.create_table(
        "answer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reply_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("other", sa.Text(), nullable=True),
        sa.Column("import_batch_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_answer_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_answer_question_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["reply_id"], ["reply.id"], name=op.f("fk_answer_reply_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
        sa.UniqueConstraint("reply_id", "question_id", name=op.f("uq_answer_reply_id_question_id")),
    )
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_answer_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_answer_question_id"), ["question_id"], unique=False)

    op.create_table(
        "proposal",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("theme_id", sa.Uuid(), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "published",
                "hidden",
                "withdrawn",
                "erased",
                name="contentstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=40), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "live",
                "imported",
                "offline",
                "test",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("import_batch_id", sa.Uuid(), nullable=True),
        sa.Column("external_ref", sa.String(length=120), nullable=True),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("submission_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("random_rank", sa.BigInteger(), nullable=False),
        sa.Column("votes_for", sa.Integer(), nullable=False),
        sa.Column("votes_mixed", sa.Integer(), nullable=False),
        sa.Column("votes_against", sa.Integer(), nullable=False),
        sa.Column("votes_total", sa.Integer(), nullable=False),
        sa.Column("imported_votes_for", sa.Integer(), nullable=False),
        sa.Column("imported_votes_mixed", sa.Integer(), nullable=False),
        sa.Column("imported_votes_against", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'hidden') = (status_reason IS NOT NULL)", name="hiding_is_motivated"),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_proposal_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_proposal_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_proposal_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_proposal_step_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["theme_id"], ["theme.id"], name=op.f("fk_proposal_theme_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("step_id", "external_ref", name=op.f("uq_proposal_step_id_external_ref")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_proposal_submission_key")),
    )
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_proposal_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposal_import_batch_id"), ["import_batch_id"], unique=False)
        batch_op.create_index(
            "ix_proposal_imported",
            ["step_id", "origin", "status", "imported_votes_for", "imported_votes_mixed", "imported_votes_against"],
            unique=False,
        )
        batch_op.create_index("ix_proposal_listed", ["consultation_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposal_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_proposal_random", ["step_id", "status", "random_rank"], unique=False)
        batch_op.create_index("ix_proposal_recent", ["step_id", "status", "created_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_proposal_theme_id"), ["theme_id"], unique=False)
        batch_op.create_index("ix_proposal_voted", ["step_id", "status", "votes_total", "random_rank"], unique=False)

    op.create_table(
        "question_option",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=500), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "normal", "other", "exclusive", name="optionkind", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_question_option_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["question_id"], ["question.id"], name=op.f("fk_question_option_question_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_option")),
        sa.UniqueConstraint("question_id", "position", name=op.f("uq_question_option_question_id_position")),
    )
    with op.batch_alter_table("question_option", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_question_option_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "rejected_row",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_rejected_row_batch_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_rejected_row_organisation_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rejected_row")),
    )
    with op.batch_alter_table("rejected_row", schema=None) as batch_op:
        batch_op.create_index("ix_rejected_row_listed", ["batch_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_rejected_row_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "argument",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_name", sa.String(length=80), nullable=False),
        sa.Column(
            "side",
            sa.Enum("for", "against", name="side", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "published",
                "hidden",
                "withdrawn",
                "erased",
                name="contentstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=40), nullable=True),
        sa.Column(
            "origin",
            sa.Enum(
                "live",
                "imported",
                "offline",
                "test",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("import_batch_id", sa.Uuid(), nullable=True),
        sa.Column("external_ref", sa.String(length=120), nullable=True),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("submission_key", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("votes_for", sa.Integer(), nullable=False),
        sa.Column("imported_votes_for", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(status = 'hidden') = (status_reason IS NOT NULL)", name="hiding_is_motivated"),
        sa.ForeignKeyConstraint(["author_id"], ["account.id"], name=op.f("fk_argument_author_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_argument_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_argument_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_argument_proposal_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_argument_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_argument")),
        sa.UniqueConstraint("proposal_id", "external_ref", name=op.f("uq_argument_proposal_id_external_ref")),
        sa.UniqueConstraint("submission_key", name=op.f("uq_argument_submission_key")),
    )
    with op.batch_alter_table("argument", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_argument_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_argument_import_batch_id"), ["import_batch_id"], unique=False)
        batch_op.create_index("ix_argument_listed", ["consultation_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_argument_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index("ix_argument_shown", ["proposal_id", "status", "side"], unique=False)
        batch_op.create_index("ix_argument_tally", ["step_id", "status", "votes_for"], unique=False)

    op.create_table(
        "content_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("argument_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(proposal_id IS NULL) <> (argument_id IS NULL)", name="one_content"),
        sa.ForeignKeyConstraint(
            ["argument_id"], ["argument.id"], name=op.f("fk_content_version_argument_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_content_version_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_content_version_proposal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content_version")),
        sa.UniqueConstraint("argument_id", "version", name=op.f("uq_content_version_argument_id_version")),
        sa.UniqueConstraint("proposal_id", "version", name=op.f("uq_content_version_proposal_id_version")),
    )
    with op.batch_alter_table("content_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_content_version_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "vote",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("consultation_id", sa.Uuid(), nullable=False),
        sa.Column("step_id", sa.Uuid(), nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("argument_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column(
            "value",
            sa.Enum("for", "mixed", "against", name="votevalue", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column(
            "origin",
            sa.Enum(
                "live",
                "imported",
                "offline",
                "test",
                name="origin",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("registry_ref", sa.String(length=32), nullable=True),
        sa.Column("cast_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("argument_id IS NULL OR value = 'for'", name="arguments_are_found_useful_or_not"),
        sa.CheckConstraint("(proposal_id IS NULL) <> (argument_id IS NULL)", name="one_target"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_vote_account_id"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(["argument_id"], ["argument.id"], name=op.f("fk_vote_argument_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["consultation_id"], ["consultation.id"], name=op.f("fk_vote_consultation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_vote_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["proposal_id"], ["proposal.id"], name=op.f("fk_vote_proposal_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["step_id"], ["step.id"], name=op.f("fk_vote_step_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote")),
        sa.UniqueConstraint("account_id", "argument_id", name=op.f("uq_vote_account_id_argument_id")),
        sa.UniqueConstraint("account_id", "proposal_id", name=op.f("uq_vote_account_id_proposal_id")),
    )
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vote_argument_id"), ["argument_id"], unique=False)
        batch_op.create_index("ix_vote_listed", ["consultation_id", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_proposal_id"), ["proposal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_step_id"), ["step_id"], unique=False)

    op.create_table(
        "vote_delta",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("proposal_id", sa.Uuid(), nullable=True),
        sa.Column("argument_id", sa.Uuid(), nullable=True),
        sa.Column(
            "value",
            sa.Enum("for", "mixed", "against", name="votevalue", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("change", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["argument_id"], ["argument.id"], name=op.f("fk_vote_delta_argument_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_vote_delta_organisation_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_vote_delta_proposal_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vote_delta")),
    )
    with op.batch_alter_table("vote_delta", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_vote_delta_argument_id"), ["argument_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_delta_organisation_id"), ["organisation_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_vote_delta_proposal_id"), ["proposal_id"], unique=False)
    for statement in BESIDE_THE_TABLES[op.get_bind().dialect.name]:
        op.execute(sa.text(statement.replace(":", "\\:")))


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_words")
    with op.batch_alter_table("vote_delta", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vote_delta_proposal_id"))
        batch_op.drop_index(batch_op.f("ix_vote_delta_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_vote_delta_argument_id"))

    op.drop_table("vote_delta")
    with op.batch_alter_table("vote", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_vote_step_id"))
        batch_op.drop_index(batch_op.f("ix_vote_proposal_id"))
        batch_op.drop_index(batch_op.f("ix_vote_organisation_id"))
        batch_op.drop_index("ix_vote_listed")
        batch_op.drop_index(batch_op.f("ix_vote_argument_id"))

    op.drop_table("vote")
    with op.batch_alter_table("content_version", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_content_version_organisation_id"))

    op.drop_table("content_version")
    with op.batch_alter_table("argument", schema=None) as batch_op:
        batch_op.drop_index("ix_argument_tally")
        batch_op.drop_index("ix_argument_shown")
        batch_op.drop_index(batch_op.f("ix_argument_organisation_id"))
        batch_op.drop_index("ix_argument_listed")
        batch_op.drop_index(batch_op.f("ix_argument_import_batch_id"))
        batch_op.drop_index(batch_op.f("ix_argument_author_id"))

    op.drop_table("argument")
    with op.batch_alter_table("rejected_row", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rejected_row_organisation_id"))
        batch_op.drop_index("ix_rejected_row_listed")

    op.drop_table("rejected_row")
    with op.batch_alter_table("question_option", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_question_option_organisation_id"))

    op.drop_table("question_option")
    with op.batch_alter_table("proposal", schema=None) as batch_op:
        batch_op.drop_index("ix_proposal_voted")
        batch_op.drop_index(batch_op.f("ix_proposal_theme_id"))
        batch_op.drop_index("ix_proposal_recent")
        batch_op.drop_index("ix_proposal_random")
        batch_op.drop_index(batch_op.f("ix_proposal_organisation_id"))
        batch_op.drop_index("ix_proposal_listed")
        batch_op.drop_index("ix_proposal_imported")
        batch_op.drop_index(batch_op.f("ix_proposal_import_batch_id"))
        batch_op.drop_index(batch_op.f("ix_proposal_author_id"))

    op.drop_table("proposal")
    with op.batch_alter_table("answer", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_question_id"))
        batch_op.drop_index(batch_op.f("ix_answer_organisation_id"))

    op.drop_table("answer")
    with op.batch_alter_table("theme", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_theme_step_id"))
        batch_op.drop_index(batch_op.f("ix_theme_organisation_id"))

    op.drop_table("theme")
    with op.batch_alter_table("step_secret", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_step_secret_organisation_id"))

    op.drop_table("step_secret")
    with op.batch_alter_table("search_document", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_search_document_step_id"))
        batch_op.drop_index(batch_op.f("ix_search_document_organisation_id"))

    op.drop_table("search_document")
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.drop_index("ix_report_waiting")
        batch_op.drop_index(batch_op.f("ix_report_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_report_decision_id"))
        batch_op.drop_index(batch_op.f("ix_report_consultation_id"))

    op.drop_table("report")
    with op.batch_alter_table("reply_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_reply_draft_updated_at"))
        batch_op.drop_index(batch_op.f("ix_reply_draft_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_reply_draft_account_id"))

    op.drop_table("reply_draft")
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.drop_index("ix_reply_public")
        batch_op.drop_index(batch_op.f("ix_reply_organisation_id"))
        batch_op.drop_index("ix_reply_listed")
        batch_op.drop_index(batch_op.f("ix_reply_import_batch_id"))
        batch_op.drop_index(batch_op.f("ix_reply_account_id"))

    op.drop_table("reply")
    with op.batch_alter_table("question", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_question_step_id"))
        batch_op.drop_index(batch_op.f("ix_question_organisation_id"))

    op.drop_table("question")
    with op.batch_alter_table("moderation_contest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_moderation_contest_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_moderation_contest_answer_id"))

    op.drop_table("moderation_contest")
    with op.batch_alter_table("import_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_batch_step_id"))
        batch_op.drop_index(batch_op.f("ix_import_batch_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_import_batch_consultation_id"))

    op.drop_table("import_batch")
    with op.batch_alter_table("contribution_draft", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contribution_draft_step_id"))
        batch_op.drop_index(batch_op.f("ix_contribution_draft_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_contribution_draft_expires_at"))

    op.drop_table("contribution_draft")
    with op.batch_alter_table("codebook_approval", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_codebook_approval_organisation_id"))

    op.drop_table("codebook_approval")
    with op.batch_alter_table("analysis_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_analysis_run_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_analysis_run_consultation_id"))

    op.drop_table("analysis_run")
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_step_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_step_consultation_id"))

    op.drop_table("step")
    with op.batch_alter_table("single_use_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_single_use_token_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_single_use_token_account_id"))

    op.drop_table("single_use_token")
    with op.batch_alter_table("platform_role", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_platform_role_held",
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_platform_role_account_id"))

    op.drop_table("platform_role")
    with op.batch_alter_table("moderation_decision", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_moderation_decision_organisation_id"))
        batch_op.drop_index("ix_decision_public")

    op.drop_table("moderation_decision")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_membership_organisation",
            sqlite_where=sa.text("revoked_at IS NULL AND consultation_id IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL AND consultation_id IS NULL"),
        )
        batch_op.drop_index(
            "uq_membership_consultation",
            sqlite_where=sa.text("revoked_at IS NULL AND consultation_id IS NOT NULL"),
            postgresql_where=sa.text("revoked_at IS NULL AND consultation_id IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_membership_organisation_id"))
        batch_op.drop_index("ix_membership_held")

    op.drop_table("membership")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_session_organisation_id"))
        batch_op.drop_index(batch_op.f("ix_login_session_expires_at"))
        batch_op.drop_index(batch_op.f("ix_login_session_account_id"))

    op.drop_table("login_session")
    with op.batch_alter_table("dump", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dump_organisation_id"))
        batch_op.drop_index("ix_dump_latest")

    op.drop_table("dump")
    with op.batch_alter_table("codebook", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_codebook_organisation_id"))

    op.drop_table("codebook")
    with op.batch_alter_table("registry_entry", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_registry_entry_removals",
            sqlite_where=sa.text("kind IN ('tombstone', 'moderation')"),
            postgresql_where=sa.text("kind IN ('tombstone', 'moderation')"),
        )
        batch_op.drop_index(batch_op.f("ix_registry_entry_organisation_id"))
        batch_op.drop_index(
            "ix_registry_entry_edits", sqlite_where=sa.text("kind = 'edit'"), postgresql_where=sa.text("kind = 'edit'")
        )
        batch_op.drop_index("ix_registry_entry_consultation")

    op.drop_table("registry_entry")
    with op.batch_alter_table("outgoing_mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outgoing_mail_recipient"))
        batch_op.drop_index(batch_op.f("ix_outgoing_mail_organisation_id"))

    op.drop_table("outgoing_mail")
    with op.batch_alter_table("erasure_entry", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_erasure_entry_organisation_id"))

    op.drop_table("erasure_entry")
    with op.batch_alter_table("consultation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_consultation_status"))
        batch_op.drop_index(batch_op.f("ix_consultation_organisation_id"))

    op.drop_table("consultation")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_account_confirmed_email",
            sqlite_where=sa.text("confirmed_at IS NOT NULL"),
            postgresql_where=sa.text("confirmed_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_account_organisation_id"))
        batch_op.drop_index("ix_account_email_key")

    op.drop_table("account")
    with op.batch_alter_table("spent_proof", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_spent_proof_expires_at"))

    op.drop_table("spent_proof")
    op.drop_table("organisation")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_organisation_id"))
        batch_op.drop_index("ix_job_due")

    op.drop_table("job")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_organisation")
        batch_op.drop_index(batch_op.f("ix_audit_entry_account_id"))

    op.drop_table("audit_entry")
    with op.batch_alter_table("attempt_count", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_attempt_count_expires_at"))

    op.drop_table("attempt_count")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION consult_refuse_change()")
