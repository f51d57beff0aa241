"""The program's own source, parsed: what the tests of structure, style and documentation read."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Module:
    """One source file: its dotted name (a package has the name of its folder), text and syntax tree."""

    name: str
    path: str
    text: str
    is_package: bool

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree, made when it is first wanted: every process of tests reads all modules, few their trees."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of the tree."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def imports(self) -> tuple[tuple[str, str | None], ...]:
        """(module, name) of each import, wherever it stands; name is None for ``import module``."""
        return tuple(self._imported())

    def _imported(self) -> Iterator[tuple[str, str | None]]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                yield from ((self._absolute(node), alias.name) for alias in node.names)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        base = parts[: len(parts) - node.level + self.is_package]
        return ".".join([*base, *([node.module] if node.module else [])])


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """Return every module of the top-level ``packages``, in order of path."""
    return tuple(_read(path) for package in packages for path in sorted((ROOT / package).rglob("*.py")))


def parse(name: str, text: str, is_package: bool = False) -> Module:
    """Return a module made of ``text``, for tests of the checks themselves."""
    return Module(name, f"{name}.py", text, is_package)


def _read(path: Path) -> Module:
    relative = path.relative_to(ROOT)
    is_package = path.name == "__init__.py"
    name = ".".join(relative.parent.parts if is_package else relative.with_suffix("").parts)
    text = path.read_text(encoding="utf-8")
    return Module(name, relative.as_posix(), text, is_package)
