"""When an administrator ended a visitor's visits for good"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("ended", sa.DateTime(timezone=True), nullable=True))
