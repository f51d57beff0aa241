"""``counterscan failure``: simulated tissue as a file that the failure lab, or another program, can read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import UserError

if TYPE_CHECKING:
    from core.spectra.patches import PatchSet

app = typer.Typer(
    help="Simulated tissue for the failure lab, and the schema of its results.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)


@app.callback()
def failure() -> None:
    """Simulated tissue for the failure lab, and the schema of its results."""


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="The file to write (.npz).", metavar="FILE")],
    preset: Annotated[
        str, typer.Option(help="density, strong, weak, band, lipid, noise-floor, none, hard.")
    ] = "density",
    count: Annotated[int, typer.Option(min=8, max=20_000, help="Patches.")] = 600,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same patches.")] = 0,
    shift: Annotated[str, typer.Option(help="id, external or conflict.")] = "id",
) -> None:
    """Write simulated patches: ir (N, B, H, W) absorbance, rgb (N, 3, H, W), y, group, wn (cm^-1), classes, cue."""
    from core.spectra.simulated_tissue import PRESETS, SHIFTS
    from core.spectra.simulated_tissue import simulate as make

    if preset not in PRESETS:
        raise UserError(
            "bad_parameter", f"There is no tissue {preset[:40]!r}.", f"Choose one of: {', '.join(PRESETS)}."
        )
    chosen = next((each for each in SHIFTS if each == shift), None)
    if chosen is None:
        raise UserError("bad_parameter", f"There is no shift {shift[:40]!r}.", f"Choose one of: {', '.join(SHIFTS)}.")
    made = make(preset, count, seed, chosen)
    try:
        write(out, made)
    except OSError as error:
        raise UserError("write_failed", f"Cannot write {out.name}.", "Choose another folder.") from error
    typer.echo(out)


@app.command()
def schema(
    out: Annotated[Path, typer.Option(help="The file to write.", metavar="FILE")] = Path("assets/schema/irrgb-1.json"),
) -> None:
    """Write the JSON schema of results.json."""
    import json

    from core.failure.results_json import schema as described

    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(described(), indent=2) + "\n", encoding="utf-8")
    typer.echo(out)


def write(path: Path, patches: PatchSet) -> None:
    """Write patches as an .npz of plain arrays; OSError where that fails."""
    import numpy as np

    optional = {"rgb": patches.rgb, "group": patches.groups, "cue": patches.cue}
    known: dict[str, Any] = {name: each for name, each in optional.items() if each is not None}
    known |= {"ir": patches.ir, "y": patches.labels, "wn": patches.wavenumbers, "classes": np.array(patches.classes)}
    np.savez_compressed(path, allow_pickle=False, **known)
