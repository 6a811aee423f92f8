"""Quarantine that can be released, the audit trail, and the rules that judged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"

_APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    for column in (
        sa.Column(
            "read",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="what was understood of the row, as a record's columns; null before schema 0003",
        ),
        sa.Column(
            "whole",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="whether all of the row was understood",
        ),
        sa.Column(
            "well",
            sa.Text(),
            nullable=True,
            comment="with start, seconds and resolution: which record the row would be, as far as known",
        ),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="open", nullable=False, comment="open, released or rejected"),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_because", sa.Text(), nullable=True),
        sa.Column(
            "correction",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="column to value, as released",
        ),
        sa.Column(
            "outcome",
            sa.Text(),
            nullable=True,
            comment="what became of the released row: accepted, duplicate or revised",
        ),
    ):
        op.add_column("quarantine", column)
    op.create_index("ix_quarantine_well_start", "quarantine", ["well", "start"])
    op.create_index(
        "ix_quarantine_reasons",
        "quarantine",
        ["reasons"],
        postgresql_using="gin",
        postgresql_ops={"reasons": "jsonb_path_ops"},
    )
    op.create_index("ix_quarantine_state", "quarantine", ["state", "quarantine_id"])
    op.create_table(
        "rule_sets",
        sa.Column("digest", sa.Text(), nullable=False, comment="start of the SHA-256 of the rules"),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", "version", name=op.f("pk_rule_sets")),
        comment="Every document of rules that ever judged here.",
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="a person, or the source that sent it"),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "well",
            sa.Text(),
            nullable=True,
            comment="with start, seconds and resolution: the record that it concerns, if one",
        ),
        sa.Column("start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("quarantine_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
        comment="What people and sources did to records and rules. Append-only: triggers refuse all else.",
    )
    op.create_index("ix_audit_well_start", "audit", ["well", "start"])
    op.create_index("ix_audit_quarantine_id", "audit", ["quarantine_id"])
    op.execute(_APPEND_ONLY)
    for table in ("audit", "rule_sets"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
