"""Finds every error code in the source: who gives it, with which status, words and way out."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

FOLDERS = ("agent", "api", "core", "db", "memory", "platforms", "scheduler", "tools")
FILES = ("server.py", "cli.py")
# What the first text of an error is called where it is not called message.
_MESSAGES = ("message", "detail", "reason", "why")

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Found:
    """One place that gives a code; ``status`` None = it is not an HTTP answer of itself."""

    code: str
    status: int | None
    message: str
    action: str


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What is known of something that makes errors: its parameters in order, and what it says of itself."""

    parameters: tuple[str, ...]
    status: int | None = None
    code: str | None = None
    message: str = ""
    action: str = ""


def collect(root: Path) -> dict[str, list[Found]]:
    """Every code with the places that give it."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sources(root)]
    classes = {node.name: node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)}
    errors = {name: shape for name in classes if (shape := _of_class(name, classes)) is not None}
    makers = {function.name: _of_function(function, errors) for tree in trees for function in _makers(tree)}
    public = {name: shape for name, shape in makers.items() if not name.startswith("_")}
    found: dict[str, list[Found]] = {}
    for tree in trees:
        own = {function.name: _of_function(function, errors) for function in _makers(tree)}
        for each in _in_tree(tree, {**errors, **public, **own}):
            found.setdefault(each.code, []).append(each)
    return found


def sources(root: Path) -> Iterator[Path]:
    """The product's own Python files; the sandbox speaks the networks' codes, not ours."""
    for folder in FOLDERS:
        yield from sorted((root / folder).rglob("*.py"))
    yield from (root / name for name in FILES if (root / name).exists())


def _makers(tree: ast.Module) -> list[Function]:
    """Functions with a parameter ``code``: what they are called with ends in an error or an answer."""
    functions = [node for node in ast.walk(tree) if isinstance(node, Function)]
    return [each for each in functions if "code" in _parameters(each) and not each.name.startswith("__")]


def _of_function(function: Function, errors: dict[str, _Shape]) -> _Shape:
    made = errors.get(function.returns.id) if isinstance(function.returns, ast.Name) else None
    return replace(made or _Shape(parameters=()), parameters=_parameters(function))


def _of_class(name: str, classes: dict[str, ast.ClassDef]) -> _Shape | None:
    line: list[ast.ClassDef] = []
    while name in classes:
        line.append(classes[name])
        base = classes[name].bases[0] if classes[name].bases else None
        name = base.id if isinstance(base, ast.Name) and base.id != name else ""
    names = {each.name for each in line}
    fields = tuple(
        item.target.id
        for item in (line[0].body if line else [])
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
    )
    if not names & {"StudioError", "PlatformError"}:
        return _Shape(parameters=fields) if "code" in fields else None
    status, code, action = (_constant(line, constant) for constant in ("status", "default_code", "default_action"))
    words = (ast.get_docstring(line[0]) or "").split("\n\n")[0]
    return _Shape(
        parameters=("message",),
        status=status if isinstance(status, int) and "StudioError" in names else None,
        code=code if isinstance(code, str) else None,
        message=" ".join(words.split()).replace("``", "`"),
        action=action if isinstance(action, str) else "",
    )


def _constant(line: list[ast.ClassDef], name: str) -> object:
    for each in line:
        for item in each.body:
            targets = item.targets if isinstance(item, ast.Assign) else [getattr(item, "target", None)]
            value = getattr(item, "value", None)
            if isinstance(value, ast.Constant) and any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return value.value
    return None


def _parameters(function: Function) -> tuple[str, ...]:
    arguments = function.args
    return tuple(each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs))


def _in_tree(tree: ast.Module, shapes: dict[str, _Shape]) -> Iterator[Found]:
    yield from _in_scope(tree, shapes, Names.of(tree, None))


def _in_scope(node: ast.AST, shapes: dict[str, _Shape], names: "Names") -> Iterator[Found]:
    """What is given in a node and below; ``names`` are those of the function around it."""
    if isinstance(node, Function):
        names = Names.of(node, names)
    elif isinstance(node, ast.Call):
        yield from _in_call(node, shapes, names)
    elif isinstance(node, ast.Dict):
        yield from _in_dict(node, names)
    elif isinstance(node, ast.ClassDef) and (shape := shapes.get(node.name)) is not None:
        own = _constant([node], "default_code")
        if isinstance(own, str):
            yield Found(code=own, status=shape.status, message=shape.message, action=shape.action)
    for child in ast.iter_child_nodes(node):
        yield from _in_scope(child, shapes, names)


def _in_call(call: ast.Call, shapes: dict[str, _Shape], names: "Names") -> Iterator[Found]:
    called = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    shape = shapes.get(called)
    given = {each.arg: each.value for each in call.keywords if each.arg}
    if shape is not None:
        given |= dict(zip(shape.parameters, call.args, strict=False))
    condition = given.get("condition")
    kind = (shapes.get(condition.id) if isinstance(condition, ast.Name) else None) or shape or _Shape(parameters=())
    status = number.value if isinstance(number := given.get("status"), ast.Constant) else kind.status
    message = next((words for key in _MESSAGES if (words := names.text(given.get(key)))), kind.message)
    for code in names.codes(given.get("code")):
        yield Found(
            code=code,
            status=status if isinstance(status, int) else kind.status,
            message=message,
            action=names.text(given.get("action")) or kind.action,
        )


def _in_dict(node: ast.Dict, names: "Names") -> Iterator[Found]:
    """The errors that are kept as JSON: a code beside a message."""
    pairs = zip(node.keys, node.values, strict=True)
    given = {key.value: value for key, value in pairs if isinstance(key, ast.Constant)}
    if "message" in given:
        for code in names.codes(given.get("code")):
            action = names.text(given.get("action"))
            yield Found(code=code, status=None, message=names.text(given["message"]), action=action)


@dataclass(frozen=True, kw_only=True)
class Names:
    """What the names of a module or function stand for: every value they are given, in the order of the lines."""

    values: dict[str, list[ast.expr]]

    @classmethod
    def of(cls, scope: ast.AST, around: "Names | None") -> "Names":
        """The names of a scope, over those around it."""
        own: dict[str, list[ast.expr]] = {}
        for node in _inside(scope):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        own.setdefault(target.id, []).append(node.value)
        for node in _inside(scope):
            if isinstance(node, ast.For) and isinstance(node.target, ast.Tuple):
                for place, target in enumerate(node.target.elts):
                    if isinstance(target, ast.Name):
                        own.setdefault(target.id, []).extend(_column(node.iter, own, place))
        return cls(values={**(around.values if around else {}), **own})

    def codes(self, node: ast.expr | None) -> list[str]:
        """The codes an expression can be: constants, and patterns with `<name>` for what varies."""
        match node:
            case ast.Constant(value=str(code)) if code:
                return [code]
            case ast.Name(id=name):
                return [code for value in self.values.get(name, ()) for code in self.codes(value)]
            case ast.IfExp(body=body, orelse=other):
                return self.codes(body) + self.codes(other)
            case ast.BoolOp(values=values):
                return [code for value in values for code in self.codes(value)]
            case ast.JoinedStr(values=parts):
                return ["".join(_pattern(part) for part in parts)]
            case _:
                return []

    def text(self, node: ast.expr | None) -> str:
        """The words of an expression, with … for what is put in when it runs; empty when it is no text."""
        match node:
            case ast.Constant(value=str(text)):
                return " ".join(text.split())
            case ast.JoinedStr(values=parts):
                words = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in parts)
                return " ".join(words.split())
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return " ".join(filter(None, (self.text(left), self.text(right) or "…")))
            case ast.IfExp(body=body, orelse=other):
                return " / ".join(filter(None, (self.text(body), self.text(other))))
            case ast.Name(id=name, lineno=line):
                before = [value for value in self.values.get(name, ()) if value.lineno <= line]
                return self.text(before[-1]) if before else ""
            case _:
                return ""


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of functions inside it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, Function):
            yield child
            yield from _inside(child)


def _column(rows: ast.expr, names: dict[str, list[ast.expr]], place: int) -> list[ast.expr]:
    """What stands at one place of every row of a table that is written out."""
    if isinstance(rows, ast.Name):
        return [cell for table in names.get(rows.id, ()) for cell in _column(table, {}, place)]
    if not isinstance(rows, ast.Tuple | ast.List):
        return []
    return [row.elts[place] for row in rows.elts if isinstance(row, ast.Tuple) and place < len(row.elts)]


def _pattern(part: ast.expr) -> str:
    match part:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)) | ast.FormattedValue(value=ast.Attribute(attr=name)):
            return f"<{name}>"
        case _:
            return "<…>"
