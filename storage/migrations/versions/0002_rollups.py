"""Rollups; the production day of every record; the log in partitions by day."""

from datetime import date, datetime, timedelta

import polars as pl
import sqlalchemy as sa
from alembic import op

from storage.database import copy_in
from storage.domain.production_day import day_bounds, day_of
from storage.domain.well import Field

revision = "0002"
down_revision = "0001"

_VOLUMES = (
    "oil_sm3",
    "gas_sm3",
    "water_sm3",
    "condensate_sm3",
    "injected_water_sm3",
    "injected_gas_sm3",
)
_STATES = (
    "wellhead_pressure_bar",
    "downhole_pressure_bar",
    "annulus_pressure_bar",
    "wellhead_temperature_degc",
    "downhole_temperature_degc",
    "choke_pct",
    "gas_lift_sm3_per_d",
)
_QUANTITIES = (*_VOLUMES, "on_stream_s", *_STATES)


def upgrade() -> None:
    _stamp_records()
    _partition_log()
    _make_rollups()


def _stamp_records() -> None:
    """Give every record its production day and the hour within it."""
    op.add_column("records", sa.Column("day", sa.Date(), comment="the field's production day that start lies in"))
    op.add_column("records", sa.Column("hour", sa.SmallInteger(), comment="hours from the start of that day to start"))
    connection = op.get_bind()
    op.execute("CREATE TEMP TABLE days (field_id int, day date, since timestamptz, until timestamptz)")
    fields = connection.execute(
        sa.text(
            "SELECT f.field_id, f.slug, f.name, f.time_zone, f.day_start_s, min(r.start) AS first, max(r.start) AS last"
            " FROM fields f JOIN records r USING (field_id) GROUP BY f.field_id"
        )
    ).all()
    for field_id, slug, name, zone, day_start_s, first, last in fields:
        copy_in(connection, "days", _days(field_id, Field(slug, name, zone, day_start_s), first, last))
    op.execute("ANALYZE days")
    op.execute(
        "UPDATE records SET day = days.day, hour = floor(extract(epoch FROM records.start - days.since) / 3600)"
        " FROM days WHERE records.field_id = days.field_id"
        " AND records.start >= days.since AND records.start < days.until"
    )
    op.execute("DROP TABLE days")
    op.alter_column("records", "day", nullable=False)
    op.alter_column("records", "hour", nullable=False)
    op.create_index("ix_records_field_id_log_offset", "records", ["field_id", "log_offset"])
    op.execute(
        "COMMENT ON TABLE records IS 'The newest revision of every record. Partitions by year of start are made ahead,"
        " or when first needed.'"
    )


def _days(field_id: int, field: Field, first: datetime, last: datetime) -> pl.DataFrame:
    day, end, rows = day_of(field, first), day_of(field, last), []
    while day <= end:
        rows.append((field_id, day, *day_bounds(field, day)))
        day += timedelta(days=1)
    return pl.DataFrame(rows, schema=["field_id", "day", "since", "until"], orient="row")


def _partition_log() -> None:
    """The log again, in partitions by UTC day of what is in it."""
    op.rename_table("log", "log_before")
    op.execute("ALTER INDEX pk_log RENAME TO pk_log_before")
    op.create_table(
        "log",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("log_offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="the message as followers get it"),
        sa.PrimaryKeyConstraint("field_id", "log_offset", "logged_at", name=op.f("pk_log")),
        comment="Partitions by UTC day of logged_at are made ahead, and dropped when they are past what is kept.",
        postgresql_partition_by="RANGE (logged_at)",
    )
    days: list[date] = [
        row[0]
        for row in op.get_bind().execute(
            sa.text("SELECT DISTINCT (logged_at AT TIME ZONE 'UTC')::date FROM log_before ORDER BY 1")
        )
    ]
    for day in days:
        op.execute(
            f"CREATE TABLE log_{day:%Y%m%d} PARTITION OF log"
            f" FOR VALUES FROM ('{day}+00') TO ('{day + timedelta(days=1)}+00')"
        )
    op.execute(
        "INSERT INTO log (field_id, log_offset, logged_at, body)"
        " SELECT field_id, log_offset, logged_at, body FROM log_before"
    )
    op.drop_table("log_before")


def _make_rollups() -> None:
    _make_rollup(
        "hour_rollups",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.SmallInteger(), autoincrement=False, nullable=False),
    )
    _make_rollup("day_rollups", sa.Column("day", sa.Date(), nullable=False))
    _make_rollup("month_rollups", sa.Column("month", sa.Date(), nullable=False))
    op.create_table(
        "rollup_heads",
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column(
            "log_offset", sa.BigInteger(), nullable=False, comment="the field's rollups are right at this position"
        ),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("day_start_s", sa.Integer(), nullable=False),
        sa.Column(
            "clock_changed",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="records must be stamped again",
        ),
        sa.ForeignKeyConstraint(["field_id"], ["fields.field_id"], name=op.f("fk_rollup_heads_field_id")),
        sa.PrimaryKeyConstraint("field_id", name=op.f("pk_rollup_heads")),
        comment="How far, and by which clock, each field's rollups have followed its log.",
    )
    op.execute(
        "INSERT INTO rollup_heads (field_id, log_offset, time_zone, day_start_s)"
        " SELECT field_id, 0, time_zone, day_start_s FROM fields"
    )


def _make_rollup(name: str, *bucket: sa.Column[object]) -> None:
    keys = [column.name for column in bucket]
    op.create_table(
        name,
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("well_id", sa.Integer(), autoincrement=False, nullable=False, comment="0 is the field itself"),
        *bucket,
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("suspects", sa.Integer(), nullable=False),
        sa.Column("measured_s", sa.Double(), nullable=False),
        sa.Column("quality_sum", sa.Double(), nullable=False, comment="quality x seconds"),
        *(sa.Column(f"{one}_sum", sa.Double(), comment="of a state: state x seconds") for one in _QUANTITIES),
        *(sa.Column(f"{one}_s", sa.Double(), comment="seconds in which it was measured") for one in _QUANTITIES),
        *(
            sa.Column(f"{one}_{extreme}", sa.Double(), comment="of a volume: of its rate per day")
            for extreme in ("low", "high")
            for one in (*_VOLUMES, *_STATES)
        ),
        sa.Column("wells", sa.Integer(), nullable=False, server_default="1"),
        sa.Column("wells_expected", sa.Integer()),
        sa.Column("potential_share", sa.Double()),
        sa.Column("log_offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("field_id", "well_id", *keys, name=op.f(f"pk_{name}")),
    )
    op.create_index(f"ix_{name}_field_id_bucket", name, ["field_id", *keys])
