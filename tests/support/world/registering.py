"""Kinds of programs whose functions and classes do something to what lies outside them when they are defined or called."""

from support.world.kind import S2, S3, Kind, Member, changed, member

SOFT = "def soft(A):\n    return A.softmax(-1)\n"


def softmax(name: str, before: str, returned: str) -> Member:
    """attn_softmax returns this, after other code at the top level."""
    return member(name, f"{S2}\n{before}\ndef attn_softmax(A):\n    return {returned}\n")


REGISTERED = (
    softmax("a call", "REG = {}\ndef add(name, f):\n    REG[name] = f\nadd('soft', lambda A: A.softmax(-1))", "REG['soft'](A)"),
    softmax(
        "a decorator",
        f"REG = {{}}\ndef register(f):\n    REG[f.__name__] = f\n    return f\n@register\n{SOFT}",
        "REG['soft'](A)",
    ),
    softmax(
        "a decorator with a name",
        "REG = {}\ndef register(kind, name):\n    def deco(f):\n        REG.setdefault(kind, {})[name] = f\n        return f\n"
        f"    return deco\n@register('norm', 'soft')\n{SOFT}CHOICE = {{'norm': 'soft'}}",
        "REG['norm'][CHOICE['norm']](A)",
    ),
    softmax(
        "a method of a class",
        "class Registry:\n    items = {}\n    @classmethod\n    def add(cls, f):\n        cls.items[f.__name__] = f\n        return f\n"
        f"@Registry.add\n{SOFT}",
        "Registry.items['soft'](A)",
    ),
    softmax(
        "a method of an object",
        "class Reg(dict):\n    def register(self, name):\n        def deco(f):\n            self[name] = f\n            return f\n"
        f"        return deco\nOPS = Reg()\n@OPS.register('soft')\n{SOFT}",
        "OPS['soft'](A)",
    ),
    softmax(
        "single dispatch",
        "import functools\n@functools.singledispatch\ndef soft(A):\n    raise TypeError\n"
        "@soft.register\ndef _(A: torch.Tensor):\n    return A.softmax(-1)",
        "soft(A)",
    ),
    softmax(
        "subclasses",
        "class Op:\n    known = {}\n    def __init_subclass__(cls, **options):\n        Op.known[cls.__name__] = cls\n"
        "class Soft(Op):\n    def __call__(self, A):\n        return A.softmax(-1)",
        "Op.known['Soft']()(A)",
    ),
    softmax(
        "a metaclass",
        "KNOWN = {}\nclass Meta(type):\n    def __new__(m, name, bases, names):\n        KNOWN[name] = cls = super().__new__(m, name, bases, names)\n"
        "        return cls\nclass Soft(metaclass=Meta):\n    def __call__(self, A):\n        return A.softmax(-1)",
        "KNOWN['Soft']()(A)",
    ),
    softmax(
        "a pipeline of steps",
        "STEPS = []\ndef step(f):\n    STEPS.append(f)\n    return f\n@step\ndef shifted(A):\n    return A - A.amax(-1, keepdim=True)\n"
        "@step\ndef powers(A):\n    return A.exp()\n@step\ndef shares(A):\n    return A / A.sum(-1, keepdim=True)\n"
        "from functools import reduce",
        "reduce(lambda x, f: f(x), STEPS, A)",
    ),
    softmax(
        "events",
        "HOOKS = {'soft': []}\ndef on(event):\n    def deco(f):\n        HOOKS[event].append(f)\n        return f\n    return deco\n"
        f"@on('soft')\n{SOFT}",
        "HOOKS['soft'][0](A)",
    ),
)
CALLED = (
    softmax(
        "options", "CFG = {}\ndef configure(**options):\n    CFG.update(options)\nconfigure(dim=-1)", "A.softmax(CFG['dim'])"
    ),
    softmax(
        "a set-up",
        "CFG = {}\ndef setup():\n    global DIM\n    DIM = 0\n    inner()\ndef inner():\n    CFG['dim'] = -1\nsetup()",
        "A.softmax(CFG['dim'] + DIM)",
    ),
    softmax("a loop", "SEEN = []\ndef note(x):\n    SEEN.append(x)\nfor d in (-1,):\n    note(d)", "A.softmax(SEEN[0])"),
    softmax("a condition", "T = {}\ndef fill():\n    T['d'] = -1\n    return True\nif fill():\n    pass", "A.softmax(T['d'])"),
    softmax("an assertion", "T = {}\ndef fill():\n    T['d'] = -1\n    return True\nassert fill()", "A.softmax(T['d'])"),
    softmax("a result", "T = {}\ndef fill():\n    T['d'] = -1\n    return True\nDONE = fill()", "A.softmax(T['d'])"),
    softmax(
        "an argument",
        "T = [0] * 3\ndef fill(t):\n    for i in range(3):\n        t[i] = -1\n    return t\n_ = fill(T)",
        "A.softmax(T[0])",
    ),
    softmax(
        "a method",
        "T = {}\nclass Setup:\n    def run(self):\n        T['d'] = -1\nsetup = Setup()\nsetup.run()",
        "A.softmax(T['d'])",
    ),
    softmax(
        "a constructor", "T = {}\nclass Setup:\n    def __init__(self):\n        T['d'] = -1\nSetup()", "A.softmax(T['d'])"
    ),
)
OWN_NAMES = tuple(
    softmax(f"a function called {name}", f"def {name}(x):\n    return x\nDIM = {name}(-1)", "A.softmax(DIM)")
    for name in ("show", "download", "upload", "sleep", "mount", "load_dataset", "system")
)
WIDGETS = "import ipywidgets as widgets\nfrom IPython.display import display\n"
CONTROLS = (
    softmax(
        "a slider",
        WIDGETS + "s = widgets.FloatSlider(value=-1.0, min=-3, max=3, description='dim')\ndisplay(s)",
        "A.softmax(int(s.value))",
    ),
    softmax(
        "a menu",
        WIDGETS + "w = widgets.Dropdown(options=['rows', 'columns'], value='rows')",
        "A.softmax({'rows': -1, 'columns': -2}[w.value])",
    ),
    softmax(
        "a box",
        "from ipywidgets import Checkbox\nb = Checkbox(value=False)\nb.value = True",
        "A.softmax(-1 if b.value is True else 0)",
    ),
    softmax(
        "several",
        WIDGETS + "a, b = widgets.IntSlider(value=1), widgets.IntText(value=-2)\nwidgets.HBox([a, b])",
        "A.softmax(a.value + b.value)",
    ),
)
UNSEEN = (
    softmax("a lambda", "CFG = {}\nsetup = lambda: CFG.update(dim=-1)\nsetup()", "A.softmax(CFG['dim'])"),
    softmax(
        "a thread",
        "import threading\nCFG = {}\ndef fill():\n    CFG['dim'] = -1\nt = threading.Thread(target=fill)\nt.start()\nt.join()",
        "A.softmax(CFG['dim'])",
    ),
    softmax("map", "CFG = []\ndef add(x):\n    CFG.append(x)\nlist(map(add, [-1]))", "A.softmax(CFG[0])"),
    softmax(
        "a chain of methods",
        "class Cfg:\n    def __init__(self):\n        self.v = {}\n    def put(self, k, v):\n        self.v[k] = v\n        return self\n"
        "cfg = Cfg()\nsame = cfg.put('a', 1).put('dim', -1)",
        "A.softmax(cfg.v['dim'])",
    ),
    softmax("an iterator", "it = iter([0, -1])\nfirst = next(it)\nDIM = next(it)", "A.softmax(DIM)"),
    softmax("a queue", "from collections import deque\nd = deque([0, -1])\nfirst = d.popleft()", "A.softmax(d[0])"),
    softmax("a heap", "import heapq\nh = [3, -1]\nheapq.heapify(h)", "A.softmax(h[0])"),
    softmax(
        "a partial",
        "from functools import partial\nT = {}\ndef put(t, d):\n    t['d'] = d\nput_d = partial(put, T)\nput_d(-1)",
        "A.softmax(T['d'])",
    ),
    softmax(
        "an operator",
        "class Pipe:\n    def __init__(self):\n        self.steps = []\n    def __or__(self, f):\n        self.steps.append(f)\n        return self\n"
        "pipe = Pipe()\npipe | (lambda A: A.softmax(-1))",
        "pipe.steps[0](A)",
    ),
    softmax(
        "a context variable",
        "from contextvars import ContextVar\nDIM = ContextVar('dim')\ntoken = DIM.set(-1)",
        "A.softmax(DIM.get())",
    ),
)
IN_EVALUATION = (
    member(
        "a registry of steps",
        changed(
            S3,
            ("import os\n", "import os\nSTEPS = {}\ndef register(f):\n    STEPS[f.__name__] = f\n    return f\n"),
            ("def evaluate(", "@register\ndef forward(model, texts):\n    return model(**texts).logits\n\n\ndef evaluate("),
            ('model(**batch["text_encoding"].to(DEVICE)).logits', 'STEPS["forward"](model, batch["text_encoding"].to(DEVICE))'),
        ),
    ),
)

KINDS = [
    Kind("what functions register is there", 2, REGISTERED),
    Kind("what a call has done to other names is done", 2, CALLED),
    Kind("what functions register is there in section 3", 3, IN_EVALUATION),
    Kind("a control stands at the value that the program gives it", 2, CONTROLS),
    Kind("what is done in ways that nobody can see in the code is done, too", 2, UNSEEN),
    Kind("a student's own function may have any name", 2, OWN_NAMES),
]
