"""What is true of the contrasts T1, T1ce, T2 and FLAIR; importing it loads neither torch nor numpy."""

from __future__ import annotations

CONTRASTS = ("t1", "t1ce", "t2", "flair")
TITLES = {"t1": "T1", "t1ce": "T1ce", "t2": "T2", "flair": "FLAIR"}
# what stands above every translated image on the page and in the report
CANNOT_KNOW = {
    "t1": "A translated T1 is a guess from the other contrasts: what shows on a T1 alone, such as fat, old blood or "
    "myelin loss that the sources do not show, cannot be in it.",
    "t1ce": "Nobody can know from other contrasts where a contrast agent would enhance: a bright rim in this image is "
    "a guess, and a dark place is no proof that nothing enhances.",
    "t2": "A translated T2 is a guess from the other contrasts: fluid, swelling or lesions that the sources do not "
    "show cannot be in it.",
    "flair": "A translated FLAIR is a guess from the other contrasts: lesions of the white matter that the sources do "
    "not show cannot be in it, and what is bright here may not be a lesion.",
}

# median and standard deviation of each contrast in the brain, in units of its 99.5th percentile: means over the
# training subjects. The network works on intensities less their median over their deviation, which differ less
# between scanners than the percentile; the way back to it can only be the mean one.
USUAL = {"t1": (0.68, 0.18), "t1ce": (0.52, 0.135), "t2": (0.38, 0.155), "flair": (0.48, 0.16)}
