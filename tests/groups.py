"""Which tests run in one process when several run side by side (``-n``), which begin first, and which are long.

A file's tests stay together, because they share its fixtures; so do those of files that share a server and a browser.
Groups that take longest begin first, so that no process works alone at the end: ``--no-loadscope-reorder``. (The groups
of xdist 3.8, ``--dist loadgroup``, are without effect in pytest 9.2, which keeps names of tests otherwise.)
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.source import ROOT

# files of tests that share more than a file does -> their group
SHARED = {
    "tests/browser/test_rate_": "browser-site",
    "tests/browser/test_viewer_": "browser-site",
    # two servers and two browsers: one process with all of them would be the last to end
    "tests/browser/test_augment": "browser-lab",
    "tests/browser/test_failure": "browser-lab",
    "tests/browser/": "browser-server",
    # every file of the program and of its tests is parsed, once
    "tests/test_docs.py": "source",
    "tests/test_layers.py": "source",
    "tests/test_style.py": "source",
    "tests/core/test_result.py": "source",
    "tests/webapp/pages/test_html.py": "source",
    # heads of the generator, each made once
    "tests/core/anatomy/test_same_head.py": "heads",
    "tests/core/bench/test_two_heads.py": "heads",
    "tests/core/imaging/superres/test_guide.py": "heads",
    "tests/core/imaging/test_one_head.py": "heads",
    "tests/core/imaging/translate/test_sources.py": "heads",
    # a file at a time: a page of their own, on a server of their own
    "tests/looks/": "browser-looks",
}
# what takes longest, or waits while others compute, in the order in which it begins
FIRST = ("tests/browser/", "tests/looks/", "tests/contract/", "tests/fault/", "tests/core/")

# what `make check` leaves to `make test`: folders and files whose tests train, simulate heads or start programs
LONG = (
    "tests/browser/", "tests/looks/", "tests/contract/", "tests/fault/", "tests/hostile/",
    "tests/core/augment/", "tests/core/train/", "tests/core/synth/", "tests/core/test_main.py",
    "tests/core/anatomy/test_brain_surface.py", "tests/core/anatomy/test_brain_network.py",
    "tests/core/anatomy/test_registration.py", "tests/core/bench/test_synthetic.py",
    "tests/core/files/test_convert.py", "tests/core/imaging/inpaint/test_task.py",
    "tests/core/imaging/published/test_posterior.py", "tests/core/imaging/translate/test_run.py",
    "tests/core/imaging/translate/test_sources.py", "tests/core/measure/test_analysis.py",
    "tests/core/anatomy/test_same_head.py", "tests/core/bench/test_two_heads.py", "tests/core/imaging/test_one_head.py",
    "tests/core/failure/data/test_image_sets.py", "tests/core/failure/models/test_given_model.py",
    "tests/core/failure/test_examination.py", "tests/core/files/test_nifti.py", "tests/test_commands.py",
    "tests/core/imaging/superres/test_guide.py", "tests/core/imaging/superres/test_run.py",
    "tests/core/test_dicom_runs.py", "tests/core/test_dicom_out.py", "tests/core/batch/test_batch_run.py",
    "tests/core/bids/", "tests/core/anatomy/test_face.py", "tests/core/bench/test_slice_widths.py",
    "tests/core/bench/test_subjects.py", "tests/core/bench/test_two_parts.py",
    "tests/core/failure/test_band_words.py", "tests/core/failure/test_spectra_audit.py",
    "tests/core/imaging/inpaint/test_never_worse.py",
    "tests/core/imaging/superres/test_adaptation.py", "tests/core/test_job.py", "tests/core/test_output_folder.py",
    "tests/core/bench/test_fleet.py", "tests/core/bench/test_same_scanner.py", "tests/core/commands/test_train.py",
    "tests/core/failure/data/test_loader.py", "tests/core/failure/diagnostics/", "tests/core/anatomy/test_tissues.py",
    "tests/core/imaging/test_lesion_proposal.py", "tests/test_packaging.py",
    "tests/webapp/api/test_attacks_on_tokens.py", "tests/webapp/keeping/test_backup.py",
    "tests/webapp/pages/kit/test_following.py",
    "tests/webapp/account/test_sign_in.py", "tests/webapp/intake/test_image_uploads.py",
    "tests/webapp/intake/test_scans.py", "tests/webapp/intake/test_spectra_files.py",
    "tests/webapp/operations/test_admin_page.py", "tests/webapp/pages/kit/test_offline.py",
    "tests/webapp/pages/test_new_task.py", "tests/webapp/study/test_rating.py", "tests/test_spent.py",
    "tests/test_groups.py",
)  # fmt: skip


def group_of(path: str) -> str:
    """Return the group of the tests of the file ``path``."""
    return next((group for prefix, group in SHARED.items() if path.startswith(prefix)), path)


def rank(path: str) -> int:
    """Return the place of a file's tests in the order of beginning."""
    return next((place for place, prefix in enumerate(FIRST) if path.startswith(prefix)), len(FIRST))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test its tier, and put what begins first to the front."""
    paths = {item: item.path.relative_to(ROOT).as_posix() for item in items if item.path.is_relative_to(ROOT)}
    for item, path in paths.items():
        if path.startswith(LONG):
            item.add_marker(pytest.mark.long)
    items.sort(key=lambda item: rank(paths.get(item, "")))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return what hands whole groups to the processes."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid.partition("::")[0])

    return Groups(config, log)
