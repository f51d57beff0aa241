"""``counterscan bench``: measure and print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from core.commands.costs import batch, queue, speed
from core.commands.terminal import names_in, write_beside

app = typer.Typer(
    help="Measure every method on held-out scans.", no_args_is_help=True, add_completion=False, rich_markup_mode=None
)


@app.callback()
def bench() -> None:
    """Measure every method on held-out scans."""


@app.command()
def quality(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train and demo.")],
    task: Annotated[str, typer.Option("--task", help="inpaint, superres or translate; default: all.")] = "",
    methods: Annotated[str, typer.Option("--methods", help="Names, comma between; default: all.")] = "",
    subjects: Annotated[str, typer.Option("--subjects", help="Healthy subjects, comma between.")] = "",
    steps: Annotated[int, typer.Option("--steps", min=1, max=8, help="Of the Faithful mode.")] = 1,
    samples: Annotated[int, typer.Option("--samples", min=0, max=16, help="0: as many as the task takes.")] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda:0.")] = "cpu",
    realistic: Annotated[str, typer.Option("--realistic", help="Tasks to run in that mode too.")] = "inpaint",
    record: Annotated[bool, typer.Option("--record", help="Write the figures beside the weights.")] = False,
    cache: Annotated[Path, typer.Option("--cache", help="Keeps what plain methods learn from.")] = Path("build/bench"),
    json: Annotated[Path | None, typer.Option("--json", help="Write rows and summary to this file.")] = None,
    markdown: Annotated[list[Path], typer.Option("--markdown", help="Write the tables into this page.")] = [],  # noqa: B006
    figures: Annotated[Path | None, typer.Option("--figures", help="Write a picture of each case here.")] = None,
    volumes: Annotated[
        Path | None, typer.Option("--volumes", help="Write every measured image here, for a reader study.")
    ] = None,
) -> None:
    """Compare every method of every task with the truth, and with the plain method to beat."""
    from core.bench.case import Row
    from core.bench.recorded import record as record_figures
    from core.bench.suite import TASKS, Settings
    from core.bench.suite import bench as measure
    from core.bench.table import format_table, write_json, write_markdown
    from core.train.heldout import VALIDATION

    if task and task not in TASKS:
        raise typer.BadParameter(f"--task must be one of {', '.join(TASKS)}, not {task[:40]!r}")
    settings = Settings(
        data,
        names_in(methods),
        names_in(subjects) or VALIDATION,
        steps,
        samples,
        seed,
        device,
        names_in(realistic),
        cache,
        figures,
        volumes,
        write_beside,
    )
    rows: list[Row] = []
    for rows in measure([task] if task else TASKS, settings):
        if json is not None:
            write_json(json, rows)
    if record:
        record_figures(rows)
    for page in markdown:
        write_markdown(page, rows)
    typer.echo(format_table(rows))


@app.command()
def methods(
    task: Annotated[str, typer.Option("--task", help="inpaint, superres or translate.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder that holds train; without it the synthetic case.")
    ] = None,
    methods: Annotated[str, typer.Option("--methods", help="Names, comma between; default: all.")] = "",
    subjects: Annotated[str, typer.Option("--subjects", help="Healthy subjects, comma between.")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    samples: Annotated[int, typer.Option("--samples", min=1, max=16, help="Of the papers' methods, averaged.")] = 1,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda:0.")] = "cpu",
    whole: Annotated[bool, typer.Option("--whole", help="Whole volumes in place of their middle.")] = False,
    ablations: Annotated[bool, typer.Option("--ablations", help="Variants of the hierarchical method.")] = False,
    record: Annotated[bool, typer.Option("--record", help="Write the figures beside the papers' weights.")] = False,
    json: Annotated[Path | None, typer.Option("--json", help="Write rows and summary to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table into this page.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Write a picture of each case here.")] = None,
) -> None:
    """Compare the papers' methods with ours: quality, calls, arithmetic, seconds and memory on the same scans."""
    from core.bench.published import OURS, Settings, compare
    from core.bench.recorded import record as record_figures
    from core.bench.suite import TASKS
    from core.bench.table import format_table, markdown_methods, write_between, write_json
    from core.train.heldout import HEALTHY

    if task not in TASKS or (ablations and task != "inpaint"):
        raise typer.BadParameter(f"--task must be one of {', '.join(TASKS)}; ablations are of inpaint")
    healthy = names_in(subjects) or HEALTHY
    rows = compare(
        task, Settings(data, names_in(methods), healthy, seed, samples, device, whole, ablations, figures, write_beside)
    )
    baselines = {task: ["both" if ablations else OURS]}
    if json is not None:
        write_json(json, rows)
    if record:
        record_figures(rows, baselines, papers=True)
    if markdown is not None:
        write_between(markdown, "ablations" if ablations else f"compare-{task}", markdown_methods(rows, baselines))
    typer.echo(format_table(rows, baselines))


@app.command()
def inpaint(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train.")],
    methods: Annotated[str, typer.Option("--methods", help="Names, comma between; default: all.")] = "",
    sizes: Annotated[str, typer.Option("--sizes", help="Volumes of the masks in ml, comma between.")] = "12,45",
    per_subject: Annotated[int, typer.Option("--per-subject", min=1, help="Masks of each size in each subject.")] = 1,
    margin: Annotated[float, typer.Option("--margin", min=0, help="Known tissue left at the surface, mm.")] = 3.0,
    mode: Annotated[str, typer.Option("--mode", help="faithful or realistic.")] = "faithful",
    steps: Annotated[int, typer.Option("--steps", min=1, max=8)] = 1,
    samples: Annotated[int, typer.Option("--samples", min=1, max=16)] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda:0.")] = "cpu",
    subjects: Annotated[str, typer.Option("--subjects", help="Healthy subjects, comma between.")] = "",
    json: Annotated[Path | None, typer.Option("--json", help="Write rows and summary to this file.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Write a picture of each case here.")] = None,
) -> None:
    """Inpaint masks of your choice in healthy subjects and print how near each method comes."""
    from core.bench import case
    from core.bench.inpaint import cases
    from core.bench.table import format_table, write_json
    from core.imaging.options import Options
    from core.train.heldout import HEALTHY

    options = Options("realistic" if mode == "realistic" else "faithful", steps, samples, seed, device)
    entrants = [case.entrant(method, options) for method in case.unpublished("inpaint")]
    case.check_names(entrants, names_in(methods))
    masks = cases(data, names_in(subjects) or HEALTHY, _volumes(sizes), [margin], per_subject)
    rows = case.run(masks, case.chosen(entrants, names_in(methods)), figures, write_beside)
    if json is not None:
        write_json(json, rows)
    typer.echo(format_table(rows))


@app.command()
def calibrate(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train.")],
    task: Annotated[str, typer.Option("--task", help="inpaint, superres or translate; default: all.")] = "",
    device: Annotated[str, typer.Option("--device", help="cpu or cuda:0.")] = "cpu",
    write: Annotated[bool, typer.Option(help="Put the factors into the manifest of the weights.")] = True,
    others: Annotated[
        bool, typer.Option("--others", help="On people who neither taught the network nor are held out.")
    ] = False,
) -> None:
    """Find what deviations must be multiplied by for 90 % intervals to hold 90 % of the held-out voxels."""
    from core import weights
    from core.bench.calibrate import calibrate as find_factor
    from core.bench.suite import TASKS, Settings, apart, network
    from core.bench.suite import cases as held_out
    from core.contrasts import TITLES

    settings = Settings(data, device=device)
    for name in [task] if task else TASKS:
        entrant, file = network(name, settings)
        measured = apart(name, settings) if others else held_out(name, settings, elsewhere=False)
        by_target = find_factor(measured, entrant, write_beside)
        factors = {}
        for made, found in by_target.items():
            factors[made] = found.factor * weights.calibration(file, made)
            typer.echo(found.described(f"{name} to {TITLES[made]}" if made else name, factors[made]))
        if write:
            weights.calibrate(file, factors)


@app.command()
def failure(
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=5, help="How often every network is trained.")] = 1,
    cache: Annotated[Path, typer.Option("--cache", help="Keeps what was trained; a stopped run goes on.")] = Path(
        "build/bench/failure.jsonl"
    ),
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table into this page.")] = None,
) -> None:
    """Train about 70 small networks on simulated tissue and print how well each diagnostic predicts what they lose."""
    import torch

    from core.bench import failure

    # on few cores several threads of one small network wait for each other
    torch.set_num_threads(1)
    rows = failure.measure(seeds, cache, write_beside)
    if markdown is not None:
        failure.write_page(markdown, rows)
    typer.echo(failure.markdown(rows))


@app.command()
def interleaved(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder that holds train; without it synthetic scans alone.")
    ] = None,
    methods: Annotated[str, typer.Option("--methods", help="Of super-resolution, comma between.")] = "cubic",
    subjects: Annotated[str, typer.Option("--subjects", help="Healthy subjects, comma between.")] = "1015",
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables into this page.")] = None,
) -> None:
    """Measure what evening out and relaxing slices gain, and how often slices seem to alternate."""
    from core.bench import case
    from core.bench import interleaved as bench
    from core.bench.table import write_between
    from core.imaging.options import Options

    case.check_names([case.entrant(one, Options()) for one in case.unpublished("superres")], names_in(methods))
    scans = [*bench.synthetic(), *(bench.healthy(data, names_in(subjects)) if data else ())]
    rows = bench.gained(scans, names_in(methods), write_beside)
    found = bench.searched(bench.sharp_files(data), write_beside) if data else []
    text = bench.markdown(rows, found)
    if markdown is not None:
        write_between(markdown, bench.MARK, text)
    typer.echo(text)


@app.command()
def thick(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train.")],
    samples: Annotated[int, typer.Option("--samples", min=1, max=16, help="Of the Faithful mode.")] = 1,
    json: Annotated[Path | None, typer.Option("--json", help="Write rows and summary to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table into this page.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Write a picture of each case here.")] = None,
) -> None:
    """Inpaint T1s resampled from thick slices with the shipped share, half and all of our network's residual."""
    from core.bench import thick_slices
    from core.bench.case import Row
    from core.bench.table import format_table, markdown_methods, write_between, write_json
    from core.imaging.options import Options

    rows: list[Row] = []
    for rows in thick_slices.measure(data, Options(samples=samples), figures, write_beside):
        if json is not None:
            write_json(json, rows)
        if markdown is not None:
            write_between(markdown, thick_slices.MARK, markdown_methods(rows))
    typer.echo(format_table(rows))


@app.command()
def slices(
    data: Annotated[
        Path | None, typer.Option("--data", help="Folder that holds train; without it synthetic scans alone.")
    ] = None,
    methods: Annotated[str, typer.Option("--methods", help="Of super-resolution, comma between; may be none.")] = "",
    subjects: Annotated[str, typer.Option("--subjects", help="Healthy subjects, comma between.")] = "",
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the table into this page.")] = None,
) -> None:
    """Measure how nearly scans show how thick their slices are, and what a wrong thickness costs."""
    from core.bench import case, interleaved, slice_widths
    from core.bench.table import write_between
    from core.imaging.options import Options
    from core.train.heldout import VALIDATION

    case.check_names([case.entrant(one, Options()) for one in case.unpublished("superres")], names_in(methods))
    held_out = interleaved.healthy(data, names_in(subjects) or VALIDATION) if data else ()
    rows = slice_widths.measure(
        [*interleaved.synthetic(), *held_out], names_in(methods), write_beside, slice_widths.KINDS
    )
    text = slice_widths.markdown(rows)
    if markdown is not None:
        write_between(markdown, slice_widths.MARK, text)
    typer.echo(text)


@app.command()
def pairs(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train and demo.")],
    cache: Annotated[Path, typer.Option("--cache", help="Keeps alignments; a stopped run goes on.")] = Path(
        "build/bench/pairs.jsonl"
    ),
    json: Annotated[Path | None, typer.Option("--json", help="Write every pair to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables into this page.")] = None,
) -> None:
    """Pair scans of one person and of two, and print how often each is taken for two people's."""
    from core.bench import two_heads

    rows = two_heads.measure(data, cache, write_beside)
    if json is not None:
        two_heads.write_json(json, rows)
    if markdown is not None:
        two_heads.write_page(markdown, rows)
    typer.echo(two_heads.markdown(rows))


@app.command()
def scanner(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train.")],
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables into this page.")] = None,
) -> None:
    """Translate people of another site with a scan of someone else of that site, and print what that gains."""
    from core.bench import same_scanner

    rows = same_scanner.measure(same_scanner.folders(data), write_beside)
    if markdown is not None:
        same_scanner.write_page(markdown, rows)
    typer.echo(same_scanner.markdown(rows))


@app.command()
def realism(
    data: Annotated[Path, typer.Option("--data", help="Folder that holds train.")],
    subjects: Annotated[str, typer.Option("--subjects", help="Healthy subjects, comma between.")] = "",
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    device: Annotated[str, typer.Option("--device", help="cpu or cuda:0.")] = "cpu",
    json: Annotated[Path | None, typer.Option("--json", help="Write rows and summary to this file.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write the tables into this page.")] = None,
    figures: Annotated[Path | None, typer.Option("--figures", help="Write a picture of each case here.")] = None,
) -> None:
    """Compare realistic fills with the mirrored hemisphere and another person's tissue in random features."""
    from core.bench import realism as bench
    from core.bench.case import Row
    from core.bench.table import write_between, write_json
    from core.imaging.options import Options
    from core.train.heldout import VALIDATION

    rows: list[Row] = []
    options = Options(samples=4, seed=seed, device=device)
    for rows in bench.measure(data, options, names_in(subjects) or VALIDATION, figures, write_beside):
        if json is not None:
            write_json(json, rows)
    text = bench.markdown(rows)
    if markdown is not None:
        write_between(markdown, bench.MARK, text)
    typer.echo(text)


app.command()(queue)
app.command()(speed)
app.command()(batch)


def _volumes(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(f"--sizes must be numbers with commas between, not {text[:40]!r}") from error
