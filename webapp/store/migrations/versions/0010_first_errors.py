"""The first error of a scan of a batch, which is tried again"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batch_scan", sa.Column("first_error", sa.JSON(none_as_null=True), nullable=True))
