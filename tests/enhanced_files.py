"""Enhanced (multi-frame) MR files, built with pydicom, and what dcm2niix makes of DICOM files."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dcm2niix
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

from core.volume import Orientation, orientation_of, ras_affine
from tests.core.files.grids import nib
from tests.dicom_files import EXPLICIT, FLIP

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"


@dataclass(frozen=True)
class Enhanced:
    """One file of several volumes: values (I, J, K, N) of an integer type, affine to RAS+ mm of each.

    thickness: stated, mm; echoes: in ms, one a volume; components: "MAGNITUDE" or "PHASE", one a volume; seed: of the
    order of frames in the file, None for that of their places; change: called with the whole data set and each frame's
    groups before writing.
    """

    values: NDArray[Any]
    affine: NDArray[np.float64]
    thickness: float | None = None
    echoes: Sequence[float] = (4.0,)
    components: Sequence[str] = ("MAGNITUDE",)
    seed: int | None = 0
    change: Callable[[Dataset, Sequence[Dataset]], None] = field(default=lambda whole, frames: None)

    def write(self, path: Path) -> Path:
        """Write the file and return its path."""
        lps = FLIP @ self.affine
        sides = np.sqrt((lps[:3, :3] ** 2).sum(axis=0))
        whole = _whole(self.values.dtype)
        whole.Columns, whole.Rows = self.values.shape[:2]
        count = self.values.shape[2] * self.values.shape[3]
        whole.NumberOfFrames = count
        whole.SharedFunctionalGroupsSequence = Items([Dataset()])
        shared = whole.SharedFunctionalGroupsSequence[0]
        shared.PlaneOrientationSequence = Items([Dataset()])
        shared.PlaneOrientationSequence[0].ImageOrientationPatient = [
            *map(float, lps[:3, 0] / sides[0]), *map(float, lps[:3, 1] / sides[1])
        ]  # fmt: skip
        shared.PixelMeasuresSequence = Items([Dataset()])
        measures = shared.PixelMeasuresSequence[0]
        measures.PixelSpacing = [float(sides[1]), float(sides[0])]
        measures.SliceThickness = float(self.thickness or sides[2])
        frames, planes = [], []
        order = range(count) if self.seed is None else np.random.default_rng(self.seed).permutation(count)
        for index in order:
            k, n = divmod(int(index), self.values.shape[3])
            frames.append(self._frame(k, n, lps[:3, 3] + k * lps[:3, 2]))
            planes.append(self.values[:, :, k, n].T)
        whole.PerFrameFunctionalGroupsSequence = Items(frames)
        whole.PixelData = np.array(planes).astype(self.values.dtype.newbyteorder("<")).tobytes()
        self.change(whole, frames)
        whole.save_as(path, enforce_file_format=True)
        return path

    def _frame(self, k: int, n: int, place: NDArray[np.float64]) -> Dataset:
        frame = Dataset()
        frame.FrameContentSequence = Items([Dataset()])
        frame.FrameContentSequence[0].StackID = "1"
        frame.FrameContentSequence[0].InStackPositionNumber = k + 1
        frame.FrameContentSequence[0].TemporalPositionIndex = 1
        frame.FrameContentSequence[0].DimensionIndexValues = [1, k + 1, n + 1]
        frame.PlanePositionSequence = Items([Dataset()])
        frame.PlanePositionSequence[0].ImagePositionPatient = [round(float(part), 6) for part in place]
        frame.MREchoSequence = Items([Dataset()])
        frame.MREchoSequence[0].EffectiveEchoTime = float(self.echoes[n % len(self.echoes)])
        frame.MRImageFrameTypeSequence = Items([Dataset()])
        kind = frame.MRImageFrameTypeSequence[0]
        component = self.components[n % len(self.components)]
        kind.FrameType = ["ORIGINAL", "PRIMARY", component[0], "NONE"]
        kind.ComplexImageComponent = component
        return frame


def dcm2niix_volumes(path: Path, folder: Path) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return voxels (X, Y, Z, ...) in RAS+ order and affine of each file that dcm2niix makes of ``path``."""
    folder.mkdir()
    command = [dcm2niix.bin, "-b", "n", "-z", "n", "-f", "%s_%e", "-o", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return [upright(nib.load(made)) for made in sorted(folder.glob("*.nii"))]


def upright(image: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scaled voxels of a nibabel image in RAS+ order and the affine of that."""
    values = np.asarray(image.dataobj, np.float64)
    turn: Orientation = orientation_of(image.affine)
    rest = tuple(range(3, values.ndim))
    flips = tuple(slice(None, None, -1) if flip else slice(None) for flip in turn.flips)
    return values.transpose((*turn.axes, *rest))[flips], ras_affine(image.affine, values.shape[:3])


def _whole(kind: np.dtype[Any]) -> Dataset:
    whole = Dataset()
    whole.file_meta = FileMetaDataset()
    whole.file_meta.TransferSyntaxUID = UID(EXPLICIT)
    whole.SOPClassUID, whole.SOPInstanceUID = ENHANCED_MR, "1.2.3.4.1"
    whole.StudyInstanceUID, whole.SeriesInstanceUID, whole.FrameOfReferenceUID = "1.2.3", "1.2.3.4", "1.2.3.5"
    whole.Modality, whole.Manufacturer, whole.PatientPosition = "MR", "SIEMENS", "HFS"
    whole.SeriesDescription, whole.SeriesNumber, whole.InstanceNumber = "T1 enhanced", 7, 1
    whole.ImageType = ["ORIGINAL", "PRIMARY", "M", "NONE"]
    whole.PatientName, whole.PatientBirthDate = "CANARY^Jane", "19550505"
    whole.SamplesPerPixel, whole.PhotometricInterpretation = 1, "MONOCHROME2"
    whole.BitsAllocated = whole.BitsStored = 8 * kind.itemsize
    whole.HighBit, whole.PixelRepresentation = whole.BitsStored - 1, int(kind.kind == "i")
    return whole
