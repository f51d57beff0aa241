"""What each method and measure follows, as a paper would list it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from core import __version__


@dataclass(frozen=True)
class Work:
    """A publication; ``url`` is its place on the net."""

    text: str
    url: str


PROGRAM = f"The Counterscan developers. Counterscan: the scan that was never taken. Version {__version__}, Apache-2.0."

WORKS: dict[str, Work] = {
    "ba2016": Work("Ba JL, Kiros JR, Hinton GE. Layer normalization. 2016.", "https://arxiv.org/abs/1607.06450"),
    "bornemann1996": Work(
        "Bornemann FA, Deuflhard P. The cascadic multigrid method for elliptic problems. Numerische Mathematik "
        "75:135-152, 1996.",
        "https://doi.org/10.1007/s002110050234",
    ),
    "friedman2001": Work(
        "Friedman JH. Greedy function approximation: a gradient boosting machine. Annals of Statistics "
        "29(5):1189-1232, 2001.",
        "https://doi.org/10.1214/aos/1013203451",
    ),
    "ho2020": Work(
        "Ho J, Jain A, Abbeel P. Denoising diffusion probabilistic models. NeurIPS 2020.",
        "https://arxiv.org/abs/2006.11239",
    ),
    "irani1991": Work(
        "Irani M, Peleg S. Improving resolution by image registration. CVGIP: Graphical Models and Image Processing "
        "53(3):231-239, 1991.",
        "https://doi.org/10.1016/1049-9652(91)90045-L",
    ),
    "karras2022": Work(
        "Karras T, Aittala M, Aila T, Laine S. Elucidating the design space of diffusion-based generative models. "
        "NeurIPS 2022.",
        "https://arxiv.org/abs/2206.00364",
    ),
    "kwark2025": Work(
        "Kwark DH, Luo S, Zhu X, et al. Hierarchical diffusion framework for pseudo-healthy brain MRI inpainting. "
        "2025.",
        "https://arxiv.org/abs/2507.17911",
    ),
    "kynkaanniemi2019": Work(
        "Kynkaanniemi T, Karras T, Laine S, Lehtinen J, Aila T. Improved precision and recall metric for assessing "
        "generative models. NeurIPS 2019.",
        "https://arxiv.org/abs/1904.06991",
    ),
    "mattes2003": Work(
        "Mattes D, Haynor DR, Vesselle H, Lewellen TK, Eubank W. PET-CT image registration in the chest using "
        "free-form deformations. IEEE Transactions on Medical Imaging 22(1):120-128, 2003.",
        "https://doi.org/10.1109/TMI.2003.809072",
    ),
    "morwani2023": Work(
        "Morwani D, Batra J, Jain P, Netrapalli P. Simplicity bias in 1-hidden layer neural networks. NeurIPS 2023.",
        "https://arxiv.org/abs/2302.00457",
    ),
    "naeem2020": Work(
        "Naeem MF, Oh SJ, Uh Y, Choi Y, Yoo J. Reliable fidelity and diversity metrics for generative models. ICML "
        "2020.",
        "https://arxiv.org/abs/2002.09797",
    ),
    "nichol2021": Work(
        "Nichol AQ, Dhariwal P. Improved denoising diffusion probabilistic models. ICML 2021.",
        "https://arxiv.org/abs/2102.09672",
    ),
    "oh2026": Work(
        "Oh JH, Kwark DH, Falahkheirkhah K, et al. Anatomy of a failure: when, how, and why deep vision fails in "
        "scientific domains. 2026.",
        "https://arxiv.org/abs/2605.04231",
    ),
    "perez2018": Work(
        "Perez E, Strub F, de Vries H, Dumoulin V, Courville A. FiLM: visual reasoning with a general conditioning "
        "layer. AAAI 2018.",
        "https://arxiv.org/abs/1709.07871",
    ),
    "smith2002": Work(
        "Smith SM. Fast robust automated brain extraction. Human Brain Mapping 17(3):143-155, 2002.",
        "https://doi.org/10.1002/hbm.10062",
    ),
    "song2021": Work(
        "Song J, Meng C, Ermon S. Denoising diffusion implicit models. ICLR 2021.", "https://arxiv.org/abs/2010.02502"
    ),
    "wang2004": Work(
        "Wang Z, Bovik AC, Sheikh HR, Simoncelli EP. Image quality assessment: from error visibility to structural "
        "similarity. IEEE Transactions on Image Processing 13(4):600-612, 2004.",
        "https://doi.org/10.1109/TIP.2003.819861",
    ),
    "wang2023": Work(
        "Wang Y, Yu J, Zhang J. Zero-shot image restoration using denoising diffusion null-space model. ICLR 2023.",
        "https://arxiv.org/abs/2212.00490",
    ),
    "wang2025": Work(
        "Wang H, Zhang G, et al. Exploring the equivalence of closed-set generative and real data augmentation in "
        "image classification. 2025.",
        "https://arxiv.org/abs/2508.09550",
    ),
    "zhu2025": Work(
        "Zhu X, Kwark DH, Zhu R, et al. Introducing 3D representation for medical image volume-to-volume translation "
        "via score fusion. 2025.",
        "https://arxiv.org/abs/2501.07430",
    ),
}

_SAMPLER = ("ho2020", "song2021", "nichol2021", "karras2022", "perez2018")
OF_METHOD: dict[tuple[str, str], tuple[str, ...]] = {
    ("inpaint", "volume"): (*_SAMPLER, "bornemann1996", "kwark2025"),
    ("inpaint", "biharmonic"): ("bornemann1996",),
    ("inpaint", "harmonic"): ("bornemann1996",),
    ("superres", "volume"): (*_SAMPLER, "ba2016", "wang2023", "irani1991"),
    ("superres", "cubic"): ("irani1991",),
    ("superres", "spline5"): ("irani1991",),
    ("superres", "linear"): ("irani1991",),
    ("superres", "nearest"): ("irani1991",),
    ("translate", "trees"): ("friedman2001",),
    ("translate", "volume"): ("friedman2001", *_SAMPLER, "ba2016", "zhu2025"),
}
# what a task rests on with any method: aligned scans, the brain in a head, the effect that the failure lab measures
OF_TASK: dict[str, tuple[str, ...]] = {
    "translate": ("mattes2003", "smith2002"),
    "failure": ("oh2026", "morwani2023"),
    "augment": ("ho2020", "nichol2021", "kynkaanniemi2019", "naeem2020", "wang2025"),
}
OF_MEASURE: dict[str, tuple[str, ...]] = {"ssim": ("wang2004",)}


def cited(task: str, methods: Iterable[str], measures: Iterable[str]) -> list[Work]:
    """Return the works behind what was run, each once, in alphabetical order."""
    keys = set(OF_TASK.get(task, ()))
    for method in methods:
        keys.update(OF_METHOD.get((task, method), ()))
    for measure in measures:
        keys.update(OF_MEASURE.get(measure, ()))
    return [WORKS[key] for key in sorted(keys)]
