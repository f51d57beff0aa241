"""The tables. Every type works on SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
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

# a visitor: what everything of theirs is stored under; without an account one for each browser; last_start: of a job,
# which may be deleted since; ended: when an administrator closed the server to the visitor
session = Table(
    "session",
    metadata,
    Column("id", ID, primary_key=True),
    Column("created", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
    Column("last_start", Utc, nullable=True),
    Column("ended", Utc, nullable=True),
)

# password: argon2id, null where a proxy or a provider checks who is there; subject: the name that a provider never
# gives to another, after the provider's own
account = Table(
    "account",
    metadata,
    Column("id", ID, primary_key=True),
    Column("name", String(120), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password", String(200), nullable=True),
    Column("subject", String(400), nullable=True, unique=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, unique=True),
    Column("disabled", Utc, nullable=True),
    Column("created", Utc, nullable=False),
    CheckConstraint("role in ('rater', 'visitor', 'manager', 'admin')", name="role"),
)

# wrong passwords in a row, also for names that no account has; name: a digest; until, last: seconds since 1970
sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("name", ID, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("until", Float, nullable=False),
    Column("last", Float, nullable=False),
)

# a browser that the server gave a cookie; id: a digest of the cookie, so that a copy of the database opens nobody's
# session
browser = Table(
    "browser",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("account", ID, ForeignKey("account.id"), nullable=True, index=True),
    Column("created", Utc, nullable=False),
    Column("last_seen", Utc, nullable=False),
)

# what a program sends to come in as a visitor; key: a digest of it; ends: when it no longer opens anything
access_token = Table(
    "access_token",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", ID, nullable=False, unique=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("account", ID, ForeignKey("account.id"), nullable=True, index=True),
    Column("title", String(80), nullable=False),
    Column("created", Utc, nullable=False),
    Column("ends", Utc, nullable=False),
    Column("last_seen", Utc, nullable=True),
)

# a page of Gradio's that is or was open, or the progress of an upload, by the name that the browser gave it
open_page = Table(
    "open_page",
    metadata,
    Column("name", ID, primary_key=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("created", Utc, nullable=False),
)

# a request that brought files; id: the folder that they lie in; bytes: 0 until all have arrived
upload = Table(
    "upload",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("bytes", BigInteger, nullable=False),
    Column("created", Utc, nullable=False),
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
    Column("keep_until", Utc, nullable=True),
)

# a file whose rows are deleted, until it is deleted too
dropped_blob = Table("dropped_blob", metadata, Column("blob", String(80), primary_key=True))

# number: order of arrival; attempts: starts; deaths: of the process that ran it; owner: one for each claim, see Queue;
# lease: seconds since 1970
job = Table(
    "job",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False, unique=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False),
    Column("task", String(40), nullable=False),
    Column("params", JSON, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("fraction", Float, nullable=False),
    Column("text", String(200), nullable=False),
    Column("error", JSON(none_as_null=True), nullable=True),
    Column("summary", JSON, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("deaths", Integer, nullable=False, server_default="0"),
    Column("owner", ID, nullable=True),
    Column("lease", Float, nullable=True),
    Column("seconds", Float, nullable=True),
    Column("created", Utc, nullable=False),
    Column("started", Utc, nullable=True),
    Column("finished", Utc, nullable=True),
    Column("keep_until", Utc, nullable=True),
    CheckConstraint("state in ('queued', 'running', 'done', 'failed', 'cancelled')", name="state"),
    Index("ix_job_session_started", "session", "started"),
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

# many scans through one task; touched: when its scans were last worked on before they are jobs, seconds since 1970
batch = Table(
    "batch",
    metadata,
    Column("id", ID, primary_key=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("task", String(40), nullable=False),
    Column("title", String(120), nullable=False),
    Column("touched", Float, nullable=False),
    Column("created", Utc, nullable=False),
)

# one scan of a batch: waits to be read until it has a job, or an error that kept it from having one; first_error: why
# its job failed the first time, after which it waits again
batch_scan = Table(
    "batch_scan",
    metadata,
    Column("batch", ID, ForeignKey("batch.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("name", String(120), nullable=False),
    Column("job", ID, ForeignKey("job.id"), nullable=True, unique=True),
    Column("error", JSON(none_as_null=True), nullable=True),
    Column("first_error", JSON(none_as_null=True), nullable=True),
)

# what one visitor, or all together, have used of a day; what: bytes (kilobytes of them) or jobs; began: seconds since
# 1970; owner: a session, which may be gone
day_use = Table(
    "day_use",
    metadata,
    Column("owner", ID, primary_key=True),
    Column("what", String(8), primary_key=True),
    Column("began", Float, nullable=False),
    Column("amount", BigInteger, nullable=False),
)

# a link that shows one finished run to whoever has it; key: digest of what it ends in
share = Table(
    "share",
    metadata,
    Column("id", ID, primary_key=True),
    Column("key", ID, nullable=False, unique=True),
    Column("job", ID, ForeignKey("job.id"), nullable=False, index=True),
    Column("session", ID, ForeignKey("session.id"), nullable=False, index=True),
    Column("created", Utc, nullable=False),
    Column("ends", Utc, nullable=False),
)

# key: digest of the link that opens the study's results to another browser; secret: seeds every order and side
study = Table(
    "study",
    metadata,
    Column("id", ID, primary_key=True),
    Column("title", String(200), nullable=False),
    Column("key", ID, nullable=False, unique=True),
    Column("secret", ID, nullable=False),
    Column("design", JSON, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("closed", Utc, nullable=True),
    Column("created", Utc, nullable=False),
)

study_manager = Table(
    "study_manager",
    metadata,
    Column("study", ID, ForeignKey("study.id"), primary_key=True),
    Column("session", ID, ForeignKey("session.id"), primary_key=True, index=True),
)

# region: runs of the voxels that were made, null where that is not known
study_image = Table(
    "study_image",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", ID, ForeignKey("study.id"), nullable=False, index=True),
    Column("method", String(60), nullable=False),
    Column("case", String(120), nullable=False),
    Column("truth", String(16), nullable=False),
    Column("measures", JSON, nullable=False),
    Column("region", JSON(none_as_null=True), nullable=True),
    Column("blob", String(80), nullable=False, unique=True),
    Column("sha256", String(64), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    CheckConstraint("truth in ('real', 'synthetic')", name="truth"),
)

# images: one or two ids of study_image
study_item = Table(
    "study_item",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("study", ID, ForeignKey("study.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("use", String(16), nullable=False),
    Column("images", JSON, nullable=False),
    CheckConstraint("use in ('item', 'training', 'catch')", name="use"),
    Index("uq_study_item_study_number", "study", "number", unique=True),
)

# key: digest of the invitation; label: what the managers call the rater, never in an export unless asked for
rater = Table(
    "rater",
    metadata,
    Column("id", ID, primary_key=True),
    Column("study", ID, ForeignKey("study.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("label", String(120), nullable=False),
    Column("key", ID, nullable=False, unique=True),
    Column("expertise", String(120), nullable=False),
    Column("years", Float, nullable=True),
    Column("consented", Utc, nullable=True),
    Column("expires", Utc, nullable=True),
    Column("revoked", Utc, nullable=True),
    Column("created", Utc, nullable=False),
    Index("uq_rater_study_number", "study", "number", unique=True),
)

# one item before one rater; flipped: the item's second image stands left; left, right: what their addresses end in
showing = Table(
    "showing",
    metadata,
    Column("id", ID, primary_key=True),
    Column("rater", ID, ForeignKey("rater.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("item", Integer, ForeignKey("study_item.id"), nullable=False, index=True),
    Column("repeat", Boolean, nullable=False),
    Column("flipped", Boolean, nullable=False),
    Column("left", ID, nullable=False, unique=True),
    Column("right", ID, nullable=True, unique=True),
    Column("created", Utc, nullable=False),
    Index("uq_showing_rater_position", "rater", "position", unique=True),
)

# rows are only ever added, and go with their run; a changed opinion is a new row that names the one it supersedes; it
# is about a finished job of the session that rates, or about a showing of a study
rating = Table(
    "rating",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job", ID, ForeignKey("job.id"), nullable=True),
    Column("session", ID, ForeignKey("session.id"), nullable=True),
    Column("showing", ID, ForeignKey("showing.id"), nullable=True, index=True),
    Column("client_id", ID, nullable=False, unique=True),
    Column("answers", JSON, nullable=False),
    Column("seconds", Float, nullable=True),
    Column("changes", Integer, nullable=False),
    Column("circumstances", JSON, nullable=False),
    Column("supersedes", Integer, ForeignKey("rating.id"), nullable=True),
    Column("created", Utc, nullable=False),
    CheckConstraint("(job is null) = (session is null) and (job is null) <> (showing is null)", name="about"),
    Index("ix_rating_job_session", "job", "session"),
)
