"""Deaths of a job's process, counted apart from its starts; the last start of a session, found without its history"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("job", sa.Column("deaths", sa.Integer(), nullable=False, server_default="0"))
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_session")
        batch_op.create_index("ix_job_session_started", ["session", "started"], unique=False)
