"""The web application. Importing it keeps Gradio from writing a stub (.pyi) beside each component, for which it parses
every component's source: a third of the time that importing Gradio takes, in each process that serves the page."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType

COMPONENTS = "gradio.component_meta"


class _WithoutStubs(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        """Load the module that makes the classes of components, without its writer of stubs."""
        super().exec_module(module)
        vars(module).update(create_or_modify_pyi=lambda *_: None)


class _Finder(PathFinder):
    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to load ``COMPONENTS``; None for all others."""
        spec = super().find_spec(name, path, target) if name == COMPONENTS else None
        if spec is None or spec.origin is None:
            return spec
        return spec_from_file_location(name, spec.origin, loader=_WithoutStubs(name, spec.origin))


sys.meta_path.insert(0, _Finder)
