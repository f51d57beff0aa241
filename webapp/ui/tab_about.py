"""The About tab: what this is, what it cannot do, whose work it stands on."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

CARDS = Path(__file__).parents[2] / "assets" / "weights"

ABOUT = """
## What this is
Counterscan shows the scan that was never taken. You mark a lesion in a T1-weighted brain MRI, and it makes the healthy
tissue that could have been there, in 3D, with a map of how sure the model is and beside the plain baselines.
Voxels outside the mask are those of your scan, bit for bit.

## What it cannot do
- It is a research tool. It is **not a medical device** and must not be used for diagnosis or treatment.
- The tissue inside the mask is **invented**. It is plausible, not true: the real anatomy of this person is not in it.
- Low uncertainty means that the model's samples agree, not that they are right.
- It was trained on a small number of adult scans and synthetic anatomy. Children, strong deformation, other contrasts
  and large resections are outside of what it has seen.
- The measures in the result table look at texture and borders. Without the true tissue nothing can measure correctness.

## Your data
Scans stay on the machine that runs this page. File headers are replaced by fresh ones without names or comments.
The page loads nothing from other hosts.

## Papers
1. Kwark, Luo, Zhu et al. *Hierarchical Diffusion Framework for Pseudo-Healthy Brain MRI Inpainting.* arXiv 2507.17911,
   2025.
2. Zhu, Kwark, Zhu, Hong, Tao, Luo, Li, Liang, Kindratenko. *Introducing 3D Representation for Medical Image
   Volume-to-Volume Translation via Score Fusion.* ICML 2025, arXiv 2501.07430.
3. Oh, Kwark, Falahkheirkhah, Yeh, Cheville, Kindratenko, Bhargava. *Anatomy of a failure: When, how, and why deep
   vision fails in scientific domains.* arXiv 2605.04231, 2026.
4. Wang, Zhang, Kwark, Tu et al. *Exploring the equivalence of closed-set generative and real data augmentation in image
   classification.* arXiv 2508.09550, 2025.
"""

LICENCE = """
## Licence
Apache-2.0. The viewer is NiiVue (BSD-2-Clause), the page is built with Gradio (Apache-2.0).
"""


def build() -> None:
    """Draw the tab."""
    with gr.Column(elem_classes="cs-section cs-prose"):
        gr.Markdown(ABOUT)
        cards = sorted(CARDS.glob("*.md"))
        if cards:
            gr.Markdown("## Model cards")
        for card in cards:
            with gr.Accordion(card.stem, open=False):
                gr.Markdown(card.read_text(encoding="utf-8"))
        gr.Markdown(LICENCE)
