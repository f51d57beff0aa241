"""Where the stored files of a server are, by its settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from core.errors import UserError
from webapp.settings import Settings
from webapp.store.blob_cache import BlobCache
from webapp.store.blobs import Blobs, StorageAway
from webapp.store.folder_blobs import FolderBlobs


def open_blobs(settings: Settings) -> Blobs:
    """Return the store of files that the settings name; UserError bad_setting, not_installed, storage_away."""
    reserve = settings.disk_reserve_mb << 20
    if settings.blobs_folder is not None:
        return FolderBlobs(settings.blobs_folder, reserve=reserve)
    address = urlsplit(settings.blobs)
    if address.scheme != "s3" or not address.netloc or address.query or address.fragment:
        raise UserError(
            "bad_setting",
            "COUNTERSCAN_BLOBS names no place for files that is known.",
            "Give s3://BUCKET/PREFIX or file:///FOLDER, or nothing for the data folder.",
        )
    try:
        # the extra "s3"
        from webapp.store.bucket_blobs import Bucket, BucketBlobs
    except ModuleNotFoundError as error:
        raise UserError(
            "not_installed",
            "Buckets need the package boto3, which is not installed.",
            "Run pip install 'counterscan[s3]', or leave COUNTERSCAN_BLOBS empty.",
        ) from error
    prefix = address.path.strip("/")
    try:
        made = BucketBlobs(
            Bucket(address.netloc, f"{prefix}/" if prefix else ""),
            settings.data / "arriving",
            BlobCache(settings.data / "copies", settings.blobs_cache_mb << 20),
            reserve=reserve,
        )
        made.check()
    except StorageAway as away:
        # read by whoever starts the server, for whom waiting is no help
        raise UserError(
            away.code,
            f"The bucket {address.netloc} cannot be used ({away.kind}).",
            "Look at its name, at AWS_ENDPOINT_URL_S3, and at the keys and their rights (docs/hosting.md).",
        ) from away
    return made
