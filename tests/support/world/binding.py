"""Kinds of programs that give a name its value without an assignment that says so."""

from support.world.kind import S1, S2, Kind, Member, changed, member

QUERY = next(line for line in S1.splitlines() if line.startswith("query132"))
SUM = "20 * (key[0] + key[1])"
BOUND = {
    "an item of globals()": f"globals()['query132'] = {SUM}",
    "an item of vars()": f"vars()['query132'] = {SUM}",
    "an item of locals()": f"locals()['query132'] = {SUM}",
    "items in a loop": f"for name, value in {{'query132': {SUM}}}.items():\n    globals()[name] = value",
    "setattr": f"import sys\nsetattr(sys.modules[__name__], 'query' + '132', {SUM})",
    "exec": f"exec('query132 = {SUM}')",
    "exec in a loop": f"for n in (132,):\n    exec(f'query{{n}} = {SUM}')",
    "update": f"globals().update(query132={SUM})",
    "update from a dict": f"answers = {{}}\nanswers['query132'] = {SUM}\nglobals().update(answers)",
    "globals() by another name": f"g = globals()\ng['query132'] = {SUM}",
    "a function that does it": f"def put(n, v):\n    globals()[n] = v\nput('query132', {SUM})",
    "the module": f"import __main__\n__main__.query132 = {SUM}",
    "a part of globals()": f"g = globals()\ng |= {{'query132': {SUM}}}",
    "what a query is made of": "globals().update({n: key[:2].sum(0) for n in ['base']})\nquery132 = 20 * base",
    "registered functions": "MADE = {}\ndef makes(name):\n    def kept(f):\n        MADE[name] = f\n        return f\n    return kept\n"
    f"@makes('query132')\ndef _():\n    return {SUM}\nglobals().update({{name: f() for name, f in MADE.items()}})",
}


def softmax(name: str, before: str, returned: str) -> Member:
    """attn_softmax returns this, after other code at the top level."""
    new = f"{before}\ndef attn_softmax(A):\n    return {returned}\n\n\ndef earlier(A):\n"
    return member(name, changed(S2, ("def attn_softmax(A):\n", new)))


SOFT = "lambda A: torch.softmax(A, -1)"
USED = (
    softmax("a function made in a loop", f"for name in ['soft']:\n    globals()[name] = {SOFT}", "soft(A)"),
    softmax("setattr", f"import sys\nsetattr(sys.modules[__name__], 'soft', {SOFT})", "soft(A)"),
    softmax("exec", f"exec('soft = {SOFT}')", "soft(A)"),
    softmax("read by getattr", f"import sys\nvars()['soft'] = {SOFT}", "getattr(sys.modules[__name__], 'soft')(A)"),
    softmax("read from globals()", "def soft(A):\n    return torch.softmax(A, -1)", "globals()['soft'](A)"),
    softmax("read by eval", "def soft(A):\n    return torch.softmax(A, -1)", "eval('soft')(A)"),
)

KINDS = [
    Kind("a query may be bound in any way", 1, tuple(member(name, changed(S1, (QUERY, code))) for name, code in BOUND.items())),
    Kind("a function may be bound and found in any way", 2, USED),
]
