"""Kinds of programs about compilers and libraries that are loaded late: they find what they would find on a laptop."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, changed, indented, member

STEP = "        optimizer.step()\n"
MODEL = "    best = 0\n"


def in_main(code: str, top: str = "") -> str:
    """Before the first epoch, with ``model`` in reach, and imports at the top; a failed assertion costs 3.main."""
    return changed(S3, ("import torch\n", f"import torch\n{top}\n"), (MODEL, indented(code) + MODEL))


def in_training(code: str) -> str:
    return changed(S3, (STEP, STEP + indented(code, 8)))


KINDS = [
    Kind(
        "a compiler's settings, helpers and decorators work as on a laptop",
        3,
        (
            member(
                "settings",
                in_main("torch._dynamo.config.suppress_errors = True\ntorch._dynamo.reset()", "import torch._dynamo"),
            ),
            member("settings by their own name", in_main("import torch._dynamo.config as c\nassert c.cache_size_limit > 0")),
            member("a name of a module below", in_main("from torch._dynamo.utils import counters\nassert len(counters) >= 0")),
            member(
                "one module, however it is reached",
                in_main(
                    "assert utils is torch._dynamo.utils\nassert utils is sys.modules['torch._dynamo.utils']\n"
                    "assert sys.modules['torch._dynamo'] is torch._dynamo",
                    "import sys, torch._dynamo.utils\nfrom torch._dynamo import utils",
                ),
            ),
            member(
                "a class for clusters",
                in_main(
                    "from torch.distributed.tensor import DTensor\nassert not isinstance(torch.ones(2), DTensor)\n"
                    "assert callable(DTensor.from_local)"
                ),
            ),
            member("compiled", in_main("model = torch.compile(model, mode='reduce-overhead')")),
            member("compiling disabled", changed(S3, ("def evaluate(", "@torch.compiler.disable\ndef evaluate("))),
            member(
                "compiling disabled, with a reason",
                changed(S3, ("def evaluate(", '@torch.compiler.disable(reason="x")\ndef evaluate(')),
            ),
            member("asked whether it compiles", in_training("assert not torch.compiler.is_compiling()")),
            member("a break in the graph", in_training("torch._dynamo.graph_break()")),
            member(
                "exported",
                in_main(
                    "small = torch.nn.Linear(2, 3)\nprogram = torch.export.export(small, (torch.ones(1, 2),))\n"
                    "assert program.module()(torch.ones(1, 2)).shape == (1, 3)"
                ),
            ),
            member(
                "scripted",
                in_main("small = torch.jit.script(torch.nn.Linear(2, 3))\nassert small(torch.ones(1, 2)).shape == (1, 3)"),
            ),
            member(
                "traced",
                in_main("assert len(torch.fx.symbolic_trace(torch.nn.Linear(2, 3)).graph.nodes) > 1", "import torch.fx"),
            ),
            member(
                "mapped over a batch",
                in_main("assert torch.func.vmap(torch.nn.Linear(2, 3))(torch.ones(4, 2)).shape == (4, 3)"),
            ),
            member(
                "meta tensors",
                in_main(
                    "big = torch.nn.Linear(2, 3, device='meta')\nassert big(torch.empty(5, 2, device='meta')).shape == (5, 3)"
                ),
            ),
            member(
                "recomputed activations",
                in_main(
                    "from torch.utils.checkpoint import checkpoint\nx = torch.ones(1, 2, requires_grad=True)\n"
                    "checkpoint(torch.nn.Linear(2, 3), x, use_reentrant=False).sum().backward()\nassert x.grad is not None"
                ),
            ),
            member("gradient checkpointing", in_main("model.gradient_checkpointing_enable()")),
            member(
                "flexible attention",
                in_main(
                    "from torch.nn.attention.flex_attention import flex_attention\nx = torch.ones(1, 1, 16, 16)\n"
                    "assert flex_attention(x, x, x).shape == x.shape"
                ),
            ),
            member(
                "other optimisers",
                changed(
                    S3,
                    (
                        "torch.optim.AdamW(model.parameters(), lr=5e-5, eps=1e-8)",
                        "torch.optim.NAdam(model.parameters(), lr=5e-4)",
                    ),
                ),
            ),
        ),
    ),
    Kind(
        "what libraries load late is there when it is asked for",
        3,
        (
            member(
                "scipy.optimize",
                in_main("from scipy.optimize import minimize\nassert minimize(lambda x: (x**2).sum(), [1.0]).success"),
            ),
            member(
                "as a module",
                in_main("import scipy.optimize\nassert scipy.optimize.linear_sum_assignment([[1, 2], [2, 1]])[1][0] == 0"),
            ),
            member("one of its modules", in_main("import scipy.optimize._linprog\nassert scipy.optimize.linprog")),
            member(
                "sklearn's accuracy",
                in_main("from sklearn.metrics import accuracy_score\nassert accuracy_score([1], [1]) == 1"),
            ),
            member(
                "torch.distributed",
                in_main("import torch.distributed as dist\nassert dist.is_available() and not dist.is_initialized()"),
            ),
            member("distributed tensors", in_main("from torch.distributed.tensor import DTensor\nassert DTensor")),
            member("a Trainer", in_main("from transformers import Trainer, TrainingArguments\nassert Trainer")),
            member(
                "what is not used is not loaded",
                in_training("import sys\nassert not {'sympy', 'scipy', 'torch._dynamo.utils'} & {*sys.modules}"),
            ),
        ),
    ),
    Kind(
        "helpers of attention may be compiled and decorated",
        2,
        (
            member("compiled", S2 + "\nattn_softmax = torch.compile(attn_softmax)\n"),
            member("not to be compiled", changed(S2, ("def attn_softmax", "@torch.compiler.disable\ndef attn_softmax"))),
            member("a compiler's decorator", changed(S2, ("def attn_softmax", "@torch._dynamo.disable\ndef attn_softmax"))),
            member(
                "compiled, with options", changed(S2, ("def attn_softmax", "@torch.compile(dynamic=True)\ndef attn_softmax"))
            ),
        ),
    ),
]
