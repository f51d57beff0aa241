"""A made-up reader study with every kind of item, its raters better than chance and of two minds about taste."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from core.measure.answers import COMMENT, CONFIDENCE, PREFER, REAL, Answer, Collected, Image, Question, Rater, Use

METHODS = ("diffusion", "repaint", "biharmonic")
SCALES = ("realism", "anatomy")
GROUPS = ("neuroradiologist, 5 to 10 years", "resident, under 5 years")
QUESTIONS = (
    Question(REAL, "choice", "Is this scan real?", options=(("real", "Real"), ("synthetic", "Synthetic"))),
    Question(CONFIDENCE, "scale", "How sure are you?", low="guessing", high="certain"),
    Question(PREFER, "choice", "Which looks better?", options=(("A", "A"), ("B", "B"))),
    Question("realism", "scale", "Realistic appearance", low="artificial", high="like a real scan"),
    Question("anatomy", "scale", "Anatomical correctness", levels=4, low="impossible", high="plausible"),
    Question(COMMENT, "text", "Comment", optional=True),
)
QUALITY = {"diffusion": 0.9, "repaint": 0.4, "biharmonic": -1.0}


def collected(raters: int = 4, items: int = 30, seed: int = 0) -> Collected:
    """Return a study of ``items`` items, half of single images and half of pairs, with training, catch and repeats.

    The last rater has stopped half-way; every tenth item is shown a second time.
    """
    rng = np.random.default_rng(seed)
    shown = _items(items, rng)
    names = [f"R{index + 1:02d}" for index in range(raters)]
    answers: list[Answer] = []
    who: list[Rater] = []
    for index, name in enumerate(names):
        order = _order(shown, items, rng)
        done = order[: len(order) // 2] if index and index == raters - 1 else order
        group = GROUPS[index % len(GROUPS)]
        skill = 1.0 if group == GROUPS[0] else 0.4
        answers += [_answer(name, group, skill, at + 1, *one, rng) for at, one in enumerate(done)]
        who.append(Rater(name, group, len(done), len(order)))
    return Collected("6f1e2d3c4b5a69788796a5b4c3d2e1f0", "Which inpainting convinces?", QUESTIONS, tuple(who),
                     tuple(answers))  # fmt: skip


Item = tuple[int, Use, tuple[Image, ...]]


def _items(count: int, rng: np.random.Generator) -> list[Item]:
    pairs = list(combinations(METHODS, 2))
    made: list[Item] = []
    for number in range(count):
        case = f"case {number // 3 + 1}"
        if number % 2:
            made.append((number, "item", tuple(_image(method, case, rng) for method in pairs[number // 2 % 3])))
        else:
            method = METHODS[number // 4 % 3] if number % 4 else "scanner"
            made.append((number, "item", (_image(method, case, rng),)))
    uses: tuple[Use, ...] = ("training", "training", "catch", "catch")
    for number, use in enumerate(uses, count):
        method = "biharmonic" if number % 2 else "scanner"
        made.append((number, use, (_image(method, f"case {number}", rng),)))
    return made


def _image(method: str, case: str, rng: np.random.Generator) -> Image:
    if method == "scanner":
        return Image(method, case, "real")
    psnr = 26 + 3 * QUALITY[method] + rng.normal(0, 1)
    return Image(
        method, case, "synthetic", {"psnr": float(psnr), "ssim": float(0.7 + psnr / 200 + rng.normal(0, 0.01))}
    )


def _order(shown: list[Item], items: int, rng: np.random.Generator) -> list[tuple[Item, bool]]:
    """Return the training items, then the others in a random order, then some of them again."""
    training = [one for one in shown if one[1] == "training"]
    rest = [one for one in shown if one[1] != "training"]
    mixed = [rest[index] for index in rng.permutation(len(rest))]
    again = [one for one in mixed if one[1] == "item"][: items // 10]
    return [(one, False) for one in training + mixed] + [(one, True) for one in again]


def _answer(
    rater: str, group: str, skill: float, position: int, item: Item, repeat: bool, rng: np.random.Generator
) -> Answer:
    number, use, images = item
    if len(images) > 1 and rng.random() < 0.5:
        images = images[::-1]
    expected: dict[str, str | int] = {} if use == "item" else {REAL: images[0].truth}
    return Answer(
        rater=rater,
        group=group,
        item=number,
        use=use,
        repeat=repeat,
        position=position,
        images=images,
        values=_values(images, skill, rng),
        expected=expected,
        seconds=float(np.round(rng.lognormal(2.5 + 0.3 * skill, 0.4), 3)),
        changes=int(rng.poisson(0.3)),
        revisions=int(rng.random() < 0.05),
        slices={"axial": int(rng.integers(1, 40)), "coronal": int(rng.integers(0, 20)), "sagittal": 0},
        answered=f"2026-11-20T{9 + position // 60:02d}:{position % 60:02d}:00Z",
    )


def _values(images: tuple[Image, ...], skill: float, rng: np.random.Generator) -> dict[str, str | int | float | None]:
    if len(images) == 2:
        lead = QUALITY[images[0].method] - QUALITY[images[1].method]
        return {PREFER: "A" if lead + rng.normal(0, 1) > 0 else "B"}
    good = QUALITY.get(images[0].method, 1.2)
    felt = good + rng.normal(0, 1 / skill)
    return {
        REAL: "real" if felt > 0.6 else "synthetic",
        CONFIDENCE: int(np.clip(round(1 + 2 * abs(felt - 0.6)), 1, 5)),
        "realism": int(np.clip(round(3 + good + rng.normal(0, 0.8)), 1, 5)),
        "anatomy": int(np.clip(round(2.6 + 0.7 * good + rng.normal(0, 0.6)), 1, 4)),
        COMMENT: '=a seam, "left"\nfrontal' if rng.random() < 0.1 else None,
    }
