"""The tables of PostgreSQL, as SQLAlchemy Core metadata; the field stands in every key, to distribute by it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storage.domain.record import QUANTITY_COLUMNS
from storage.domain.rollup import EXTREMES

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _now() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


fields = Table(
    "fields",
    metadata,
    Column("field_id", Integer, Identity(always=True), primary_key=True),
    Column("slug", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("day_start_s", Integer, nullable=False, server_default="0"),
    _now(),
)

wells = Table(
    "wells",
    metadata,
    Column("field_id", ForeignKey(fields.c.field_id), primary_key=True),
    Column("well_id", Integer, Identity(always=True), primary_key=True),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("purpose", Text, nullable=False, server_default="producer"),
    _now(),
    UniqueConstraint("field_id", "slug"),
)


def _key_columns() -> list[Column[object]]:
    return [
        Column("field_id", Integer, primary_key=True, autoincrement=False),
        Column("well_id", Integer, primary_key=True, autoincrement=False),
        Column("resolution", Text, primary_key=True),
        Column("start", DateTime(timezone=True), primary_key=True),
        Column("seconds", Integer, primary_key=True, autoincrement=False),
    ]


def _content_columns() -> list[Column[object]]:
    return [
        *(Column(name, Double) for name in QUANTITY_COLUMNS),
        Column("verdict", Text, nullable=False),
        Column("quality", Double, nullable=False),
        Column("issues", ARRAY(Text), nullable=False),
        Column("audit_id", Text),
        Column("source", Text, nullable=False),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("log_offset", BigInteger, nullable=False),
    ]


records = Table(
    "records",
    metadata,
    *_key_columns(),
    Column("revision", SmallInteger, nullable=False, server_default="0"),
    *_content_columns(),
    Column("day", Date, nullable=False, comment="the field's production day that start lies in"),
    Column("hour", SmallInteger, nullable=False, comment="hours from the start of that day to start"),
    Index("ix_records_field_id_log_offset", "field_id", "log_offset"),
    Index("ix_records_suspects", "field_id", "day", postgresql_where=text("verdict = 'suspect'")),
    postgresql_partition_by="RANGE (start)",
    comment="The newest revision of every record. Partitions by year of start are made ahead, or when first needed.",
)

superseded_records = Table(
    "superseded_records",
    metadata,
    *_key_columns(),
    Column("revision", SmallInteger, primary_key=True, autoincrement=False),
    *_content_columns(),
    Column("superseded_at", DateTime(timezone=True), nullable=False),
    comment="Earlier revisions, as they stood until superseded_at.",
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", BigInteger, Identity(always=True), primary_key=True),
    Column("field", Text, comment="public id as the row claims it; null where the row names none"),
    Column("source", Text, nullable=False),
    Column("place", Text, nullable=False, comment="where in the source: sheet and row, line, index"),
    Column("raw", JSONB, nullable=False),
    Column("reasons", JSONB, nullable=False, comment="[{rule, field, value, message}]"),
    Column("digest", LargeBinary, nullable=False, unique=True, comment="of source, raw and reasons: kept once"),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("read", JSONB, comment="what was understood of the row, as a record's columns; null before schema 0003"),
    Column("whole", Boolean, nullable=False, server_default=false(), comment="whether all of the row was understood"),
    Column("well", Text, comment="with start, seconds and resolution: which record the row would be, as far as known"),
    Column("start", DateTime(timezone=True)),
    Column("seconds", Integer),
    Column("resolution", Text),
    Column("state", Text, nullable=False, server_default="open", comment="open, released or rejected"),
    Column("closed_at", DateTime(timezone=True)),
    Column("closed_by", Text),
    Column("closed_because", Text),
    Column("correction", JSONB, comment="column to value, as released"),
    Column("outcome", Text, comment="what became of the released row: accepted, duplicate or revised"),
    Index("ix_quarantine_field_received_at", "field", "received_at"),
    Index("ix_quarantine_well_start", "well", "start"),
    Index("ix_quarantine_reasons", "reasons", postgresql_using="gin", postgresql_ops={"reasons": "jsonb_path_ops"}),
    Index("ix_quarantine_state", "state", "quarantine_id"),
)

log_epoch = Table(
    "log_epoch",
    metadata,
    Column("only", Integer, primary_key=True, autoincrement=False, server_default="1"),
    Column("epoch", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    comment="One row: this database's life. A restored copy gets a new epoch.",
)

log_heads = Table(
    "log_heads",
    metadata,
    Column("field_id", ForeignKey(fields.c.field_id), primary_key=True),
    Column("head", BigInteger, nullable=False, server_default="0", comment="offset of the newest log row"),
    Column("oldest", BigInteger, nullable=False, server_default="1", comment="offset of the oldest row still kept"),
    comment="The counter row of each field's log, locked from taking an offset until commit.",
)

log = Table(
    "log",
    metadata,
    Column("field_id", Integer, primary_key=True, autoincrement=False),
    Column("log_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("logged_at", DateTime(timezone=True), primary_key=True),
    Column("body", LargeBinary, nullable=False, comment="the message as followers get it"),
    postgresql_partition_by="RANGE (logged_at)",
    comment="Partitions by UTC day of logged_at are made ahead, and dropped when they are past what is kept.",
)


def _rollup(name: str, *bucket: Column[object]) -> Table:
    """Sums over the records of a bucket; what `storage.domain.rollup.ROLLUP_SCHEMA` is made from."""
    return Table(
        name,
        metadata,
        Column("field_id", Integer, primary_key=True, autoincrement=False),
        Column("well_id", Integer, primary_key=True, autoincrement=False, comment="0 is the field itself"),
        *bucket,
        Column("basis", Text, nullable=False),
        Column("records", Integer, nullable=False),
        Column("suspects", Integer, nullable=False),
        Column("measured_s", Double, nullable=False),
        Column("quality_sum", Double, nullable=False, comment="quality x seconds"),
        *(Column(f"{name}_sum", Double, comment="of a state: state x seconds") for name in QUANTITY_COLUMNS),
        *(Column(f"{name}_s", Double, comment="seconds in which it was measured") for name in QUANTITY_COLUMNS),
        *(Column(f"{name}_low", Double, comment="of a volume: of its rate per day") for name in EXTREMES),
        *(Column(f"{name}_high", Double, comment="of a volume: of its rate per day") for name in EXTREMES),
        Column("wells", Integer, nullable=False, server_default="1"),
        Column("wells_expected", Integer),
        Column("potential_share", Double),
        Column("log_offset", BigInteger, nullable=False),
        Index(f"ix_{name}_field_id_bucket", "field_id", *(column.name for column in bucket)),
    )


hour_rollups = _rollup(
    "hour_rollups",
    Column("day", Date, primary_key=True),
    Column("hour", SmallInteger, primary_key=True, autoincrement=False),
)
day_rollups = _rollup("day_rollups", Column("day", Date, primary_key=True))
month_rollups = _rollup("month_rollups", Column("month", Date, primary_key=True))

rollup_heads = Table(
    "rollup_heads",
    metadata,
    Column("field_id", ForeignKey(fields.c.field_id), primary_key=True),
    Column("log_offset", BigInteger, nullable=False, comment="the field's rollups are right at this position"),
    Column("time_zone", Text, nullable=False),
    Column("day_start_s", Integer, nullable=False),
    Column("clock_changed", Boolean, nullable=False, server_default=false(), comment="records must be stamped again"),
    comment="How far, and by which clock, each field's rollups have followed its log.",
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("digest", Text, primary_key=True, comment="start of the SHA-256 of the rules"),
    Column("version", Text, primary_key=True),
    Column("document", JSONB, nullable=False),
    Column("first_used_at", DateTime(timezone=True), nullable=False),
    comment="Every document of rules that ever judged here.",
)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("action", Text, nullable=False),
    Column("by", Text, nullable=False, comment="a person, or the source that sent it"),
    Column("reason", Text),
    Column("well", Text, comment="with start, seconds and resolution: the record that it concerns, if one"),
    Column("start", DateTime(timezone=True)),
    Column("seconds", Integer),
    Column("resolution", Text),
    Column("quarantine_id", BigInteger),
    Column("detail", JSONB, nullable=False),
    Index("ix_audit_well_start", "well", "start"),
    Index("ix_audit_quarantine_id", "quarantine_id"),
    comment="What people and sources did to records and rules. Append-only: triggers refuse all else.",
)

well_headers = Table(
    "well_headers",
    metadata,
    Column("field_id", Integer, primary_key=True, autoincrement=False),
    Column("well_id", Integer, primary_key=True, autoincrement=False),
    Column("api_number", Text, comment="text: it may begin with a zero"),
    Column("company", Text),
    Column("spud_date", Date),
    Column("total_depth_m", Double),
    Column("water_depth_m", Double),
    Column("latitude", Double),
    Column("longitude", Double),
    Column("first_production", Date),
    Column("source", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["field_id", "well_id"], [wells.c.field_id, wells.c.well_id]),
)

well_statuses = Table(
    "well_statuses",
    metadata,
    Column("field_id", Integer, primary_key=True, autoincrement=False),
    Column("well_id", Integer, primary_key=True, autoincrement=False),
    Column("aspect", Text, primary_key=True, comment="status, borehole, type, operator, lease, label"),
    Column("since", DateTime(timezone=True), primary_key=True),
    Column("until", DateTime(timezone=True), comment="exclusive; null: it holds on"),
    Column("code", Text, nullable=False, comment="as its source writes it"),
    Column("source", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    ForeignKeyConstraint(["field_id", "well_id"], [wells.c.field_id, wells.c.well_id]),
    comment="What was reported of wells, in intervals without overlap; what records say is worked out, not kept.",
)
