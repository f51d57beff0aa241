"""What a study is: where its images come from, what is asked of them, in which order; from YAML, JSON or a form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from core.errors import UserError
from core.measure.answers import COMMENT, CONFIDENCE, MARK, PREFER, REAL, Question

Line = Annotated[str, StringConstraints(max_length=200)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Case = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Words = Annotated[str, StringConstraints(max_length=5000)]
Order = Literal["rater", "study", "least", "none"]

# folders whose images are real scans, where the study names none
REAL_METHODS = ("truth", "reference", "real")
FILE_BYTES = 1 << 20
CONFIDENCES = Question(CONFIDENCE, "scale", "How sure are you?", low="a guess", high="certain")
COMMENTS = Question(COMMENT, "text", "Comment", optional=True)
# the first three of Pinaya et al. and of Khader et al. (Sci Rep 13, 7303, 2023), with steps of 1 to 5
SCALES: dict[str, Question] = {
    one.name: one
    for one in (
        Question("realism", "scale", "Realistic appearance", low="clearly artificial", high="looks like a real scan"),
        Question(
            "slices", "scale", "Consistency between slices", low="slices do not fit", high="slices fit as in a scan"
        ),
        Question("anatomy", "scale", "Anatomical correctness", low="impossible", high="fully plausible"),
        Question("border", "scale", "Borders and seams", low="plainly visible", high="cannot be found"),
    )
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scale(_Strict):
    """A scale of the study's own."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    help: Line = ""
    levels: Annotated[int, Field(ge=2, le=9)] = 5
    low: Line = ""
    high: Line = ""

    @model_validator(mode="after")
    def _own(self) -> Scale:
        if self.name in {REAL, PREFER, CONFIDENCE, MARK, COMMENT, *SCALES}:
            raise ValueError(f"the name {self.name} is taken; choose another")
        return self


class Asked(_Strict):
    """What raters are asked; a text in place of true is the words to ask with."""

    real: bool | Line = False
    confidence: bool = True
    prefer: bool | Line = False
    scales: tuple[Literal["realism", "slices", "anatomy", "border"] | Scale, ...] = ()
    mark: bool | Line = False
    comment: bool = True


class File(_Strict):
    """One image of the study as a file; ``region``: a mask of what was made in it."""

    file: Path
    method: Name
    case: Case
    truth: Literal["real", "synthetic"]
    region: Path | None = None
    measures: dict[Name, float] = {}


class Design(_Strict):
    """A whole study, as its file says it (docs/reader-study.md).

    jobs: ids of finished runs. folder: images as METHOD/CASE.nii.gz, masks of what was made as regions/CASE.nii.gz,
    measures.json with {method: {case: {measure: number}}}. real: names of the methods that are real scans.
    pairs: pairs of methods to compare, all where none is named. training, catch: cases for practice with feedback, and
    cases whose answer is obvious. repeats: share of items shown a second time. least: of the items a rater has not seen
    the one shown least to all. look: where the crosshair begins, for real images
    too: the middle of what was made in the case, or of the image.
    """

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    instructions: Words = ""
    consent: Words = ""
    end: Words = "Thank you. All your answers are saved."
    ask: Asked
    jobs: tuple[str, ...] = ()
    folder: Path | None = None
    images: tuple[File, ...] = ()
    real: tuple[Name, ...] = REAL_METHODS
    methods: tuple[Name, ...] = ()
    pairs: tuple[tuple[Name, Name], ...] = ()
    training: tuple[Case, ...] = ()
    catch: tuple[Case, ...] = ()
    order: Order = "rater"
    repeats: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    changes: bool = True
    toggle: bool = False
    window: Literal["each", "case"] = "each"
    look: Literal["region", "middle"] = "region"
    expertise: tuple[Line, ...] = ("Neuroradiologist", "Radiologist", "Resident", "Imaging scientist", "Other")
    days: Annotated[float, Field(gt=0, le=3650)] = 90

    @model_validator(mode="after")
    def _whole(self) -> Design:
        names = [one.name for one in self.questions if one.kind != "text"]
        if not names:
            raise ValueError("nothing is asked: set real, prefer, mark or scales under ask")
        if len(set(names)) < len(names):
            raise ValueError("a scale is there twice")
        if self.catch and not (self.ask.real or self.ask.prefer):
            raise ValueError("cases to catch with need a right answer: ask real or prefer")
        if set(self.training) & set(self.catch):
            raise ValueError("a case cannot be for practice and to catch with")
        if any(first == second for first, second in self.pairs):
            raise ValueError("a pair has the same method twice")
        if not (self.jobs or self.folder or self.images):
            raise ValueError("there are no images: name jobs, a folder or images")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        """Everything that may be asked, in the order of the page."""
        ask = self.ask
        found: list[Question] = []
        if ask.prefer:
            words = _words(ask.prefer, "Which looks more like a real scan?")
            found.append(Question(PREFER, "choice", words, options=(("A", "A"), ("B", "B"))))
        if ask.real:
            words = _words(ask.real, "Is this scan real or synthetic?")
            found.append(Question(REAL, "choice", words, options=(("real", "Real"), ("synthetic", "Synthetic"))))
        if ask.confidence and found:
            found.append(CONFIDENCES)
        found += [
            SCALES[one] if isinstance(one, str) else Question(kind="scale", **one.model_dump()) for one in ask.scales
        ]
        if ask.mark:
            words = _words(ask.mark, "Mark what looks suspicious")
            found.append(Question(MARK, "mark", words, optional=True))
        return (*found, COMMENTS) if ask.comment and found else tuple(found)

    def asked_of(self, images: int) -> tuple[Question, ...]:
        """Return what is asked of an item of one image, or of two: PREFER needs two, all but CONFIDENCE one."""
        both = {CONFIDENCE, COMMENT}
        wanted = {PREFER} if images == 2 else {one.name for one in self.questions} - {PREFER}
        found = [one for one in self.questions if one.name in wanted | both]
        sure = any(one.name in (PREFER, REAL) for one in found)
        return tuple(one for one in found if one.name != CONFIDENCE or sure)

    @property
    def singles(self) -> bool:
        """Whether images are shown one at a time."""
        return bool(self.ask.real or self.ask.scales or self.ask.mark)


def read(path: Path) -> Design:
    """Return the design in a YAML or JSON file; its paths are relative to it. UserError bad_study."""
    try:
        if path.stat().st_size > FILE_BYTES:
            raise refusal("The file is larger than a megabyte.")
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise refusal(f"{path.name} cannot be read.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise refusal(f"{path.name} is neither YAML nor JSON.") from error
    found = of(content)
    base = path.resolve().parent
    images = tuple(one.model_copy(update=_beside(base, one)) for one in found.images)
    folder = None if found.folder is None else base / found.folder
    return found.model_copy(update={"images": images, "folder": folder})


def of(content: Any) -> Design:
    """Return the design that ``content`` (of a file or a form) describes; UserError bad_study names what is wrong."""
    try:
        return Design.model_validate(content)
    except ValidationError as error:
        # of the ways in which a scale can be wrong, what its own check says is the plainest
        first = min(error.errors(), key=lambda one: one["type"] != "value_error")
        where = ".".join(str(part) for part in first["loc"])
        what = str(first["msg"]).removeprefix("Value error, ")
        raise refusal(f"{where}: {what}." if where else f"{what[:1].upper()}{what[1:]}.") from error


def _words(given: bool | str, usual: str) -> str:
    return given if isinstance(given, str) and given else usual


def _beside(base: Path, one: File) -> dict[str, Path]:
    return {"file": base / one.file} | ({"region": base / one.region} if one.region else {})


def refusal(message: str) -> UserError:
    """Return the error for a study that cannot be made as it was asked for."""
    return UserError("bad_study", message, "docs/reader-study.md shows a whole study; change it and try again.")
