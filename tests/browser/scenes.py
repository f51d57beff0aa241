"""One synthetic head as the scan, the sources and the results of all three imaging tasks, and a scene of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.browser.stage import Array, Site
from tests.phantom import make_phantom

THICK = 4
FINE_SHAPE = (40, 48, 40)


@dataclass
class Heads:
    """Scenes of one synthetic head; grids: affine and shape, both RAS+; change: what the server's difference holds."""

    inpaint: dict[str, Any]
    superres: dict[str, Any]
    translate: dict[str, Any]
    grids: dict[str, tuple[NDArray[np.float64], tuple[int, ...]]]
    change: Array

    def millimetres(self, grid: str, frac: list[float]) -> NDArray[np.float64]:
        """Return where a fraction of a grid lies."""
        affine, shape = self.grids[grid]
        return np.asarray(affine[:3, :3] @ (np.array(frac) * shape - 0.5) + affine[:3, 3])


def make_heads(site: Site) -> Heads:
    """Write the volumes of all three tasks to ``site``."""
    affine = oblique(4.0)
    head = make_phantom(affine, FINE_SHAPE)
    scan, mask = head.scan, head.mask
    filled = np.where(mask, np.float32(650), scan).astype(np.float32)
    darker = np.where(mask, np.float32(100), scan).astype(np.float32)
    doubt = np.where(mask, np.float32(40), np.float32(0)).astype(np.float32)
    url = {
        "t1": site.add("t1", scan, affine, "int16"),
        "mask": site.add("mask", mask.astype(np.float32), affine, "uint8"),
        "filled": site.add("filled", filled, affine),
        "darker": site.add("darker", darker, affine),
        "doubt": site.add("doubt", doubt, affine),
    }
    low, coarse = thick(scan, affine)
    linear = np.repeat(low, THICK, axis=2)
    change = (scan - linear).astype(np.float32)
    url |= {
        "low": site.add("low", low, coarse),
        "linear": site.add("linear", linear, affine),
        "change": site.add("change", change, affine),
        # a second contrast in other units: dark where T1 is bright, a hundred times less
        "t2": site.add("t2", np.where(scan > 0, (900 - scan) / 100, 0).astype(np.float32), affine),
        "flair": site.add("flair", np.where(scan > 0, 40 + scan / 10, 0).astype(np.float32), affine),
        "truth": site.add("truth", np.where(scan > 0, 45 + scan / 10, 0).astype(np.float32), affine),
        "error": site.add("error", np.where(scan > 0, -5, 0).astype(np.float32), affine),
        "turned": site.add("turned", scan, straight(4.0)),
        "short": site.add("short", scan[:, :, ::2], affine @ np.diag([1.0, 1.0, 2.0, 1.0])),
    }
    grids = {
        "low": (coarse, low.shape),
        "fine": (affine, FINE_SHAPE),
        "turned": (straight(4.0), FINE_SHAPE),
    }
    return Heads(_inpaint(url), _superres(url), _translate(url), grids, change)


def straight(spacing: float) -> NDArray[np.float64]:
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = [-70.0, -90.0, -60.0]
    return affine


def oblique(spacing: float) -> NDArray[np.float64]:
    angle = np.radians(12.0)
    cosine, sine = np.cos(angle), np.sin(angle)
    about_z = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    about_x = np.array([[1, 0, 0], [0, cosine, -sine], [0, sine, cosine]])
    affine = straight(spacing)
    affine[:3, :3] = about_z @ about_x * spacing
    return affine


def thick(fine: Array, affine: NDArray[np.float64]) -> tuple[Array, NDArray[np.float64]]:
    """Return the means of THICK slices, and their grid."""
    data = fine.reshape(*fine.shape[:2], -1, THICK).mean(axis=3)
    coarse = affine.copy()
    coarse[:3, 3] += affine[:3, 2] * (THICK - 1) / 2
    coarse[:3, 2] *= THICK
    return data, coarse


def image(key: str, title: str, url: dict[str, str], **more: Any) -> dict[str, Any]:
    return {"id": key, "title": title, "url": url[key], **more}


def _inpaint(url: dict[str, str]) -> dict[str, Any]:
    return {
        "scan": {"id": "s1", "url": url["t1"], "synthetic": True},
        "mask": {"id": "m1", "url": url["mask"]},
        "results": [image("filled", "Network", url), image("darker", "3D harmonic", url)],
        "uncertainty": url["doubt"],
        "uncertain": "Network",
        "job": "j1",
        "busy": False,
        "drawable": True,
        "in_place": True,
    }


def _superres(url: dict[str, str]) -> dict[str, Any]:
    return {
        "task": "superres",
        "inputs": [image("low", "Thick slices", url), image("t2", "Guide", url, units="t2")],
        "results": [image("filled", "Network", url), image("linear", "Linear", url)],
        "reference": image("t1", "Truth", url),
        "difference": {
            "url": url["change"],
            "title": "Result minus linear interpolation",
            "what": "result minus linear interpolation",
        },
        "error": {"url": url["error"], "title": "Error against the reference"},
        "uncertainty": url["doubt"],
        "uncertain": "Network",
        "job": "j2",
    }


def _translate(url: dict[str, str]) -> dict[str, Any]:
    return {
        "task": "translate",
        "inputs": [image("t1", "T1", url, units="t1"), image("t2", "T2", url, units="t2")],
        "reference": image("truth", "True FLAIR", url, units="flair"),
        "results": [
            image("flair", "Network", url, units="flair"),
            image("t2-copy", "Copy of T2", url | {"t2-copy": url["t2"]}, units="t2"),
        ],
        "error": {"url": url["error"], "title": "Error against the reference"},
        "uncertainty": None,
        "job": "j3",
    }
