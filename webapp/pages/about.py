"""The About tab: what this is, what it cannot do, whose work it stands on."""

from __future__ import annotations

import gradio as gr

from core.assets import ASSETS
from webapp.pages.kit.templates import piece
from webapp.pages.sessions import WORDS

CARDS = ASSETS / "weights"

ABOUT = """
## What this is
Counterscan shows the scan that was never taken: a lesion replaced by the healthy tissue that could have been there,
thick slices made thin, a missing contrast made from those at hand; each in 3D, with a map of how sure the model is,
beside the plain methods. The failure lab shows when a deep network on infrared tissue images must not be trusted,
and why. Inpainting leaves voxels outside the mask as they are in your scan, bit for bit; super-resolution agrees
with the slices that were measured.

## What it cannot do
- It is a research tool. It is **not a medical device** and must not be used for diagnosis or treatment.
- What it makes is **invented**. It is plausible, not true: the real anatomy of this person is not in it.
- A translated contrast cannot show what its sources do not show: enhancement after contrast agent, lesions they miss.
- Low uncertainty means that the model's samples agree, not that they are right.
- The networks were trained on a small number of adult scans and synthetic anatomy. Children, strong deformation and
  large resections are outside of what they have seen.
- Without the true scan nothing can measure correctness. Where you have it, give it as the reference.

## Your data
Scans stay on the machine that runs this page. File headers are replaced by fresh ones without names or comments.
The page loads nothing from other hosts.
"""

PAPERS = """
## Papers
1. Kwark, Luo, Zhu et al. *Hierarchical Diffusion Framework for Pseudo-Healthy Brain MRI Inpainting.*
   arXiv 2507.17911, 2025.
2. Zhu, Kwark, Zhu, Hong, Tao, Luo, Li, Liang, Kindratenko. *Introducing 3D Representation for Medical Image
   Volume-to-Volume Translation via Score Fusion.* ICML 2025, arXiv 2501.07430.
3. Oh, Kwark, Falahkheirkhah, Yeh, Cheville, Kindratenko, Bhargava. *Anatomy of a failure: When, how, and why deep
   vision fails in scientific domains.* arXiv 2605.04231, 2026.
4. Wang, Zhang, Kwark, Tu et al. *Exploring the equivalence of closed-set generative and real data augmentation in image
   classification.* arXiv 2508.09550, 2025.

## Licence
Apache-2.0. The viewer is NiiVue (BSD-2-Clause), the page is built with Gradio (Apache-2.0).
"""


def build() -> None:
    """Draw the tab."""
    with gr.Column(elem_classes="cs-whole cs-section cs-prose cs-about", min_width=0):
        gr.Markdown(ABOUT)
        with gr.Column(min_width=0):
            gr.HTML(piece("boxes", "figure", words=WORDS))
            gr.Markdown(PAPERS)
        cards = sorted(CARDS.glob("*.md"))
        if cards:
            # one component for all: each costs the page time to start
            with gr.Accordion("Model cards", open=False, elem_classes="cs-advanced"):
                gr.Markdown("\n\n".join(card.read_text(encoding="utf-8") for card in cards))
