"""The tables. Every type works on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class Utc(TypeDecorator[datetime]):
    """A moment, always aware and in UTC; SQLite alone would give it back without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)

# id: a digest of the browser's cookie, so that a copy of the database opens nobody's session
session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("created", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
)

scan = Table(
    "scan",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("parent", ID, ForeignKey("scan.id"), nullable=True),
    Column("role", String(16), nullable=False),
    Column("filename", String(120), nullable=False),
    Column("blob", String(80), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("shape", JSON, nullable=False),
    Column("spacing", JSON, nullable=False),
    Column("orientation", String(8), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("token", ID, nullable=False, unique=True),
    Column("created", Utc, nullable=False),
)

# lease: seconds since 1970; number: order of arrival
job = Table(
    "job",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False, unique=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("task", String(40), nullable=False),
    Column("params", JSON, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("fraction", Float, nullable=False),
    Column("text", String(200), nullable=False),
    Column("error", JSON(none_as_null=True), nullable=True),
    Column("summary", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", ID, nullable=True),
    Column("lease", Float, nullable=True),
    Column("seconds", Float, nullable=True),
    Column("created", Utc, nullable=False),
    Column("started", Utc, nullable=True),
    Column("finished", Utc, nullable=True),
    CheckConstraint("state in ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
)

artifact = Table(
    "artifact",
    metadata,
    Column("id", ID, primary_key=True),
    Column("job", ID, ForeignKey("job.id"), nullable=False, index=True),
    Column("name", String(60), nullable=False),
    Column("title", String(120), nullable=False),
    Column("blob", String(80), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("token", ID, nullable=False, unique=True),
    Column("created", Utc, nullable=False),
    Index("uq_artifact_job_name", "job", "name", unique=True),
)

# rows are only ever added; a changed opinion is a new row that names the one it supersedes
rating = Table(
    "rating",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job", ID, ForeignKey("job.id"), nullable=False),
    Column("session", ID, ForeignKey("session.id"), nullable=False),
    Column("client_id", ID, nullable=False, unique=True),
    Column("realism", Integer, nullable=False),
    Column("border", Integer, nullable=False),
    Column("anatomy", Integer, nullable=False),
    Column("comment", Text, nullable=False),
    Column("supersedes", Integer, ForeignKey("rating.id"), nullable=True),
    Column("created", Utc, nullable=False),
    CheckConstraint("realism between 1 and 5 and border between 1 and 5 and anatomy between 1 and 5", name="scale"),
    Index("ix_rating_job_session", "job", "session"),
)
