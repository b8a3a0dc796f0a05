"""Modules of ours as one file that runs alone: the code itself, so that what anybody runs is what was run here."""

import ast
import inspect
from collections.abc import Iterator
from types import ModuleType

OURS = ("annotation.", "analysis.")


def bundle_text(header: str, modules: tuple[ModuleType, ...]) -> str:
    """The modules' code one after the other, in the order in which they need each other; imports of others at the top.

    Parameters
    ----------
    header : str
        The docstring of the file, in its quotation marks.
    """
    trees = [(module, ast.parse(inspect.getsource(module))) for module in modules]
    imports = sorted({line for _, tree in trees for line in _imports(tree)})
    bodies = [f"# {name_of(module)}\n\n\n{_body(module, tree)}" for module, tree in trees]
    return header + "\n" + "\n".join(imports) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"


def name_of(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _imports(tree: ast.Module) -> Iterator[str]:
    """One line for each name that is not ours."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and not _ours(node):
            yield from (f"from {node.module} import {ast.unparse(name)}" for name in node.names)


def _ours(node: ast.ImportFrom) -> bool:
    return (node.module or "").startswith(OURS)


def _body(module: ModuleType, tree: ast.Module) -> str:
    """The source without imports and the module's docstring, with the first lines alone of the others."""
    left_out: set[int] = set()
    shorter: dict[int, str] = {}
    for node in [*tree.body[:1], *(node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))]:
        left_out |= _lines(node)
    for definition in ast.walk(tree):
        if isinstance(definition, ast.FunctionDef | ast.ClassDef) and (docstring := ast.get_docstring(definition)):
            told = definition.body[0]
            left_out |= _lines(told)
            shorter[told.lineno] = " " * told.col_offset + f'"""{docstring.splitlines()[0]}"""'
    lines = enumerate(inspect.getsource(module).splitlines(), start=1)
    kept = [shorter.get(number, line) for number, line in lines if number in shorter or number not in left_out]
    return "\n".join(kept).strip()


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
