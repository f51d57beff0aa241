"""What a task declares; the form, the command line, the catalogue and the tests are drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from core.errors import UserError
from core.events import Event
from core.presentation import Page
from core.result import Artifact, NamedFile

Value = int | float | str | bool | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True)
class Reference:
    """A function by its place, ``"module:name"``. Its module is imported when it is called, so that a declaration that
    holds one loads neither numpy nor torch, and a module may import the declaration that refers to it."""

    place: str

    def load(self) -> Callable[..., Any]:
        """Import and return the function; ``ImportError`` or ``AttributeError`` where there is none."""
        module, _, name = self.place.partition(":")
        found: Callable[..., Any] = getattr(import_module(module), name)
        return found

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.load()(*arguments, **named)


@dataclass(frozen=True)
class Method:
    """One way to do a task.

    function: ``"module:name"`` of what computes it; its arguments are the task's own business.
    source: what it follows; cost: what it takes, in words. cheap: a plain method, without a network of layers.
    weights: the network it runs on, "" for none; also: further ones; expert: those that it runs on if the user wishes.
    paper: from one of the papers; ours is neither cheap nor from a paper. steps: how many denoising steps it is meant
    for.
    """

    name: str
    title: str
    function: str
    source: str
    cost: str
    cheap: bool
    weights: str = ""
    paper: bool = False
    also: tuple[str, ...] = ()
    expert: tuple[str, ...] = ()
    steps: int = 1

    @property
    def ours(self) -> bool:
        """Whether it is neither a plain method nor one of the papers'."""
        return not self.cheap and not self.paper

    def networks(self, expert: bool = False) -> tuple[str, ...]:
        """Return the weights it runs on, its own first, none for no network; expert: with those it may run on."""
        wished = self.expert if expert else ()
        return tuple(dict.fromkeys((self.weights, *self.also, *wished))) if self.weights else ()

    def load(self) -> Callable[..., Any]:
        """Import and return the method's function."""
        return Reference(self.function).load()


@dataclass(frozen=True)
class Input:
    """A file the task reads: ``kind`` is ``"volume"`` (a scan), ``"mask"`` ({0, 1} on the scan's grid), ``"tissue"``
    (spectra, infrared images or patches, in the formats of docs/failure-lab.md) or ``"model"`` (a network trained
    elsewhere).

    label: of the place on a page where it is dropped, its title if ""; folded: the heading under which that place is
    folded away, "" for one in the open. own_units: its intensities are not in the units of the scan.
    other_head: it may be anybody's, on any grid: nothing is drawn with it. pictures: whether "tissue" may be pictures
    without spectra too.
    """

    name: str
    kind: Literal["volume", "mask", "tissue", "model"]
    title: str
    help: str
    required: bool = True
    label: str = ""
    folded: str = ""
    own_units: bool = False
    other_head: bool = False
    pictures: bool = False


@dataclass(frozen=True)
class Output:
    """A file the task writes into its output folder as ``<name>.nii.gz`` or ``<name>.<kind>``; ``name``, without a
    hyphen, is the kind of the artifact.

    always: False for a file that only some inputs make.
    """

    name: str
    kind: Literal["volume", "json", "html", "csv", "png"]
    title: str
    always: bool = True


@dataclass(frozen=True)
class Measure:
    """A column of the task's result table: the page and the report read ``name`` from each row of the result.

    A value is a number, several numbers (one an axis), or None where nothing could be measured; a column of which
    every value is None or missing is not shown.
    """

    name: str
    title: str
    help: str
    digits: int = 2
    unit: str = ""


LINE_CHARACTERS = 200


@dataclass(frozen=True)
class Param:
    """One setting of a task; ``low`` and ``high`` are inclusive bounds for numbers.

    kind "axes": three numbers, one for each of the axes X, Y, Z (RAS+), or none of them: left to the task.
    kind "several": one or more of ``choices``, each once, in their order; none only where that is the default.
    kind "text": a line of at most ``high`` characters. folded: the heading under which it is folded away, "" for none.
    advanced: folded away on a page; paper: a setting of the papers' methods. titles: choice -> its title, a capitalised
    choice where it has none.
    """

    name: str
    kind: Literal["int", "float", "choice", "bool", "axes", "several", "text"]
    default: Value
    title: str
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    advanced: bool = False
    paper: bool = False
    titles: Mapping[str, str] = field(default_factory=dict, hash=False)
    folded: str = ""

    @property
    def option(self) -> str:
        """The name of its option on a command line, without the two hyphens."""
        return self.name.replace("_", "-")

    def parse(self, value: object) -> Value:
        """Return ``value`` in this parameter's type, or raise ``UserError("bad_parameter")``."""
        try:
            parsed = self._convert(value)
        except (TypeError, ValueError, KeyError) as error:
            raise self._refusal(value) from error
        if self.kind == "choice" and parsed not in self.choices:
            raise self._refusal(value)
        numbers = parsed if isinstance(parsed, tuple) else (parsed,)
        if not all(self._within(number) for number in numbers):
            raise self._refusal(value)
        return parsed

    def _within(self, number: object) -> bool:
        if not isinstance(number, int | float) or isinstance(number, bool):
            return True
        # written so that NaN is refused too
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)

    def _convert(self, value: object) -> Value:
        if self.kind == "bool":
            if isinstance(value, bool):
                return value
            return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]
        if self.kind == "choice":
            return str(value)
        if self.kind == "text":
            return _line(value, int(self.high or LINE_CHARACTERS))
        if self.kind == "axes":
            return _axes(value)
        if self.kind == "several":
            return () if self.default == () and value in ("", [], ()) else _several(value, self.choices)
        number = float(str(value))
        if self.kind == "float":
            return number
        if not number.is_integer():
            raise ValueError(value)
        return int(number)

    def _refusal(self, value: object) -> UserError:
        allowed = " or ".join(self.choices) if self.choices else f"{self.low} to {self.high} {self.unit}".strip()
        if self.kind == "bool":
            allowed = "true or false"
        if self.kind == "text":
            allowed = f"one line of at most {self.high or LINE_CHARACTERS:.0f} characters"
        if self.kind == "axes":
            allowed = f"three numbers, each {allowed}"
        if self.kind == "several":
            allowed = f"one or more of {', '.join(self.choices)}"
        return UserError(
            "bad_parameter",
            f"{self.title} cannot be {str(value)[:40]!r}.",
            f"Give a value of {allowed}.",
        )


@dataclass(frozen=True)
class Preset:
    """A named set of parameter values, offered as one click; on_page: False for one of the command line alone."""

    name: str
    title: str
    params: Mapping[str, Value]
    on_page: bool = True


@dataclass(frozen=True)
class Context:
    """Where a job runs and writes: ``device`` (``"cpu"``, ``"cuda:0"``) and an existing, empty ``out`` folder.

    sources: input name -> the files as the user gave them, where the input itself is a copy of them.
    kept: a folder, made when it is needed, in which a stopped run finds again what it had computed; None for none.
    """

    device: str
    out: Path
    sources: Mapping[str, tuple[NamedFile, ...]] = field(default_factory=dict)
    kept: Path | None = None


Run = Callable[[Context, Mapping[str, Path], Mapping[str, Any]], Iterator[Event]]


@dataclass(frozen=True)
class Estimate:
    """What a run will cost: seconds on this device, peak bytes of memory, network calls."""

    seconds: float
    memory: int
    calls: int


@dataclass(frozen=True)
class Task:
    """One thing the program can do to a scan.

    ``run`` reads checked files, yields ``Progress`` and ends with one ``Finished``; it raises ``UserError``.
    ``estimate`` takes (input name -> path, params, device) and returns the expected cost.
    Importing a task must import neither numpy nor torch: both are a ``Reference``. methods: the usual one first, ours
    before those of papers before the plain ones; none for a task that is done in one way. page: how it is shown.
    report: writes ``report.html`` of a finished run into a folder, from (folder, task, input name -> path, parameters,
    result, run record), for a task with that output.
    resumes: whether a run that was stopped goes on from ``Context.kept``.
    """

    name: str
    title: str
    summary: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    params: tuple[Param, ...]
    run: Run
    estimate: Callable[[Mapping[str, Path], Mapping[str, Any], str], Estimate]
    presets: tuple[Preset, ...] = ()
    methods: tuple[Method, ...] = ()
    measures: tuple[Measure, ...] = ()
    page: Page = field(default_factory=Page)
    report: Callable[..., Artifact] = Reference("core.report.page:write_report")
    resumes: bool = False

    @property
    def required(self) -> tuple[Input, ...]:
        """The inputs without which nothing can run."""
        return tuple(entry for entry in self.inputs if entry.required)

    @property
    def weights(self) -> tuple[str, ...]:
        """The networks that its methods run on, each once."""
        return tuple(dict.fromkeys(name for method in self.methods for name in method.networks()))

    def param(self, name: str) -> Param | None:
        """Return the parameter called ``name``, None if there is none."""
        return next((param for param in self.params if param.name == name), None)

    def method(self, name: str) -> Method:
        """Return the method called ``name``; ``KeyError`` if there is none."""
        return {method.name: method for method in self.methods}[name]

    def preset_params(self, names: str | None) -> dict[str, Value]:
        """Return the parameters of a preset, or of several with commas between, the later ones on top; none for None.

        UserError bad_parameter for an unknown name.
        """
        presets = {preset.name: preset.params for preset in self.presets}
        chosen: dict[str, Value] = {}
        for name in [part.strip() for part in names.split(",")] if names is not None else []:
            if name not in presets:
                known = ", ".join(presets)
                raise UserError("bad_parameter", f"There is no preset {name[:40]!r}.", f"Choose one of: {known}.")
            chosen |= presets[name]
        return chosen

    def parse(self, params: Mapping[str, object]) -> dict[str, Value]:
        """Return every parameter in its type, defaults filled in; unknown names raise ``UserError``."""
        known = {param.name: param for param in self.params}
        for name in params:
            if name not in known:
                raise UserError(
                    "bad_parameter",
                    f"{self.title} has no parameter named {name[:40]!r}.",
                    f"It has: {', '.join(known)}.",
                )
        return {name: param.parse(params.get(name, param.default)) for name, param in known.items()}


# what several tasks declare alike
SEED = Param("seed", "int", 0, "Seed", "The same seed gives the same result.", low=0, high=2**31 - 1, advanced=True)
RUN_RECORD = Output("run", "json", "Run record")
REPORT = Output("report", "html", "Report")


def _axes(value: object) -> tuple[float, ...]:
    """Return three numbers or none; ``ValueError`` or ``TypeError`` otherwise."""
    parts = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise TypeError(value)
    if len(parts) not in (0, 3):
        raise ValueError(value)
    return tuple(float(str(part)) for part in parts)


def _line(value: object, longest: int) -> str:
    """Return a text without blanks around it; ``ValueError`` or ``TypeError`` for what is no line, or a longer one."""
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise TypeError(value)
    text = str(value).strip()
    if len(text) > longest or not text.isprintable():
        raise ValueError(value)
    return text


def _several(value: object, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Return the chosen ones in the order of ``choices``; ``ValueError`` or ``TypeError`` for none or an unknown."""
    parts = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        raise TypeError(value)
    if not parts or not set(parts) <= set(choices):
        raise ValueError(value)
    return tuple(choice for choice in choices if choice in parts)
