"""What is written behind the fields of a model, for the API's description and for `--help`.

pydantic can collect it as well (`use_attribute_docstrings`), but does so while classes are made, by parsing the source of
each: every start would pay for texts that are seldom asked for.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from itertools import pairwise

from pydantic import BaseModel


def field_docs(model: type[BaseModel]) -> Mapping[str, str]:
    """Field -> its docstring, as one line; fields that have none are left out."""
    told: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, BaseModel) and kind is not BaseModel:
            told.update(_docs_in(kind.__module__).get(kind.__qualname__, {}))
    return {name: text for name, text in told.items() if name in model.model_fields}


@cache
def _docs_in(module: str) -> Mapping[str, Mapping[str, str]]:
    """Class -> field -> docstring. Nothing where the source is not at hand."""
    try:
        tree = ast.parse(inspect.getsource(import_module(module)))
    except (OSError, TypeError):
        return {}
    return {each.name: dict(_documented(each)) for each in tree.body if isinstance(each, ast.ClassDef)}


def _documented(body: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in pairwise(body.body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
