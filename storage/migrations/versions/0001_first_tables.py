"""Fields, wells, records, quarantine and the log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "fields",
        sa.Column("field_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("day_start_s", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("field_id", name=op.f("pk_fields")),
        sa.UniqueConstraint("slug", name=op.f("uq_fields_slug")),
    )
    op.create_table(
        "log",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("log_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the message as followers get it"),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("field_id", "log_offset", name=op.f("pk_log")),
    )
    op.create_table(
        "log_epoch",
        sa.Column("only", sa.Integer(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("epoch", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_log_epoch")),
        comment="One row: this database's life. A restored copy gets a new epoch.",
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column(
            "field", sa.Text(), nullable=True, comment="public id as the row claims it; null where the row names none"
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False, comment="where in the source: sheet and row, line, index"),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=False,
            comment="[{rule, field, value, message}]",
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="of source, raw and reasons: kept once"),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("quarantine_id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("digest", name=op.f("uq_quarantine_digest")),
    )
    op.create_index("ix_quarantine_field_received_at", "quarantine", ["field", "received_at"], unique=False)
    op.create_table(
        "records",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("well_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("oil_sm3", sa.Double(), nullable=True),
        sa.Column("gas_sm3", sa.Double(), nullable=True),
        sa.Column("water_sm3", sa.Double(), nullable=True),
        sa.Column("condensate_sm3", sa.Double(), nullable=True),
        sa.Column("injected_water_sm3", sa.Double(), nullable=True),
        sa.Column("injected_gas_sm3", sa.Double(), nullable=True),
        sa.Column("on_stream_s", sa.Double(), nullable=True),
        sa.Column("wellhead_pressure_bar", sa.Double(), nullable=True),
        sa.Column("downhole_pressure_bar", sa.Double(), nullable=True),
        sa.Column("annulus_pressure_bar", sa.Double(), nullable=True),
        sa.Column("wellhead_temperature_degc", sa.Double(), nullable=True),
        sa.Column("downhole_temperature_degc", sa.Double(), nullable=True),
        sa.Column("choke_pct", sa.Double(), nullable=True),
        sa.Column("gas_lift_sm3_per_d", sa.Double(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("issues", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("audit_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("field_id", "well_id", "resolution", "start", "seconds", name=op.f("pk_records")),
        comment="The newest revision of every record. Partitions by year of start are made when first needed.",
        postgresql_partition_by="RANGE (start)",
    )
    op.create_table(
        "superseded_records",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("well_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("revision", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("oil_sm3", sa.Double(), nullable=True),
        sa.Column("gas_sm3", sa.Double(), nullable=True),
        sa.Column("water_sm3", sa.Double(), nullable=True),
        sa.Column("condensate_sm3", sa.Double(), nullable=True),
        sa.Column("injected_water_sm3", sa.Double(), nullable=True),
        sa.Column("injected_gas_sm3", sa.Double(), nullable=True),
        sa.Column("on_stream_s", sa.Double(), nullable=True),
        sa.Column("wellhead_pressure_bar", sa.Double(), nullable=True),
        sa.Column("downhole_pressure_bar", sa.Double(), nullable=True),
        sa.Column("annulus_pressure_bar", sa.Double(), nullable=True),
        sa.Column("wellhead_temperature_degc", sa.Double(), nullable=True),
        sa.Column("downhole_temperature_degc", sa.Double(), nullable=True),
        sa.Column("choke_pct", sa.Double(), nullable=True),
        sa.Column("gas_lift_sm3_per_d", sa.Double(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("quality", sa.Double(), nullable=False),
        sa.Column("issues", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("audit_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("log_offset", sa.BigInteger(), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "field_id", "well_id", "resolution", "start", "seconds", "revision", name=op.f("pk_superseded_records")
        ),
        comment="Earlier revisions, as they stood until superseded_at.",
    )
    op.create_table(
        "log_heads",
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("head", sa.BigInteger(), server_default="0", nullable=False, comment="offset of the newest log row"),
        sa.Column(
            "oldest", sa.BigInteger(), server_default="1", nullable=False, comment="offset of the oldest row still kept"
        ),
        sa.ForeignKeyConstraint(["field_id"], ["fields.field_id"], name=op.f("fk_log_heads_field_id")),
        sa.PrimaryKeyConstraint("field_id", name=op.f("pk_log_heads")),
        comment="The counter row of each field's log, locked from taking an offset until commit.",
    )
    op.create_table(
        "wells",
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("well_id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), server_default="producer", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["field_id"], ["fields.field_id"], name=op.f("fk_wells_field_id")),
        sa.PrimaryKeyConstraint("field_id", "well_id", name=op.f("pk_wells")),
        sa.UniqueConstraint("field_id", "slug", name=op.f("uq_wells_field_id_slug")),
    )
