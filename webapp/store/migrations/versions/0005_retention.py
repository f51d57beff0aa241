"""Until when items are kept beyond the retention, and files that are yet to be deleted"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("scan", "job"):
        op.add_column(table, sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True))
    # turns at the queue go by it, so that nobody gains one by deleting runs
    op.add_column("session", sa.Column("last_start", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE session SET last_start = (SELECT max(started) FROM job WHERE job.session = session.id)")
    op.create_table(
        "dropped_blob",
        sa.Column("blob", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("blob", name=op.f("pk_dropped_blob")),
    )
