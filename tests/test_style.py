"""House rules that no linter has: sizes, docstrings, and what library code leaves alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.source import Module, modules, parse

LONGEST_FILE, LONGEST_FUNCTION = 400, 60
FORBIDDEN_IMPORTS = frozenset({"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"})
FORBIDDEN_CALLS = frozenset({"print", "eval", "exec", "input", "breakpoint"})
FORBIDDEN_ATTRIBUTES = frozenset({("torch", "load"), ("os", "system")})
# programs of developers may name a folder as their default
FREE_TO_NAME_DATA = ("core.bench", "core.train", "core.commands")
# methods whose meaning is that of the class they override
INHERITED = frozenset({"forward", "api_info", "process_bind_param", "process_result_value"})

# what a migration did stays as it is, in one piece
MIGRATIONS = "webapp.store.migrations"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> Iterator[Function]:
    return (node for node in module.nodes if isinstance(node, Function))


def length(node: Function) -> int:
    """Lines from ``def`` to the last, without the docstring."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def public(module: Module) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name and node of each public function, class and method, and the module itself."""
    if not module.is_package or module.tree.body:
        yield module.name, module.tree
    for node in module.tree.body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield f"{module.name}.{node.name}", node
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and not _is_protocol(node):
            for inner in node.body:
                if isinstance(inner, Function) and not inner.name.startswith("_") and inner.name not in INHERITED:
                    yield f"{module.name}.{node.name}.{inner.name}", inner


def undocumented(module: Module) -> list[str]:
    """Return the public things of ``module`` without a docstring."""
    documented = (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [name for name, node in public(module) if isinstance(node, documented) and not ast.get_docstring(node)]


def offences(module: Module) -> list[str]:
    """Return the forbidden statements of library code with their lines."""
    found = [f"import {source}" for source, _ in module.imports if source.partition(".")[0] in FORBIDDEN_IMPORTS]
    for node in module.nodes:
        offence = _offence(node)
        if offence:
            found.append(f"{offence} in line {getattr(node, 'lineno', 0)}")
    return [f"{module.path}: {offence}" for offence in found]


def _offence(node: ast.AST) -> str | None:
    match node:
        case ast.Assert():
            return "assert"
        case ast.Call(func=ast.Name(id=name)) if name in FORBIDDEN_CALLS:
            return f"{name}()"
        case ast.Attribute(value=ast.Name(id=owner), attr=name) if (owner, name) in FORBIDDEN_ATTRIBUTES:
            return f"{owner}.{name}"
        case ast.keyword(arg="shell" | "allow_pickle" as name, value=value) if ast.unparse(value) != "False":
            return f"{name}="
        case ast.ExceptHandler(type=None):
            return "blind except"
    return None


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)


def test_no_file_is_long() -> None:
    lines = {module.path: module.text.count("\n") for module in modules("core", "webapp", "tests")}
    assert {path: count for path, count in lines.items() if count > LONGEST_FILE} == {}


def test_no_function_is_long() -> None:
    lengths = {
        f"{module.path}:{node.lineno} {node.name}": length(node)
        for module in modules("core", "webapp", "tests")
        for node in functions(module)
        if not module.name.startswith(MIGRATIONS)
    }
    assert {place: count for place, count in lengths.items() if count > LONGEST_FUNCTION} == {}


def test_public_things_are_documented() -> None:
    ours = [module for module in modules("core", "webapp") if not module.name.startswith(MIGRATIONS)]
    assert [name for module in ours for name in undocumented(module)] == []


def test_library_code_keeps_its_hands_off() -> None:
    assert [offence for module in modules("core", "webapp") for offence in offences(module)] == []


def test_the_program_does_not_know_where_the_real_scans_are() -> None:
    knowing = [
        module.path
        for module in modules("core", "webapp")
        if "shared/data" in module.text and not module.name.startswith(FREE_TO_NAME_DATA)
    ]
    assert knowing == []


def test_every_type_ignore_names_its_error() -> None:
    bare = re.compile(r"#\s*(type:\s*ignore(?!\[)|noqa(?!:))")
    found = [
        f"{module.path}:{number}"
        for module in modules("core", "webapp", "tests")
        for number, line in enumerate(module.text.splitlines(), 1)
        if bare.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "print(1)",
        "import pickle",
        "from pickle import loads",
        "weights = torch.load(path)",
        "assert mask.any()",
        "run(line, shell=True)",
        "np.load(path, allow_pickle=True)",
        "try:\n    pass\nexcept:\n    pass",
    ],
)
def test_an_offence_is_seen(text: str) -> None:
    assert len(offences(parse("core.new", text))) == 1


def test_a_missing_docstring_is_seen() -> None:
    text = '"""A."""\nclass B:\n    """B."""\n    def c(self): return 1\ndef _d(): return 2\ndef e(): return 3'
    assert undocumented(parse("core.new", text)) == ["core.new.B.c", "core.new.e"]


def test_length_leaves_out_the_docstring() -> None:
    node = parse("core.new", 'def f():\n    """One.\n\n    Two.\n    """\n    return 1').tree.body[0]
    assert isinstance(node, ast.FunctionDef)
    assert length(node) == 2
