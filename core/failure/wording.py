"""The words of diagnostics and verdicts for spectra alone and for stained pictures; they are written for patches."""

from __future__ import annotations

from dataclasses import replace

from core.failure.results import Diagnostic, Verdict

OF_SPECTRA = (
    ("mean spectrum of the patch", "spectrum"),
    ("the mean spectra", "the spectra"),
    ("mean spectrum", "spectrum"),
    ("mean spectra", "spectra"),
    ("another patch", "another spectrum"),
    ("patches", "spectra"),
    ("patch", "spectrum"),
)
OF_PICTURES = (("mean spectrum", "mean colour"), ("mean spectra", "mean colours"))


def worded(text: str, modality: str, spatial: bool) -> str:
    """Return ``text`` in the words of what was examined.

    >>> worded("One number of the mean spectrum of another patch", "ir", spatial=False)
    'One number of the spectrum of another spectrum'
    """
    pairs = OF_PICTURES if modality == "rgb" else () if spatial else OF_SPECTRA
    for ours, theirs in pairs:
        text = text.replace(ours, theirs)
    return text


def worded_diagnostic(given: Diagnostic, modality: str, spatial: bool) -> Diagnostic:
    """Return a diagnostic with title and reason in the words of what was examined."""
    title, reason = (worded(text, modality, spatial) for text in (given.title, given.reason))
    return replace(given, title=title, reason=reason)


def worded_verdict(given: Verdict, modality: str, spatial: bool) -> Verdict:
    """Return a verdict in the words of what was examined."""

    def each(texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(worded(text, modality, spatial) for text in texts)

    (text,) = each((given.text,))
    return Verdict(given.level, text, each(given.reasons), each(given.not_tested))
