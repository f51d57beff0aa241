"""What the viewer is given to draw, as JSON: the types of its JavaScript are written from these models."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SceneImage(_Part):
    """A volume; images of equal `units` share one intensity window, those without that of the scan."""

    id: str
    url: str
    title: str = ""
    synthetic: bool = False
    units: str = ""
    group: str = Field(default="", description="the heading under which lists offer it")
    uncertainty: str | None = Field(default=None, description="address of the standard deviation of a twin")


class SceneMap(_Part):
    """A signed volume, positive where the result is brighter."""

    url: str
    title: str = ""
    what: str = Field(default="", description="what its numbers are, in few words")


class Scene(_Part):
    """A scene as the server sends it; what is left out is filled in by scene.js."""

    task: str = ""
    inputs: tuple[SceneImage, ...] = Field(default=(), description="scans of the task; the mask belongs to the first")
    scan: SceneImage | None = Field(default=None, description="the only input, where `inputs` is left out")
    mask: SceneImage | None = None
    drawable: bool = Field(default=False, description="whether a mask may be drawn on the first input")
    in_place: bool = Field(
        default=False, description="whether results have the scan's grid, so that their maps are drawn over the scan"
    )
    reference: SceneImage | None = Field(default=None, description="the true target")
    results: tuple[SceneImage, ...] = Field(
        default=(), description="the chosen method's first; `difference`, `error` and `uncertainty` belong to it"
    )
    twins: tuple[SceneImage, ...] = Field(
        default=(), description="results of runs on the same inputs that the first result can be exchanged for"
    )
    difference: SceneMap | None = None
    error: SceneMap | None = None
    uncertainty: str | None = Field(default=None, description="address of the standard deviation of the first result")
    uncertain: str = Field(default="", description="title of the method that gave the uncertainty")
    others: tuple[SceneImage, ...] = Field(default=(), description="results of other runs, to compare")
    compare: tuple[SceneImage, ...] | None = Field(
        default=None, description="images to open side by side, four at most"
    )
    busy: bool = False
    job: str = ""
    address: str = Field(default="", description="query of the page's address that opens this work again")
    invite: str = Field(default="", description="text of the empty viewer")

    def value(self) -> dict[str, Any]:
        """Return the scene as JSON values, without the fields that were not set."""
        return self.model_dump(mode="json", exclude_unset=True)
