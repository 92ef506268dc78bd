"""What a statement does to names: which ones it binds, reads, and may change in place.

Scopes come from the standard library's ``symtable``. In-place changes are inferred from the syntax tree by rules that err on
the side of "may change".
"""

from __future__ import annotations

import ast
import symtable
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from autograder.core.syntax import DEFINED, FUNCTIONS, children, stored, walk
from autograder.core.watch import watch, why

# Methods that change their object although their names do not end in "_".
MUTATORS = {
    "append",
    "extend",
    "insert",
    "update",
    "pop",
    "popitem",
    "remove",
    "clear",
    "sort",
    "reverse",
    "add",
    "discard",
    "setdefault",
    "fill",
    "itemset",
    "resize",
    "backward",
    "step",
    "zero_grad",
    "load_state_dict",
    "train",
    "eval",
    "register_buffer",
    "register_parameter",
    "setflags",
}
# Library functions that change their arguments.
CHANGES_ARGUMENTS = {"shuffle", "fill_diagonal", "copyto", "put", "putmask", "place", "setattr", "exec", "setitem"}
# Functions that change nothing when called as a statement.
HARMLESS = {"print", "display", "len", "repr", "str", "type", "help", "pprint", "isinstance", "hasattr", "check"}
# Packages that only display things: no value depends on a call into them.
SHOWS = {"matplotlib", "seaborn", "plotly", "IPython", "tqdm", "google", "logging", "warnings", "ipywidgets"}
# Simple statements that call one of these are never needed for a value, and may take minutes or write files.
EXPENSIVE = {
    "input",
    "open",
    "mount",
    "upload",
    "download",
    "load_dataset",
    "from_pretrained",
    "urlretrieve",
    "urlopen",
    "wget",
    "system",
    "popen",
    "Popen",
    "check_call",
    "check_output",
    "sleep",
    "savefig",
    "show",
}
NOT_HERE = (*FUNCTIONS, ast.Lambda)
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
CHANGING = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.NamedExpr, ast.Delete, ast.withitem)


@dataclass
class Effects:
    """The names that a statement binds, reads, may change in place, and ties together (they may share memory).

    ``called``: the root names of all calls, decorators and base classes among them; ``methods``: the names of the methods that
    are called; ``calls``: functions called as a statement, with the names in their arguments, ``applied``: all that are called
    by name; ``expensive``: the function for whose call it is not run, or ''; ``left_out``: why it was not analysed.

    Of what calling a function or a class does: ``writes_globals``, the names that it declares ``global`` and assigns;
    ``alters_globals``, those that it may change in place; ``alters_arguments``, whether it may do so with an argument.
    ``defines``: the name of a function; ``defines_class``: that of a class, and ``has``: the methods of one.
    """

    binds: set[str] = field(default_factory=set)
    uses: set[str] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)
    ties: list[set[str]] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    calls: list[tuple[str, set[str]]] = field(default_factory=list)
    applied: list[tuple[str, set[str]]] = field(default_factory=list)
    writes_globals: set[str] = field(default_factory=set)
    alters_globals: set[str] = field(default_factory=set)
    alters_arguments: bool = False
    defines: str = ""
    defines_class: str = ""
    has: set[str] = field(default_factory=set)
    expensive: str = ""
    left_out: str = ""


def imported(nodes: list[ast.stmt]) -> dict[str, str]:
    """Alias -> top-level package for every import in these statements, including nested ones."""
    packages: dict[str, str] = {}
    for node in nodes:
        for item in walk(node):
            if isinstance(item, ast.Import):
                packages |= {a.asname or a.name.split(".")[0]: a.name.split(".")[0] for a in item.names}
            elif isinstance(item, ast.ImportFrom) and item.module:
                packages |= dict.fromkeys((a.asname or a.name for a in item.names), item.module.split(".")[0])
    return packages


def effects_of(
    code: str,
    node: ast.stmt,
    imports: dict[str, str],
    expensive: Collection[str],
    never_calls: Collection[str],
) -> Effects:
    """Analyse one top-level statement; one that ``symtable`` rejects has no effects.

    ``expensive``: the functions for whose calls a simple statement is not run, ``never_calls``: those for which none is.
    """
    if reason := watch.at("effects", code):
        return Effects(left_out=reason)
    try:
        return _effects_of(code, node, imports, expensive, never_calls)
    except Exception as error:  # ours, too: it must not cost the other statements
        return Effects(left_out=why(error))
    finally:
        watch.rest()


def _effects_of(
    code: str, node: ast.stmt, imports: dict[str, str], expensive: Collection[str], never_calls: Collection[str]
) -> Effects:
    effects = Effects()
    try:
        table = symtable.symtable(code, "<statement>", "exec")
    except (SyntaxError, ValueError):
        return effects
    _top_scope(table, effects)
    _inner_scopes(table, effects)
    now = _run_now(node)
    if isinstance(node, DEFINED):
        _definition(node, effects, imports)
    else:
        _changes(now, effects, imports)
        avoided = expensive if isinstance(node, (ast.Expr, ast.Assign)) else never_calls
        effects.expensive = next(
            (name for item in now if isinstance(item, ast.Call) and (name := _callee(item)) in avoided), ""
        )
    _calls(effects, node, [item for item in now if isinstance(item, ast.Call)])
    return effects


def _calls(effects: Effects, node: ast.stmt, calls: list[ast.Call]) -> None:
    """Add what is called, decorators and base classes among it."""
    unwritten = _used_to_define(node) if isinstance(node, DEFINED) else []
    effects.called = {root(part) for part in (*(call.func for call in calls), *unwritten)} - {""}
    effects.methods = {call.func.attr for call in calls if isinstance(call.func, ast.Attribute)}
    effects.applied = [(call.func.id, _given(call)) for call in calls if isinstance(call.func, ast.Name)]


def _run_now(node: ast.stmt) -> list[ast.AST]:
    """All nodes that run when the statement runs: of a function what its definition takes, not its body."""
    if not isinstance(node, FUNCTIONS):
        return list(_walk_here(node))
    taken = [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
    return [item for part in taken for item in _walk_here(part)]


def _used_to_define(node: Definition) -> list[ast.expr]:
    """What is called, without being written as a call, where a function or a class is defined."""
    bases = [*node.bases, *(keyword.value for keyword in node.keywords)] if isinstance(node, ast.ClassDef) else []
    return [*node.decorator_list, *bases]


def _top_scope(table: symtable.SymbolTable, effects: Effects) -> None:
    """Add the names that the statement itself binds and reads."""
    for symbol in table.get_symbols():
        if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace():
            effects.binds.add(symbol.get_name())
        if symbol.is_referenced():
            effects.uses.add(symbol.get_name())


def _inner_scopes(table: symtable.SymbolTable, effects: Effects) -> None:
    """Add the globals that functions, classes, lambdas and comprehensions read or write when they run."""
    stack = list(table.get_children())
    while stack:
        scope = stack.pop()
        stack.extend(scope.get_children())
        for symbol in scope.get_symbols():
            if symbol.is_global() and symbol.is_referenced():
                effects.uses.add(symbol.get_name())
            if symbol.is_declared_global() and symbol.is_assigned():
                effects.writes_globals.add(symbol.get_name())


def _definition(node: Definition, effects: Effects, imports: dict[str, str]) -> None:
    """Add what a definition changes by its decorators, and what calling the function, or class and its methods, may change."""
    decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    effects.changes = {root(one) for one in decorators if isinstance(one, ast.Attribute)} - {"", *imports}
    inside, body = Effects(), [item for statement in node.body for item in walk(statement)]
    _changes(body, inside, imports)
    arguments = {argument.arg for argument in walk(node) if isinstance(argument, ast.arg)}
    outside = effects.uses - stored(body) - arguments - imports.keys()
    effects.alters_globals = inside.changes & _reaching(outside, inside.ties)
    effects.alters_arguments = not inside.changes.isdisjoint(_reaching(arguments, inside.ties))
    if isinstance(node, ast.ClassDef):
        effects.defines_class, effects.has = node.name, {item.name for item in node.body if isinstance(item, FUNCTIONS)}
    else:
        effects.defines = node.name


def _reaching(names: set[str], ties: list[set[str]]) -> set[str]:
    """These names and those that may share memory with them."""
    found = set(names)
    for _ in range(3):
        for tie in ties:
            found |= tie if tie & found else set()
    return found


def root(node: ast.AST) -> str:
    """The name at the root of an expression, such as ``a`` in ``a.b[c].d(…)`` or ``(a / "file")``; '' if there is none."""
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)) or _is_path(node):
        inner: ast.AST = getattr(node, {ast.Call: "func", ast.BinOp: "left"}.get(type(node), "value"))
        node = inner
    return node.id if isinstance(node, ast.Name) else ""


def _is_path(node: ast.AST) -> bool:
    """Whether this joins a path and a name of a file."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Div)
        and (isinstance(node.right, ast.JoinedStr) or isinstance(getattr(node.right, "value", None), str))
    )


def _callee(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else root(call.func)


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in walk(node) if isinstance(part, ast.Name)}


def _walk_here(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes that run when the statement runs, so not the bodies of functions and lambdas."""
    stack = [node]
    while stack:
        item = stack.pop()
        yield item
        if not isinstance(item, NOT_HERE):
            stack += children(item)


def _changes(nodes: Iterable[ast.AST], effects: Effects, imports: dict[str, str]) -> None:
    """Add what these nodes may change in place, tie together or call as a statement."""
    for item in nodes:
        if isinstance(item, CHANGING):
            _assignment(item, effects, imports)
        elif isinstance(item, ast.Call):
            _call(item, effects)
        elif isinstance(item, ast.Expr) and isinstance(item.value, ast.Call):
            _statement_call(item.value, effects)
    effects.changes = {name for name in effects.changes if name and imports.get(name) not in SHOWS}


def _assignment(item: ast.AST, effects: Effects, imports: dict[str, str]) -> None:
    targets, value = _targets(item), _value(item)
    for target in targets:
        effects.changes |= {root(part) for part in walk(target) if isinstance(part, (ast.Subscript, ast.Attribute))}
    if isinstance(item, ast.AugAssign):
        effects.changes.add(root(item.target))
        effects.uses.add(root(item.target))
    elif value is not None:
        shared = {name for name in _may_share(value) if name not in imports}
        names = {name for target in targets for name in _names(target)}
        if shared and names:
            effects.ties.append(shared | names)


def _targets(item: ast.AST) -> list[ast.AST]:
    """What an assignment, ``for``, ``with`` or ``del`` binds or deletes."""
    targets = getattr(item, "targets", None) or [getattr(item, "target", None) or getattr(item, "optional_vars", None)]
    return [target for target in targets if target is not None]


def _value(item: ast.AST) -> ast.expr | None:
    """What an assignment, ``for`` or ``with`` takes its value from."""
    return getattr(item, "value", None) or getattr(item, "iter", None) or getattr(item, "context_expr", None)


def _may_share(value: ast.expr) -> set[str]:
    """Names whose memory the value may share: ``q`` for ``q.data``, ``[q]``, ``q[0]`` or ``Adam([q])``, but not ``2 * q``."""
    if isinstance(value, (ast.BinOp, ast.Compare, ast.UnaryOp, ast.Constant, ast.JoinedStr, ast.Lambda)):
        return set()
    if isinstance(value, ast.Call) and _callee(value) in ("clone", "copy", "item", "deepcopy", "tolist"):
        return set()
    return _names(value)


def _call(item: ast.Call, effects: Effects) -> None:
    name = _callee(item)
    in_place = name.endswith("_") and not name.endswith("__")
    if isinstance(item.func, ast.Attribute) and (in_place or name in MUTATORS):
        effects.changes.add(root(item.func))
    if in_place or name in CHANGES_ARGUMENTS:
        effects.changes |= {root(argument) for argument in item.args}
    effects.changes |= {root(keyword.value) for keyword in item.keywords if keyword.arg == "out"}


def _statement_call(call: ast.Call, effects: Effects) -> None:
    """A call whose result is discarded was made for its side effects on its object or its arguments."""
    name = _callee(call)
    if name in HARMLESS or name.startswith("check_"):
        return
    if isinstance(call.func, ast.Attribute):
        effects.changes.add(root(call.func))
    else:
        effects.calls.append((name, _given(call)))


def _given(call: ast.Call) -> set[str]:
    """The names in a call's arguments."""
    return {name for argument in (*call.args, *(keyword.value for keyword in call.keywords)) for name in _names(argument)}
