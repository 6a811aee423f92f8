"""Headers of wells, and their status and type over time."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "well_headers",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("well_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("api_number", sa.Text(), nullable=True, comment="text: it may begin with a zero"),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("spud_date", sa.Date(), nullable=True),
        sa.Column("total_depth_m", sa.Double(), nullable=True),
        sa.Column("water_depth_m", sa.Double(), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("first_production", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["field_id", "well_id"],
            ["wells.field_id", "wells.well_id"],
            name=op.f("fk_well_headers_field_id_well_id"),
        ),
        sa.PrimaryKeyConstraint("field_id", "well_id", name=op.f("pk_well_headers")),
    )
    op.create_table(
        "well_statuses",
        sa.Column("field_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("well_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("aspect", sa.Text(), nullable=False, comment="status, borehole, type, operator, lease, label"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True, comment="exclusive; null: it holds on"),
        sa.Column("code", sa.Text(), nullable=False, comment="as its source writes it"),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["field_id", "well_id"],
            ["wells.field_id", "wells.well_id"],
            name=op.f("fk_well_statuses_field_id_well_id"),
        ),
        sa.PrimaryKeyConstraint("field_id", "well_id", "aspect", "since", name=op.f("pk_well_statuses")),
        comment="What was reported of wells, in intervals without overlap; what records say is worked out, not kept.",
    )
