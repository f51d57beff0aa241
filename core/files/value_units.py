"""The unit of the numbers of spectra, by the words in which programs write it."""

from __future__ import annotations

from collections.abc import Mapping

# unit -> how its names begin, in small letters
WORDS: Mapping[str, str] = {
    "absorbance": "absorb",
    "transmittance": "transmi",
    "reflectance": "reflect",
    "counts": "count",
}


def units_in(text: str, words: Mapping[str, str] = WORDS) -> list[str]:
    """Return the units that ``text`` names in any case, in the order of ``words``.

    >>> units_in("Absorbance units"), units_in("Reflectance or transmission"), units_in("A")
    (['absorbance'], ['transmittance', 'reflectance'], [])
    """
    plain = text.lower()
    return [unit for unit, word in words.items() if word in plain]
