"""The script that every export carries: the code that drew and allocated the study, as one file that runs alone."""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from types import ModuleType

from annotation.randomize import (
    allocation,
    balance,
    guesses,
    offline,
    order,
    plan,
    predictions,
    reserve,
    sampling,
    streams,
)

# In the order in which they need each other; the last one holds the command.
MODULES = (streams, sampling, allocation, balance, order, plan, predictions, reserve, guesses, offline)
HEADER = '''\
"""Reproduce the draw of neurons, the allocation and every rater's order of this study, and say whether they match.

    python reproduce.py            the export in this script's own folder
    python reproduce.py FOLDER     another export

Needs Python 3.11 or later and NumPy. This is the code of Blindscope that made the allocation, in one file: the modules
{modules}
of annotation/randomize, without their imports of each other and their longer explanations.
"""
'''


@cache
def reproduce_script() -> str:
    """The text of the script: the modules' code one after the other, what they import of others at the top."""
    trees = [(module, ast.parse(inspect.getsource(module))) for module in MODULES]
    imports = sorted({line for _, tree in trees for line in _imports(tree)})
    header = HEADER.format(modules=", ".join(_name(module) for module in MODULES))
    bodies = [f"# {_name(module)}\n\n\n{_body(module, tree)}" for module, tree in trees]
    return header + "\n" + "\n".join(imports) + "\n\n\n" + "\n\n\n".join(bodies) + "\n"


def _name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def _imports(tree: ast.Module) -> Iterator[str]:
    """One line for each name that is not ours."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and not _ours(node):
            yield from (f"from {node.module} import {ast.unparse(name)}" for name in node.names)


def _ours(node: ast.ImportFrom) -> bool:
    return (node.module or "").startswith("annotation.")


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
