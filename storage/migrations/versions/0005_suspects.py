"""An index of the suspect records alone, by production day: how often each issue occurred is asked of few of many."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        "ix_records_suspects", "records", ["field_id", "day"], postgresql_where=sa.text("verdict = 'suspect'")
    )
