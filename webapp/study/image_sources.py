"""Sources of the images of a study: files, a folder of methods and cases, finished runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files.nifti import read_own, read_volume
from core.measure.answers import Truth
from core.result import BASELINE, RESULT
from core.volume import Volume
from webapp.services import Services
from webapp.store.records import JobRecord
from webapp.study.design import Design, refusal

SUFFIXES = (".nii", ".nii.gz")
REGIONS, MEASURES = "regions", "measures.json"
REFERENCE = "reference"
# what a run knows of an image, where it had a reference
MEASURED = ("psnr", "ssim", "mae")
MOST_IMAGES = 2000


@dataclass(frozen=True, eq=False)
class Found:
    """One image; read, region: return its volume, and the mask of its made voxels, both RAS+."""

    method: str
    case: str
    truth: Truth
    read: Callable[[], Volume]
    region: Callable[[], Volume] | None
    measures: Mapping[str, float]


def gather(design: Design, services: Services, session: str | None) -> list[Found]:
    """Return all images of a design; ``session`` owns the runs, None for the command line.

    UserError bad_study, not_found, study_large.
    """
    found = [*_files(design), *_folder(design), *_runs(design, services, session)]
    kept = [one for one in found if not design.methods or one.method in design.methods]
    (most, times), *_ = [*Counter((one.method, one.case) for one in kept).most_common(1), (("", ""), 0)]
    if times > 1:
        raise refusal(f"There are two images of method {most[0]} for case {most[1]}.")
    if not kept:
        raise refusal("There are no images: jobs, folder and images hold none.")
    if len(kept) > MOST_IMAGES:
        raise UserError("study_large", f"{len(kept)} images are too many.", f"Keep to {MOST_IMAGES}.")
    return kept


def case_of(job: JobRecord) -> str:
    """Return the name of the case of a run."""
    return f"{job.task} {job.id[:8]}"


def _files(design: Design) -> Iterator[Found]:
    for one in design.images:
        yield Found(one.method, one.case, one.truth, _reader(one.file), _maybe(one.region), one.measures)


def _folder(design: Design) -> Iterator[Found]:
    if design.folder is None:
        return
    if not design.folder.is_dir():
        raise refusal(f"There is no folder {design.folder.name}.")
    measures = _measures(design.folder / MEASURES)
    for folder in sorted(path for path in design.folder.iterdir() if path.is_dir() and path.name != REGIONS):
        for path in sorted(folder.iterdir()):
            if not path.name.endswith(SUFFIXES):
                continue
            case = _stem(path)
            region = next((r for s in SUFFIXES if (r := design.folder / REGIONS / f"{case}{s}").is_file()), None)
            real = folder.name in design.real
            yield Found(
                folder.name,
                case,
                "real" if real else "synthetic",
                _reader(path),
                None if real or region is None else _reader(region),
                measures.get(folder.name, {}).get(case, {}),
            )


def _runs(design: Design, services: Services, session: str | None) -> Iterator[Found]:
    for job_id in design.jobs:
        job = services.repo.job(job_id, session or services.repo.session_of_job(job_id))
        if job.state != "done" or job.artifact(RESULT) is None:
            raise refusal(f"Run {job.id[:8]} has no result that could be rated.")
        yield from _run(services, job)


def _run(services: Services, job: JobRecord) -> Iterator[Found]:
    region = _scan(services, job, "mask")
    chosen = str(job.params.get("method", RESULT))
    realistic = job.params.get("mode") == "realistic"
    case = case_of(job)
    for one in job.artifacts:
        if one.kind not in (RESULT, BASELINE):
            continue
        method = one.method or chosen
        title = f"{method}/realistic" if one.kind == RESULT and realistic else method
        row = job.result.row(method)
        measures = {key: value for key in MEASURED if row and (value := row.number(key))}
        read, mask = _own(services.blobs.path(one.blob)), None if region is None else _own(region)
        yield Found(title, case, "synthetic", read, mask, measures)
    reference = _scan(services, job, REFERENCE)
    if reference is not None:
        yield Found(REFERENCE, case, "real", _own(reference), None, {})


def _scan(services: Services, job: JobRecord, name: str) -> Path | None:
    scan_id = job.inputs.get(name)
    return services.blobs.path(services.repo.scan(scan_id, job.session).blob) if scan_id else None


def _reader(path: Path) -> Callable[[], Volume]:
    return lambda: read_volume(path)


def _own(path: Path) -> Callable[[], Volume]:
    """Return a reader of a file that this program wrote."""
    return lambda: read_own(path).to_volume()


def _maybe(path: Path | None) -> Callable[[], Volume] | None:
    return None if path is None else _reader(path)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii")


def _measures(path: Path) -> Mapping[str, Mapping[str, Mapping[str, float]]]:
    if not path.is_file():
        return {}
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(method): {
                str(case): {str(name): float(value) for name, value in row.items() if value is not None}
                for case, row in cases.items()
            }
            for method, cases in content.items()
        }
    except (ValueError, TypeError, AttributeError) as error:
        raise refusal(f"{MEASURES} is not {{method: {{case: {{measure: number}}}}}}.") from error
