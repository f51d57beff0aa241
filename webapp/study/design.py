"""The design of a reader study: where its images come from, the questions, the order; from YAML, JSON or a form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from core.errors import UserError
from core.measure.answers import COMMENT, CONFIDENCE, MARK, PREFER, REAL, Question

Line = Annotated[str, StringConstraints(max_length=200)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=60)]
Case = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Text = Annotated[str, StringConstraints(max_length=5000)]

# for which an invitation may be valid
LONGEST_DAYS = 3650
# folders whose images are real scans, where the design names none
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

# what is wrong with a field, by pydantic's type of the fault
PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of a study",
    "model_type": "is not a list of fields with values",
    "dict_type": "is not a list of names with values",
    "tuple_type": "is not a list",
    "too_long": "is a list of more than {max_length}",
    "string_type": "is not a text",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": "may have at most 30 small letters, digits and _, a letter first",
    "path_type": "is not the name of a file or folder",
    "literal_error": "is not one of {expected}",
    "bool_type": "is neither true nor false",
    "bool_parsing": "is neither true nor false",
    "int_type": "is not a whole number",
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "greater_than": "is not more than {gt}",
    "greater_than_equal": "is less than {ge}",
    "less_than_equal": "is more than {le}",
}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Scale(_Strict):
    """A scale of the study's own, answered by a whole number from 1 to ``levels``."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,29}$")]
    """Name of the column in exports: small letters, digits and _."""
    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """The question, as raters read it."""
    help: Line = ""
    """A sentence under the question."""
    levels: Annotated[int, Field(ge=2, le=9)] = 5
    """Number of steps."""
    low: Line = ""
    """Meaning of the lowest step, 1."""
    high: Line = ""
    """Meaning of the highest step."""

    @model_validator(mode="after")
    def _own(self) -> Scale:
        if self.name in {REAL, PREFER, CONFIDENCE, MARK, COMMENT, *SCALES}:
            raise ValueError(f"the name {self.name} is taken; choose another")
        return self


class Ask(_Strict):
    """The questions; a text in place of true replaces the usual words of a question."""

    real: bool | Line = False
    """Whether one image is real or synthetic."""
    confidence: bool = True
    """How sure the rater is, 1 to 5, beside ``real`` and ``prefer``."""
    prefer: bool | Line = False
    """Which of two images looks more like a real scan."""
    scales: tuple[Literal["realism", "slices", "anatomy", "border"] | Scale, ...] = ()
    """Scales for one image: names of the usual ones, or scales of the study's own."""
    mark: bool | Line = False
    """Whether raters mark with a pen what looks suspicious in one image."""
    comment: bool = True
    """Whether raters may write a comment."""


class ImageFile(_Strict):
    """One image of the study as a file."""

    file: Path
    """NIfTI file, relative to the file of the study."""
    method: Name
    """The method that made the image, or the name of the real scans."""
    case: Case
    """The subject; images of one case are compared with each other."""
    truth: Literal["real", "synthetic"]
    """Whether the image is a real scan."""
    region: Path | None = None
    """Mask of the voxels that were made, on the grid of the image."""
    measures: dict[Name, float] = {}
    """Measures of the image, such as psnr in dB."""


class Design(_Strict):
    """A whole study: its images, questions, order and words (docs/reader-study.md)."""

    title: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    """Title, which raters read too."""
    instructions: Text = ""
    """What raters read before they begin."""
    consent: Text = ""
    """What raters agree to before they begin."""
    after_deletion: Literal["answers", "nothing"] = "answers"
    """What stays once those who made the study delete it: the answers without images and names, or nothing."""
    end: Text = "Thank you. All your answers are saved."
    """What raters read after the last item."""
    ask: Ask
    """The questions."""
    jobs: tuple[str, ...] = ()
    """Ids of finished runs; each becomes a case."""
    folder: Path | None = None
    """Folder of METHOD/CASE.nii.gz, masks regions/CASE.nii.gz, and measures.json {method: {case: {name: number}}}."""
    images: tuple[ImageFile, ...] = ()
    """Images as single files."""
    real: tuple[Name, ...] = REAL_METHODS
    """Names of the methods in ``folder`` that are real scans."""
    methods: tuple[Name, ...] = ()
    """Methods to keep; all where none is named."""
    pairs: tuple[tuple[Name, Name], ...] = ()
    """Pairs of methods to compare; all pairs where none is named."""
    training: tuple[Case, ...] = ()
    """Cases for practice, shown first, with the right answer after each."""
    catch: tuple[Case, ...] = ()
    """Cases whose answer is obvious, to find raters who do not look."""
    order: Literal["rater", "study", "least", "none"] = "rater"
    """Another order for each rater; one order for all; the item that was shown least to all comes first; as listed."""
    repeats: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share of the items that are shown a second time, unannounced."""
    changes: bool = True
    """Whether saved answers may be changed; every version is kept."""
    toggle: bool = False
    """Whether two images share one viewer that switches between A and B."""
    window: Literal["each", "case"] = "each"
    """Whether each image has its own range of grey values, or all images of a case share one."""
    look: Literal["region", "middle"] = "region"
    """Where the crosshair begins, in real images too: the middle of what was made in the case, or of the image."""
    expertise: tuple[Line, ...] = ("Neuroradiologist", "Radiologist", "Resident", "Imaging scientist", "Other")
    """Groups that raters choose from."""
    days: Annotated[float, Field(gt=0, le=LONGEST_DAYS)] = 90
    """How long invitations are valid, in days."""

    @model_validator(mode="after")
    def _whole(self) -> Design:
        names = [one.name for one in self.questions if one.kind != "text"]
        if not names:
            raise ValueError("nothing is asked: set real, prefer, mark or scales under ask")
        if len(set(names)) < len(names):
            raise ValueError("a scale is there twice under ask.scales")
        if self.catch and not (self.ask.real or self.ask.prefer):
            raise ValueError("cases under catch need a question with a right answer: set real or prefer under ask")
        if set(self.training) & set(self.catch):
            raise ValueError("a case is under training, for practice, and under catch; keep it in one of them")
        if any(first == second for first, second in self.pairs):
            raise ValueError("one of the pairs has the same method twice")
        if not (self.jobs or self.folder or self.images):
            raise ValueError("there are no images: name jobs, a folder or images")
        return self

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions of the study, in the order of the page."""
        ask = self.ask
        found: list[Question] = []
        if ask.prefer:
            words = _wording(ask.prefer, "Which looks more like a real scan?")
            found.append(Question(PREFER, "choice", words, options=(("A", "A"), ("B", "B"))))
        if ask.real:
            words = _wording(ask.real, "Is this scan real or synthetic?")
            found.append(Question(REAL, "choice", words, options=(("real", "Real"), ("synthetic", "Synthetic"))))
        if ask.confidence and found:
            found.append(CONFIDENCES)
        found += [
            SCALES[one] if isinstance(one, str) else Question(kind="scale", **one.model_dump()) for one in ask.scales
        ]
        if ask.mark:
            words = _wording(ask.mark, "Mark what looks suspicious")
            found.append(Question(MARK, "mark", words, optional=True))
        return (*found, COMMENTS) if ask.comment and found else tuple(found)

    def asked_of(self, images: int) -> tuple[Question, ...]:
        """Return the questions about an item of ``images`` images, 1 or 2: PREFER needs two, all but CONFIDENCE one."""
        both = {CONFIDENCE, COMMENT}
        wanted = {PREFER} if images == 2 else {one.name for one in self.questions} - {PREFER}
        found = [one for one in self.questions if one.name in wanted | both]
        sure = any(one.name in (PREFER, REAL) for one in found)
        return tuple(one for one in found if one.name != CONFIDENCE or sure)

    @property
    def agreement(self) -> str:
        """What raters agree to, with what becomes of their answers."""
        stays = "stay, without the images and without your name" if self.after_deletion == "answers" else "go too"
        return f"{self.consent}\n\nIf those who made this study delete it, your answers {stays}.".strip()

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
    found = parse(content)
    base = path.resolve().parent
    images = tuple(one.model_copy(update=_beside(base, one)) for one in found.images)
    folder = None if found.folder is None else base / found.folder
    return found.model_copy(update={"images": images, "folder": folder})


def parse(content: Any) -> Design:
    """Return the design that ``content`` (of a file or a form) holds; UserError bad_study names the field at fault."""
    try:
        return Design.model_validate(content)
    except ValidationError as error:
        raise refusal(_sentence(content, error)) from error


def schema() -> str:
    """Return the JSON schema of a design, as text."""
    return json.dumps(Design.model_json_schema(), indent=2) + "\n"


def refusal(message: str) -> UserError:
    """Return the error for a study that cannot be made by its design."""
    return UserError("bad_study", message, "docs/reader-study.md shows a whole study; change it and try again.")


def _sentence(content: Any, error: ValidationError) -> str:
    """Return one sentence about the fault that is nearest to what was meant.

    A value that may be of two kinds, such as true or a text, has one fault for each: our own checks go first, then
    faults deep inside a value, then all but "neither true nor false".
    """
    faults = [(one, _path(content, one["loc"], one["type"] == "missing")) for one in error.errors(include_url=False)]
    fault, path = min(
        faults, key=lambda each: (each[0]["type"] != "value_error", -len(each[1]), each[0]["type"].startswith("bool"))
    )
    where = ".".join(map(str, path))
    if fault["type"] == "value_error":
        words = str(fault["ctx"]["error"])
        return f"{where}: {words}." if where else f"{words[:1].upper()}{words[1:]}."
    plain = PLAIN.get(fault["type"])
    words = plain.format(**fault.get("ctx", {})) if plain else f"cannot be used: {fault['msg']}"
    return f"{where or 'The study'} {words}."


def _path(content: Any, location: tuple[int | str, ...], missing: bool) -> list[int | str]:
    """Return the way through ``content`` to a fault, without the kinds of value that pydantic names in between.

    missing: the last part of ``location`` is not in ``content``.
    """
    path: list[int | str] = []
    for part in location:
        match content, part:
            case dict(), _ if part in content:
                content = content[part]
            case ((list() | tuple()), int()) if part < len(content):
                content = content[part]
            case ((dict() | list() | tuple()), _) if missing and part == location[-1]:
                content = None
            case _:
                continue
        path.append(part)
    return path


def _wording(given: bool | str, usual: str) -> str:
    return given if isinstance(given, str) and given else usual


def _beside(base: Path, one: ImageFile) -> dict[str, Path]:
    return {"file": base / one.file} | ({"region": base / one.region} if one.region else {})
