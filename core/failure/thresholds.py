"""The thresholds of the verdict; docs/failure-lab.md has the measurements that they were chosen by."""

from __future__ import annotations

# leaning on one number of the mean spectrum, from: logits explained by those of shuffled pixels (D5), answers that
# follow a swapped score (D4), logits explained within the classes (D3)
SHUFFLE, SWAP, WITHIN = 0.45, 0.15, 0.20
# failing, from: accuracy lost where the amount of tissue changes (D12); for another shift a warning
DROP = 0.10
# a warning, from: rise of the calibration error (D13), answers that follow a noise floor (D4n), signal-to-noise ratio
# explained by the class (D16)
RISE, NOISE, CLASS_NOISE = 0.10, 0.07, 0.10
# a warning about the data, from: accuracy that knowing the patient wins, for certain (lower bound)
LEAK = 0.05
# a warning, below: accuracy over the best plain classifier (D11)
GAIN = 0.02
