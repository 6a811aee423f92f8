"""The tables of PostgreSQL, as SQLAlchemy Core metadata; the field stands in every key, to distribute by it."""

from sqlalchemy import (
    BigInteger,
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
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storage.domain.record import QUANTITY_COLUMNS

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
    postgresql_partition_by="RANGE (start)",
    comment="The newest revision of every record. Partitions by year of start are made when first needed.",
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
    Index("ix_quarantine_field_received_at", "field", "received_at"),
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
    Column("body", LargeBinary, nullable=False, comment="the message as followers get it"),
    Column("logged_at", DateTime(timezone=True), nullable=False),
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
