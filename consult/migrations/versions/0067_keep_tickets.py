"""Keep tickets, their clocks, what is said about them, and a history that never changes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from consult.immutable import refuse_changes_ddl

revision: str = "0067"
down_revision: str | Sequence[str] | None = "0074"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _refuse_changes(table: str, *columns: str) -> None:
    for statement in refuse_changes_ddl(table, op.get_bind().dialect.name, columns=columns, keep_days=None):
        op.execute(statement)


def upgrade() -> None:
    op.create_table('ticket',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('anomaly', 'accessibility', 'assistance', name='kind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('t0', sa.DateTime(timezone=True), nullable=False),
    sa.Column('title', sa.String(length=200), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('reported_by_id', sa.Uuid(), nullable=True),
    sa.Column('severity', sa.Enum('blocking', 'major', 'minor', name='severity', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cause', sa.String(length=200), nullable=False),
    sa.Column('release', sa.String(length=200), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.CheckConstraint("severity IS NULL OR kind = 'anomaly'", name='anomalies_alone_are_severe'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_ticket_organisation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['reported_by_id'], ['account.id'], name=op.f('fk_ticket_reported_by_id'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('organisation_id', 'number', name=op.f('uq_ticket_organisation_id_number'))
    )
    op.create_index(op.f('ix_ticket_organisation_id'), 'ticket', ['organisation_id'], unique=False)

    op.create_table('ticket_clock',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('milestone', sa.Enum('acknowledged', 'diagnosed', 'worked_around', 'resolved', 'caught_up', 'answered', name='milestone', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('deadline', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reached_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('alert', sa.Integer(), nullable=False),
    sa.Column('alert_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_ticket_clock_organisation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_clock_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_clock')),
    sa.UniqueConstraint('ticket_id', 'milestone', name=op.f('uq_ticket_clock_ticket_id_milestone'))
    )
    op.create_index('ix_ticket_clock_alert_at', 'ticket_clock', ['alert_at'], unique=False, sqlite_where=sa.text('alert_at IS NOT NULL'), postgresql_where=sa.text('alert_at IS NOT NULL'))
    op.create_index(op.f('ix_ticket_clock_organisation_id'), 'ticket_clock', ['organisation_id'], unique=False)

    op.create_table('ticket_event',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.Enum('opened', 'severity', 'reached', 'taken_back', 'message', 'file', 'explained', 'alerted', 'closed', 'reopened', 'published', name='eventkind', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('side', sa.Enum('administration', 'contractor', 'requester', 'system', name='side', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('account_id', sa.Uuid(), nullable=True),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_ticket_event_organisation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_event_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_event')),
    sa.UniqueConstraint('ticket_id', 'number', name=op.f('uq_ticket_event_ticket_id_number'))
    )
    op.create_index(op.f('ix_ticket_event_organisation_id'), 'ticket_event', ['organisation_id'], unique=False)

    op.create_table('ticket_file',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('sender_id', sa.Uuid(), nullable=True),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('media_type', sa.String(length=40), nullable=False),
    sa.Column('digest', sa.String(length=64), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_ticket_file_organisation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['sender_id'], ['account.id'], name=op.f('fk_ticket_file_sender_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_file_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_file'))
    )
    op.create_index(op.f('ix_ticket_file_organisation_id'), 'ticket_file', ['organisation_id'], unique=False)
    op.create_index(op.f('ix_ticket_file_ticket_id'), 'ticket_file', ['ticket_id'], unique=False)

    op.create_table('ticket_message',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ticket_id', sa.Uuid(), nullable=False),
    sa.Column('said_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('side', sa.Enum('administration', 'contractor', 'requester', 'system', name='side', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('author_id', sa.Uuid(), nullable=True),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('organisation_id', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['account.id'], name=op.f('fk_ticket_message_author_id'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['organisation_id'], ['organisation.id'], name=op.f('fk_ticket_message_organisation_id'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_message_ticket_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_message'))
    )
    op.create_index(op.f('ix_ticket_message_organisation_id'), 'ticket_message', ['organisation_id'], unique=False)
    op.create_index(op.f('ix_ticket_message_ticket_id'), 'ticket_message', ['ticket_id'], unique=False)

    _refuse_changes("ticket", "number", "kind", "t0")
    _refuse_changes("ticket_event")


def downgrade() -> None:
    for table in ("ticket_message", "ticket_file", "ticket_event", "ticket_clock", "ticket"):
        op.drop_table(table)
