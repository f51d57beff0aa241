"""How a task is shown on a page: the texts of its tab, and how its inputs, settings and maps are laid out.

Functions are given as a ``core.declaration.Reference``, so that a declaration loads neither numpy nor torch.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from core.result import Note


@dataclass(frozen=True)
class Step:
    """The heading of a numbered step, a note beside it, and a hint below."""

    title: str
    note: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Assignment:
    """slots: name of an input -> index of its file; problems: a sentence for each file without an input."""

    slots: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Inputs that stand side by side and can be dropped at once.

    inputs: their names; title: of the place where all are dropped. assign: (file name, ``Volume``) of each dropped
    file -> which is which; recognise: file name -> input, None where the name leaves it open. correction: label of the
    list by which a visitor moves a scan to another of the inputs.
    """

    inputs: tuple[str, ...]
    title: str
    assign: Callable[[Sequence[tuple[str, Any]]], Assignment]
    recognise: Callable[[str], str | None]
    correction: str


@dataclass(frozen=True)
class GivenScan:
    """What is known of a scan before a run: voxels along its axes and their size in mm.

    slices: the axis X, Y, Z (0, 1, 2) across which its slices lie and their thickness in mm, where a header states it.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    slices: tuple[int, float] | None = None


@dataclass(frozen=True)
class Offer:
    """The choices of a parameter that the given inputs leave, and the one that people want most often."""

    choices: tuple[str, ...]
    usual: str


@dataclass(frozen=True)
class Welcome:
    """What stands beside the steps before anything is loaded: what the task is for, and one click that shows it.

    picture: a file of assets/pictures, with what is seen on it, and a caption. offer: the words of the button that runs
    the first example, or the task as it is set.
    """

    title: str
    text: str
    picture: str
    seen: str
    caption: str
    offer: str = "Run the example"


@dataclass(frozen=True)
class Page:
    """What a page shows of a task beyond its inputs, parameters, presets and measures.

    kind: "imaging" for a scan that becomes a scan, drawn in the viewer; "lab" for the failure lab, "worth" for the
    augmentation study, one at most of each.
    tab: title of the tab, that of the task if ""; load, settings: the first two steps. invitation: text of the empty
    viewer. preset: the one chosen at first, if "" the first. twins: presets that are worth seeing beside each other: a
    finished run with one of them offers the others. group: inputs that can be dropped at once. welcome: what stands
    there before anything is loaded.

    in_place: the result has the scan's grid and units, so that maps are drawn over the scan and the difference from it
    is computed in the viewer. own_units: the result's intensities are in no scan's units, nor are scans in each
    other's, so that none share an intensity window.

    explain: (input -> ``GivenScan``, parameters) -> notes on what the settings make of these scans. offers: parameter
    -> function of the names of the given inputs. subject: the parameter that names what a run without a file is about.
    with_data, without_data: what is said of a run on files, and of one without, for a task that needs none.
    """

    kind: Literal["imaging", "lab", "worth"] = "imaging"
    tab: str = ""
    load: Step = Step("Load")
    settings: Step = Step("Settings")
    invitation: str = "Drop a scan here or in step 1."
    preset: str = ""
    twins: tuple[str, ...] = ()
    group: Group | None = None
    in_place: bool = False
    own_units: bool = False
    explain: Callable[[Mapping[str, GivenScan], Mapping[str, Any]], tuple[Note, ...]] | None = None
    offers: Mapping[str, Callable[[Collection[str]], Offer]] = field(default_factory=dict)
    subject: str = ""
    with_data: str = ""
    without_data: str = ""
    welcome: Welcome | None = None
