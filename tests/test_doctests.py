"""Every example of a docstring does what it shows."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

from tests.source import modules

WITH_EXAMPLES = [module.name for module in modules("core", "webapp") if ">>> " in module.text]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_of_a_module_hold(name: str) -> None:
    failed, tried = doctest.testmod(import_module(name))
    assert tried and not failed


def test_what_is_used_most_has_an_example() -> None:
    imaging = {"core", "core.volume", "core.acquisition", "core.anatomy.head", "core.imaging.tiles"}
    spectra = {"core.spectra.cube", "core.spectra.patches", "core.spectra.reference_spectra", "core.spectra.score"}
    assert imaging | spectra <= set(WITH_EXAMPLES)
