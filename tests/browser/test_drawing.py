"""Masks drawn in the browser reach the server voxel by voxel, whatever the orientation of the file."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from tests.browser.conftest import Scans, Watch
from tests.browser.steps import (
    VIEWER,
    drag,
    drawn_voxels,
    fetch,
    image,
    load_mask,
    load_scan,
    start_drawing,
    use_mask,
    wait_for,
)
from tests.phantom import make_phantom

SHAPE = (26, 30, 28)


def grid(codes: str) -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Return an affine of 6 mm whose file axes point to ``codes``, and the shape of the head on it."""
    ras = np.diag([6.0, 6.0, 6.0, 1.0])
    ras[:3, 3] = [-70.0, -90.0, -60.0]
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(tuple(codes)))
    order = [int(np.flatnonzero(turn[:, 0] == axis)[0]) for axis in range(3)]
    return ras @ inv_ornt_aff(turn, SHAPE), (SHAPE[order[0]], SHAPE[order[1]], SHAPE[order[2]])


def oblique() -> tuple[NDArray[np.float64], tuple[int, int, int]]:
    """Return a grid turned by 12 degrees about two axes."""
    angle = np.radians(12.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    about_z = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    affine = np.eye(4)
    affine[:3, :3] = about_z @ about_x * 6.0
    affine[:3, 3] = [-60.0, -100.0, -50.0]
    return affine, SHAPE


@pytest.fixture
def page(shared_page: Page) -> Page:
    """The page that all tests here share: each loads a scan of its own."""
    return shared_page


@pytest.mark.parametrize("codes", ["RAS", "LAS", "PSR", "AIL", "oblique"])
def test_the_server_stores_the_drawn_voxels(page: Page, tmp_path: Path, codes: str) -> None:
    affine, shape = oblique() if codes == "oblique" else grid(codes)
    t1, _ = make_phantom(affine, shape).write(tmp_path)
    load_scan(page, t1)
    start_drawing(page)
    page.get_by_role("button", name="Ellipse").click()
    # left of the middle and above it: towards the patient's left and front
    drag(page, (0.42, 0.36), (0.47, 0.44))
    drawn = drawn_voxels(page)
    assert drawn.size > 4

    stored = image(fetch(page, use_mask(page)))
    source = nib.load(t1)
    assert stored.shape == source.shape
    np.testing.assert_allclose(stored.affine, source.affine, atol=1e-4)
    ras = nib.as_closest_canonical(stored)
    found = np.asarray(ras.dataobj) > 0
    np.testing.assert_array_equal(np.flatnonzero(found.ravel(order="F")), drawn)
    middle = (np.array(found.shape) - 1) / 2
    x, y, z = np.argwhere(found).mean(axis=0) - middle
    assert x < -0.5
    assert y > 0.5
    assert abs(z) <= 1.0


def test_tools_draw_erase_undo_fill_and_clear(page: Page, scans: Scans) -> None:
    load_scan(page, scans.small[0])
    start_drawing(page)
    volume = page.locator(".cs-volume")
    use = page.get_by_role("button", name="Use this mask")
    expect(use).to_be_disabled()

    page.get_by_role("button", name="Rectangle").click()
    drag(page, (0.46, 0.44), (0.54, 0.56))
    first = drawn_voxels(page)
    assert first.size > 4
    expect(volume).to_have_text(f"{first.size * 0.216:.1f} ml")
    expect(use).to_be_enabled()

    page.get_by_role("button", name="Erase", exact=True).click()
    drag(page, (0.49, 0.5), (0.51, 0.5))
    assert drawn_voxels(page).size < first.size
    page.get_by_role("button", name="Undo the last step").click()
    np.testing.assert_array_equal(drawn_voxels(page), first)

    page.evaluate(f"{VIEWER}.input.nv.moveCrosshairInVox(0, 0, 4)")
    page.get_by_role("button", name="Ellipse").click()
    drag(page, (0.46, 0.44), (0.54, 0.56))
    two = drawn_voxels(page)
    page.get_by_role("button", name="Fill between the drawn slices").click()
    filled = drawn_voxels(page)
    assert set(two) < set(filled)
    plane = SHAPE[0] * SHAPE[1]
    added = np.setdiff1d(filled, two) // plane
    assert set(added) == set(range(min(two // plane) + 1, max(two // plane)))

    page.get_by_role("button", name="Clear the drawing").click()
    assert drawn_voxels(page).size == 0
    page.get_by_role("button", name="Undo the last step").click()
    np.testing.assert_array_equal(drawn_voxels(page), filled)


def test_the_pen_draws_a_line_and_the_download_is_the_drawing(page: Page, scans: Scans) -> None:
    load_scan(page, scans.small[0])
    start_drawing(page)
    page.get_by_role("button", name="Pen", exact=True).click()
    page.get_by_label("Pen size in voxels").fill("2")
    drag(page, (0.46, 0.5), (0.54, 0.5))
    drawn = drawn_voxels(page)
    assert drawn.size > 3
    with page.expect_download() as info:
        page.get_by_role("button", name="Download the drawn mask").click()
    assert info.value.suggested_filename == "mask.nii.gz"
    saved = np.asarray(image(Path(info.value.path()).read_bytes()).dataobj)
    np.testing.assert_array_equal(np.flatnonzero(saved.ravel(order="F")), drawn)


def test_an_uploaded_mask_can_be_edited_voxel_by_voxel(page: Page, scans: Scans) -> None:
    load_scan(page, scans.small[0])
    load_mask(page, scans.small[1])
    start_drawing(page)
    mask = np.asarray(nib.load(scans.small[1]).dataobj) > 0
    wait_for(page, f"{VIEWER}.input.nv.drawBitmap.some(Boolean)")
    np.testing.assert_array_equal(drawn_voxels(page), np.flatnonzero(mask.ravel(order="F")))


def test_a_mask_outside_the_head_is_refused_and_stays_on_the_canvas(page: Page, scans: Scans, watch: Watch) -> None:
    load_scan(page, scans.small[0])
    start_drawing(page)
    page.get_by_role("button", name="Rectangle").click()
    # the corner of the slice, air
    nv = f"{VIEWER}.input.nv"
    place = f"(x) => Array.from({nv}.frac2canvasPos([x, 1 - x, 0.5]))"
    width, height = page.evaluate(f"[{nv}.canvas.width, {nv}.canvas.height]")
    (x0, y0), (x1, y1) = (page.evaluate(place, x) for x in (0.03, 0.12))
    drag(page, (x0 / width, y0 / height), (x1 / width, y1 / height))
    drawn = drawn_voxels(page)
    assert drawn.size
    page.get_by_role("button", name="Use this mask").click()
    expect(page.locator(".cs-notice[role=alert]")).to_contain_text("[mask_")
    np.testing.assert_array_equal(drawn_voxels(page), drawn)
    # the browser itself notes the refusal
    assert [fault for fault in watch.faults if "422" not in fault] == []
    watch.faults.clear()
