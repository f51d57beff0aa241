"""The documentation keeps up with the program: codes, settings, links, citations."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import documents
from tests.source import ROOT, Module, modules, parse
from webapp import settings

MAKERS = frozenset({"UserError", "Failed"})
PAPERS = ("2507.17911", "2501.07430", "2605.04231", "2508.09550")
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def codes(module: Module) -> Iterator[str]:
    """Yield the code of each error that ``module`` makes: a literal, or each of the choices of a conditional."""
    for node in module.nodes:
        if not isinstance(node, ast.Call) or _called(node) not in MAKERS:
            continue
        first = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "code"), None)
        yield from (leaf.value for leaf in _leaves(first) if isinstance(leaf.value, str))


def _called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def _leaves(node: ast.expr | None) -> Iterator[ast.Constant]:
    if isinstance(node, ast.Constant):
        yield node
    if isinstance(node, ast.IfExp):
        yield from _leaves(node.body)
        yield from _leaves(node.orelse)


def documented_codes() -> set[str]:
    return set(
        re.findall(r"^\| `([a-z_0-9]+)` \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    )


def test_every_error_code_is_documented() -> None:
    made = {code for module in modules("core", "webapp") for code in codes(module)}
    assert made - documented_codes() == set()


def test_every_documented_code_exists() -> None:
    # a code may reach UserError through a variable, so its name anywhere in the program will do
    texts = [module.text for module in modules("core", "webapp")]
    assert {code for code in documented_codes() if not any(f'"{code}"' in text for text in texts)} == set()


def test_error_codes_are_read_from_the_source() -> None:
    text = 'raise UserError("one" if x else "two", m, h)\nyield Failed(code="three")\nUserError(c, m)'
    assert set(codes(parse("core.new", text))) == {"one", "two", "three"}


def test_the_page_of_settings_is_the_programs() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert settings.page() == page, "write it anew: .venv/bin/counterscan settings > docs/settings.md"


def test_every_variable_of_the_environment_is_documented() -> None:
    read = {
        name for module in modules("core", "webapp") for name in re.findall(r"\bCOUNTERSCAN_[A-Z_]*[A-Z]", module.text)
    }
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert {name for name in read if f"`{name}" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    local = [target for target in targets if not target.startswith(("http://", "https://", "mailto:"))]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


@pytest.mark.parametrize("paper", PAPERS)
def test_the_papers_are_cited(paper: str) -> None:
    assert f"arXiv:{paper}" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert paper in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_architecture_names_every_folder() -> None:
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for package in ("core", "webapp")
        for path in (ROOT / package).rglob("__init__.py")
    } - {"core", "webapp"}
    assert documents.named_folders() == {folder for folder in folders if "migrations" not in folder}


@pytest.mark.parametrize("page", ["architecture", "python"])
def test_written_pages_are_up_to_date(page: str) -> None:
    kept = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    assert kept == getattr(documents, page)(), "write it anew: .venv/bin/python -m tests.documents"
