"""What a student's own code does to the interpreter around it, as far as that can be read: told to staff, never marked down.

That is whatever leads from student code to the probes that run beside it: frames, the garbage collector's objects, a
function's globals and closure, hooks that are called by hand, ``sys.modules``, other people's functions rebound, and code that
is put together at run time. Names made of constant strings are recognised too; nothing is run here.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator

from autograder.checks.formats import Document
from autograder.core.syntax import walk_with_parents
from autograder.core.text import clean
from autograder.core.watch import parsed
from autograder.slicing.effects import imported

# Attributes that hardly any answer has a use for, whatever they belong to.
INNER = frozenset(
    "_getframe _current_frames _current_exceptions currentframe settrace setprofile tb_frame gi_frame cr_frame ag_frame f_back "
    "f_globals f_locals f_builtins get_objects get_referrers get_referents __globals__ __closure__ cell_contents __code__ "
    "__builtins__ __subclasses__ __self__ _forward_hooks _forward_pre_hooks _backward_hooks _backward_pre_hooks "
    "_global_forward_hooks _global_forward_pre_hooks _optimizer_step_pre_hooks _optimizer_step_post_hooks "
    "get_type_hints get_annotations getsignal __mp_main__ PyObj_FromPtr capture_locals tb_locals MonkeyPatch".split()
)
# The same, but of one module only.
OF_MODULES = {
    "inspect": frozenset("stack trace getouterframes getinnerframes getclosurevars".split()),
    "gc": frozenset("freeze unfreeze callbacks garbage".split()),
    "sys": frozenset("meta_path addaudithook monitoring".split()),
    "traceback": frozenset("walk_stack walk_tb".split()),
    "signal": frozenset("signal raise_signal setitimer".split()),
    "builtins": frozenset("exec eval compile __import__ getattr setattr delattr vars".split()),
    "unittest": frozenset({"mock"}),
    "pickle": frozenset({"loads"}),
}
WATCHED = frozenset("sys gc inspect builtins ctypes traceback logging signal bdb typing threading".split())
OURS = frozenset({"autograder", "assignment_probes"})
LOW = OURS | frozenset("ctypes _ctypes marshal bdb pdb mock __mp_main__".split())
FOREIGN = frozenset("torch numpy transformers tokenizers safetensors datasets".split())
# `sys` has attributes that are there to be set (stdout, path, excepthook), and its inner ones are listed above.
LIBRARIES = FOREIGN | frozenset(sys.stdlib_module_names) - {"sys"}
SETTINGS = frozenset("backends config options logging cuda".split())  # attributes of libraries that are there to be set
CODE, WORD = frozenset({"exec", "eval", "compile"}), re.compile(r"\w+")
REACHING = OF_MODULES["builtins"]  # functions that are looked at where they are called, and so must not get another name
MAKERS = frozenset("FunctionType CodeType exec_module run_module run_path runsource InteractiveInterpreter".split())
DICTS = frozenset("update setdefault pop popitem clear __setitem__ __delitem__ __ior__".split())
# What may be one of these, or build the text of one.
TEXTS = (ast.Constant, ast.BinOp, ast.JoinedStr, ast.Subscript)
REBINDS = (ast.Assign, ast.Delete, ast.AugAssign, ast.AnnAssign)
LOOKED_AT = (ast.Name, ast.Attribute, ast.Call, *TEXTS, ast.MatchClass, ast.Import, ast.ImportFrom, *REBINDS)
MAX_DEPTH, MAX_TEXT = 3, 4000
MAX_KINDS, MAX_NOTE = 8, 200  # kinds that are told of one section; bytes of each, as JSON
Touch = tuple[str, str]  # (kind, what staff read)
DEEP = "code nested too deeply to be looked at"


class Word(str):
    """What a string says, which may be no more than words."""

    __slots__ = ()


def touches(node: ast.AST, imports: dict[str, str], depth: int = 0) -> Iterator[tuple[int, str]]:
    """(line, what) for each of these in a piece of code; ``imports``: alias -> top-level package."""
    nodes, parents = walk_with_parents(node)
    for one in (one for one in nodes if isinstance(one, LOOKED_AT)):
        try:
            found = list(_of_node(one, imports, parents, depth))
        except RecursionError:  # no answer is nested like that
            found = [DEEP]
        for what in found:
            yield one.lineno, what


def _of_node(one: ast.AST, imports: dict[str, str], parents: dict[int, ast.AST], depth: int) -> Iterator[str]:
    if isinstance(one, ast.Name):
        yield from _names(one, imports)
        yield from _renamed(one, imports, parents)
    elif isinstance(one, ast.Attribute):
        yield from _names(one, imports)
        yield from _modules(one, imports, parents)
    elif isinstance(one, ast.Call):
        yield from _calls(one, imports)
        yield from _of_dicts(one, imports)
        yield from _inside(one, imports, depth)
        yield from (word.arg for word in one.keywords if word.arg in INNER)
        yield from _said(one, parents)
    elif isinstance(one, TEXTS):
        yield from _said(one, parents)
    elif isinstance(one, ast.MatchClass):
        yield from (name for name in one.kwd_attrs if name in INNER)
    else:
        yield from _names(one, imports)
        yield from _rebound(one, imports)


def _said(one: ast.AST, parents: dict[int, ast.AST]) -> Iterator[str]:
    """What the text that an expression of constants gives may name, unless it stands alone."""
    text = folded(one)
    if text is not None and not isinstance(parents.get(id(one)), ast.Expr):
        yield from map(Word, _words(text))


def touches_of_module(name: str, source: str) -> Iterator[Touch]:
    """The same for a module of the student's own, with the place and the text of the line."""
    node, _ = parsed(source)
    if node is not None:
        for line, what in touches(node, imported(node.body)):
            yield what, noted(what, f"{name}.py, line {line}", source.split("\n")[line - 1 : line])


def by_kind(found: list[Touch]) -> list[str]:
    """What staff read: the first of each kind, with how many more there are; what code does before what strings say."""
    first: dict[tuple[bool, str], list[str]] = {}
    for what, text in found:
        first.setdefault((isinstance(what, Word), what), []).append(text)
    kinds = [first[kind] for kind in sorted(first, key=lambda kind: kind[0])]
    told = [texts[0] + (f" (and {len(texts) - 1} more)" if len(texts) > 1 else "") for texts in kinds[:MAX_KINDS]]
    return told + [f"… and {len(kinds) - MAX_KINDS} more kinds"] * (len(kinds) > MAX_KINDS)


def told_once(texts: Iterable[str]) -> list[str]:
    """Reports of running code, each once, and as many as kinds of what is read."""
    once = list(dict.fromkeys(texts))
    return once[:MAX_KINDS] + [f"… and {len(once) - MAX_KINDS} more"] * (len(once) > MAX_KINDS)


def reported(document: Document, what: str, cell: str, line: int) -> str:
    """What a worker reports of running code, in the same words."""
    if not cell.isdecimal() or int(cell) >= len(document.cells):
        return noted(f"{what} (asked for while it ran)", f"{cell}, line {line}", [])
    at = line - document.cells[int(cell)].line
    text = document.cells[int(cell)].source.split("\n")[at - 1 : at] if at > 0 else []
    return noted(f"{what} (asked for while it ran)", document.place(int(cell), line), text)


def noted(what: str, place: str, text: list[str]) -> str:
    """One line of bounded size: ``what`` at a place, and the text there."""
    line = f"{clean(what, 60)} at {clean(place, 80)}: {clean(''.join(text).strip(), 120)}"
    while len(json.dumps(line)) > MAX_NOTE:
        line = line[: -len(line) // 10 - 2] + "…"
    return line


def _inside(call: ast.Call, imports: dict[str, str], depth: int) -> Iterator[str]:
    """The same in the code that a call of ``exec`` gets as a constant."""
    text = folded(call.args[0]) if depth < MAX_DEPTH and _name(call.func) in CODE and call.args else None
    if text is not None:
        yield from (what for _, what in touches(parsed(text[:MAX_TEXT])[0] or ast.Module([], []), imports, depth + 1))


def folded(node: ast.AST) -> str | None:
    """The text that an expression of constants gives: added, joined, formatted or reversed; None for anything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined("", [node.left, node.right])
    if isinstance(node, ast.JoinedStr):
        return _joined("", [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values])
    if isinstance(node, ast.Subscript):
        text = folded(node.value) if isinstance(getattr(node.slice, "step", None), ast.UnaryOp) else None
        return text and text[::-1]
    return _of_join(node) if isinstance(node, ast.Call) else None


def _of_join(call: ast.Call) -> str | None:
    """The text of ``"".join(["a", "b"])``."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "join" and call.args):
        return None
    between, parts = folded(call.func.value), call.args[0]
    return _joined(between, parts.elts) if between is not None and isinstance(parts, (ast.List, ast.Tuple)) else None


def _joined(between: str, nodes: list[ast.expr]) -> str | None:
    parts = [folded(node) for node in nodes]
    return None if None in parts else between.join(map(str, parts))[:MAX_TEXT]


def _name(node: ast.AST) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def _names(node: ast.AST, imports: dict[str, str]) -> Iterator[str]:
    """Inner attributes, and imports of them or of our own modules."""
    if isinstance(node, (ast.Name, ast.Attribute)):
        name, owner = _name(node), imports.get(_name(getattr(node, "value", node)), "")
        if name in INNER or (isinstance(node, ast.Attribute) and name in OF_MODULES.get(owner, ())):
            yield name
    elif isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in LOW or alias.name == "unittest.mock")
    elif isinstance(node, ast.ImportFrom):
        yield from _from(node)


def _renamed(node: ast.AST, imports: dict[str, str], parents: dict[int, ast.AST]) -> Iterator[str]:
    """``exec``, ``getattr`` and the like under another name, and the module ``builtins`` itself."""
    parent = parents.get(id(node))
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in REACHING and not (isinstance(parent, ast.Call) and parent.func is node):
            yield f"{node.id} under another name"
        whole = not isinstance(parent, ast.Attribute) and imports.get(node.id) == "builtins"
        if whole and not (isinstance(parent, ast.Call) and _name(parent.func) in ("hasattr", "getattr")):
            yield "builtins"


def _of_dicts(call: ast.Call, imports: dict[str, str]) -> Iterator[str]:
    """``vars(torch).update(…)`` and ``type.__setattr__(torch.nn.Linear, …)``: a library changed in other ways."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in DICTS:
        yield from (f"{function.attr} of {path}" for path in _names_of(function.value, imports))
    if _name(function) in ("__setattr__", "__delattr__") and call.args and _is_libraries(_path(call.args[0]), imports):
        yield f"{_name(function)} of {'.'.join(_path(call.args[0]))}"
    if _name(function) in MAKERS:
        yield f"{_name(function)}: code that is made at run time"


def _names_of(node: ast.AST, imports: dict[str, str]) -> Iterator[str]:
    """The library whose names ``vars(library)`` or ``library.__dict__`` gives."""
    if isinstance(node, ast.Call) and _name(node.func) == "vars" and node.args:
        path = _path(node.args[0])
    else:
        path = _path(node)[:-1] if isinstance(node, ast.Attribute) and node.attr == "__dict__" else []
    if _is_libraries(path, imports):
        yield ".".join(path)


def _from(node: ast.ImportFrom) -> Iterator[str]:
    root = (node.module or "").partition(".")[0]
    inner = INNER | OF_MODULES.get(root, frozenset()) | ({"modules"} if root == "sys" else frozenset())
    yield from (f"{node.module}.{alias.name}" for alias in node.names if root in LOW or alias.name in inner)


def _words(text: str) -> Iterator[str]:
    """Inner attributes and our own modules in a string, which may end up in getattr, attrgetter, format or an import."""
    if len(text) <= MAX_TEXT:
        yield from dict.fromkeys(word for word in WORD.findall(text) if word in INNER or word == "assignment_probes")
        if text.partition(".")[0] in OURS and text.isascii() and " " not in text:
            yield text[:60]


def _modules(node: ast.AST, imports: dict[str, str], parents: dict[int, ast.AST]) -> Iterator[str]:
    """``sys.modules``, unless one module is looked up by its name, and attributes of such modules by computed names."""
    if not isinstance(node, ast.Attribute):
        return
    owner = imports.get(_name(node.value), _name(node.value))
    if owner == "sys" and node.attr == "modules" and not _is_lookup(node, parents):
        yield "sys.modules"
    elif owner in WATCHED and node.attr == "__dict__":
        yield f"{owner}.__dict__"


def _is_lookup(node: ast.AST, parents: dict[int, ast.AST]) -> bool:
    """Whether only one module's presence, or one that is no one's secret, is asked for: ``"google.colab" in sys.modules``."""
    parent = parents.get(id(node))
    if isinstance(parent, ast.Compare):
        return all(isinstance(op, (ast.In, ast.NotIn)) for op in parent.ops)
    key = _key(parent, parents)
    text = None if key is None else folded(key)
    return (key is not None and _name(key) == "__name__") if text is None else text.partition(".")[0] not in OURS


def _key(parent: ast.AST | None, parents: dict[int, ast.AST]) -> ast.AST | None:
    """What ``sys.modules.get(key)`` or ``sys.modules[key]`` looks up; ``parent``: what is around ``sys.modules``."""
    if isinstance(parent, ast.Attribute) and parent.attr == "get":
        call = parents.get(id(parent))
        return call.args[0] if isinstance(call, ast.Call) and call.args else None
    return parent.slice if isinstance(parent, ast.Subscript) and isinstance(parent.ctx, ast.Load) else None


def _rebound(node: ast.AST, imports: dict[str, str]) -> Iterator[str]:
    """Attributes of a library, or of its classes, that the code replaces; and ``__class__`` of anything."""
    targets = (
        node.targets
        if isinstance(node, (ast.Assign, ast.Delete))
        else [node.target]
        if isinstance(node, (ast.AugAssign, ast.AnnAssign))
        else []
    )
    for target in targets:
        for one in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            if isinstance(one, ast.Attribute):
                path = _path(one)
                if one.attr == "__class__" or _is_libraries(path[:-1], imports):
                    yield f"{'.'.join(path)} = …"
            elif isinstance(one, ast.Subscript):
                yield from (f"vars of {path}[…] = …" for path in _names_of(one.value, imports))


def _is_libraries(path: list[str], imports: dict[str, str]) -> bool:
    return bool(path) and imports.get(path[0], "") in LIBRARIES and not SETTINGS & set(path[1:])


def _path(node: ast.AST) -> list[str]:
    """``torch.nn.Module`` as a list of names; empty if it does not begin with a name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def _calls(node: ast.Call, imports: dict[str, str]) -> Iterator[str]:
    """Code and names that are put together at run time, and attributes of libraries set by ``setattr``."""
    name, first = _name(node.func), node.args[0] if node.args else None
    if first is None or not isinstance(node.func, ast.Name):
        return
    owner = _path(first)
    if name in CODE | {"__import__"} and folded(first) is None:
        yield f"{name} of code that is made at run time"
    elif name in ("setattr", "delattr") and _is_libraries(owner, imports):
        yield f"{name} of {'.'.join(owner)}"
    elif name in ("getattr", "vars") and len(owner) == 1:
        yield from _looked_up(name, imports.get(owner[0], ""), node.args[1:])


def _looked_up(name: str, module: str, keys: list[ast.expr]) -> Iterator[str]:
    """What ``getattr`` or ``vars`` finds in a module that leads further in."""
    text = folded(keys[0]) if keys else None
    if module in WATCHED and text is None:
        yield f"{name} of {module}"
    elif module == "sys" and text == "modules":
        yield "sys.modules"
