"""What every result of the failure lab must be read with."""

from __future__ import annotations

LIMITS = (
    "Results on simulated tissue are a simulated reproduction of the effect that Oh et al. describe "
    "(arXiv:2605.04231). No number here is theirs.",
    "One family of simulated tissue, small networks, four classes, few seeds; the shortcut's strength is a setting.",
    "The shortcut is hidden from the stained picture on purpose: its stain varies by 35 % between slides.",
    "The picture is sharper than the infrared image, so part of a gap without a shortcut is resolution.",
    "Severities of corruptions of the two sides cannot be compared with each other.",
    "Robustness to noise is no sign of health: a model that has collapsed to one number averages noise away.",
    "Probes can miss a failure. A model without a finding is not a safe model, and nothing here is for clinical use.",
)
