"""The sentences in which the product tells a user of an error, read from its source.

They are what exceptions are raised with, what their notes are, and what a terminal is told to `fail` with.
Parts that differ from case to case are `…`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

PLACEHOLDER = "…"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# Exceptions whose text no user reads: the code tries again, records the movie with its reason, or goes on.
# Anything else that is raised is taken to be told.
HANDLED = {
    *("TransientError", "RateLimitedError", "ServerError", "ConnectionFailedError", "InvalidPayloadError"),
    *("RecordError", "MovieNotFoundError", "UnexpectedStatusError", "StoppedError", "BudgetSpent"),
    *("ApiBusyError", "NotThereError", "EOFError", "AssertionError", "StopIteration", "NotImplementedError"),
    *("OversizedPayloadError", "NoIdsError", "NotWholeError", "TooLargeError"),
    *("DeltaError", "Refused", "HTTPStatusError", "PageError", "SystemExit", "Exit", "CancelledError"),
}
# Functions that raise for their own module only.
INTERNAL = {"_refuse_constant"}
# What a library words: a setting or a filter outside of its bounds.
FOREIGN = {"…: Input should be …": "pydantic"}
# Functions whose answer is raised elsewhere, as the reason of an engine's end.
REASONS = {"jvm_death", "cause_of_death"}

Names = Mapping[str, list[ast.expr]]


def told_sentences(root: Path) -> dict[str, str]:
    """Each sentence with the place in the source where it is told first."""
    found = dict(FOREIGN)
    for place, sentence, text in _told_texts(root):
        if _has_words(sentence):
            found.setdefault(sentence, f"{place}:{text.lineno}")
    return found


def passed_on(root: Path) -> set[str]:
    """What is told as it comes: `place: expression`, where that has no words of its own."""
    texts = {
        (place, ast.unparse(text)) for place, sentence, text in _told_texts(root) if not _has_words(sentence)
    }
    return {
        f"{place}: {expression}" for place, expression in texts if expression not in ("str(error)", "None")
    }


def sentences_of(module: ast.Module, constants: Names | None = None) -> Iterator[tuple[str, ast.expr]]:
    """The sentences of a module and what they are made by; constants are those it may import."""
    yield from _of_scope(module, {**(constants or {}), **dict(_names(module))})


@cache  # reading the whole source takes seconds
def _told_texts(root: Path) -> list[tuple[str, str, ast.expr]]:
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in _modules(root)}
    constants = {name: values for module in modules.values() for name, values in _names(module)}
    return [
        (path.relative_to(root).as_posix(), sentence, text)
        for path, module in modules.items()
        for sentence, text in sentences_of(module, constants)
    ]


def _has_words(sentence: str) -> bool:
    return re.search(r"[A-Za-z]{2}", sentence) is not None


def _modules(root: Path) -> Iterator[Path]:
    """All modules that are installed."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for room in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]:
        path = root / room
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _names(module: ast.Module) -> Iterator[tuple[str, list[ast.expr]]]:
    """The names of a module with their values, and its functions, as `name()`, with what they return."""
    for node in module.body:
        if isinstance(node, FUNCTIONS):
            yield f"{node.name}()", _returned(node)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id, [node.value]


def _of_scope(scope: ast.AST, outer: Names) -> Iterator[tuple[str, ast.expr]]:
    names = dict(outer)
    nodes = list(_within(scope))
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            names[name] = [*([] if names.get(name) is outer.get(name) else names[name]), node.value]
    for node in nodes:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name not in HANDLED | INTERNAL:
            yield from _of_scope(node, names)
        for text in _told(node, scope):
            yield from ((sentence, text) for sentence in _templates(text, names))


def _within(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, without those of scopes inside it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield from _within(child)


def _told(node: ast.AST, scope: ast.AST) -> Iterator[ast.expr]:
    """The expressions whose text is told at a node."""
    match node:
        case ast.Raise(exc=ast.Call(func=function, args=[text, *_])) if _name(function) not in HANDLED:
            yield text
        case ast.Call(func=ast.Attribute(attr="fail" | "add_note"), args=[text, *_]):
            yield text
        case ast.Return(value=ast.Call(func=ast.Name(id=name), args=[text])) if name.endswith("Error"):
            # Whoever called for it raises it.
            yield text
        case ast.Return(value=ast.expr() as text) if getattr(scope, "name", "") in REASONS:
            yield text
        case ast.ClassDef(name=name) if name.endswith("Error") and name not in HANDLED:
            # An exception that words itself.
            for inner in ast.walk(node):
                match inner:
                    case ast.Call(func=ast.Attribute(value=ast.Call(), attr="__init__"), args=[text, *_]):
                        yield text


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    inner = _within(function)
    return [node.value for node in inner if isinstance(node, ast.Return) and node.value is not None]


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def _templates(text: ast.expr, names: Names) -> list[str]:
    """What a text can be; `…` where it is made elsewhere."""
    match text:
        case ast.Constant(value=str(value)):
            return [value]
        case ast.JoinedStr(values=values):
            return _joined(values, names)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [a + b for a in _templates(left, names) for b in _templates(right, names)]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_templates(body, names), *_templates(orelse, names)]
        case ast.BoolOp(values=values):
            return [template for value in values for template in _templates(value, names)]
        case ast.Name(id=name) if name in names:
            return _answers(name, names)
        case ast.Call(func=ast.Name(id=name)) if f"{name}()" in names:
            return _answers(f"{name}()", names)
        case ast.Call(
            func=ast.Attribute(attr="join"),
            args=[ast.GeneratorExp(generators=[ast.comprehension(iter=ast.Tuple(elts=parts))])],
        ):
            return [template for part in parts for template in _templates(part, names) if template]
        case ast.Call(func=ast.Attribute(value=value, attr="strip" | "rstrip")):
            return _templates(value, names)
    return [PLACEHOLDER]


def _answers(name: str, names: Names) -> list[str]:
    # Without itself: a text may be made from what it was before.
    others = {other: values for other, values in names.items() if other != name}
    return list(dict.fromkeys(text for value in names[name] for text in _templates(value, others)))


def _joined(parts: list[ast.expr], names: Names) -> list[str]:
    texts = [""]
    for part in parts:
        match part:
            case ast.Constant(value=str(value)):
                choices = [value]
            case ast.FormattedValue(value=ast.Name(id=name)) if _is_text(name, names):
                choices = _answers(name, names)
            case _:
                choices = [PLACEHOLDER]
        texts = [text + choice for text in texts for choice in choices]
    return [re.sub(rf"{PLACEHOLDER}(\s*{PLACEHOLDER})+", PLACEHOLDER, text) for text in texts]


def _is_text(name: str, names: Names) -> bool:
    """Whether a part of a sentence is words of its own: a constant, or what was put together before."""
    return name in names and (name.isupper() or isinstance(names[name][0], ast.JoinedStr))
