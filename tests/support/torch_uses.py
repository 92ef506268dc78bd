"""Uses of torch, some of which need what ``light_torch`` leaves out, and what each prints: with "light" or "whole" torch."""

import io
import json
import os
import sys
import warnings

USES = {
    "a tensor on meta": "print(torch.empty(2, 3, device='meta').sum(0))",
    "a tensor moved to meta": "x = torch.ones(2, 3).to('meta'); print(x @ x.T, torch.nn.functional.softmax(x, -1).stride())",
    "meta as the default device": "torch.set_default_device('meta'); print(torch.nn.Linear(3, 2)(torch.ones(1, 3)))",
    "meta as a context": "with torch.device('meta'):\n    print(torch.nn.LSTM(2, 3)(torch.rand(4, 1, 2))[0].shape)",
    "a wrong shape on meta": "torch.empty(2, 3, device='meta') @ torch.empty(2, 3, device='meta')",
    "a sparse tensor on meta": "print(torch.sparse_coo_tensor(size=(2, 3), device='meta').shape)",
    "weights loaded to meta": (
        "torch.save(torch.nn.Linear(2, 2).state_dict(), b := io.BytesIO()); b.seek(0)\n"
        "print(torch.load(b, map_location='meta')['weight'] + 1)"
    ),
    "a module without weights": "print(torch.nn.utils.skip_init(torch.nn.Linear, 2, 3).weight.shape)",
    "export": "from torch.export import export; print(export(torch.nn.Linear(2, 2), (torch.ones(1, 2),)).graph)",
    "export as an attribute": "print(torch.export.Dim('n', min=2), sorted(dir(torch.export))[:5])",
    "all of a module": "from torch._refs import *; print(softmax(torch.ones(2), 0) if 'softmax' in globals() else add)",
    "a module below": "import torch._decomp.decompositions as d; print(d.gelu_backward.__name__)",
    "a decomposition": "print(len(torch._decomp.get_decompositions([torch.ops.aten.gelu_backward])))",
    "fake tensors": (
        "from torch._subclasses.fake_tensor import FakeTensorMode\n"
        "with FakeTensorMode():\n    print(torch.nn.functional.layer_norm(torch.ones(2, 3), (3,)).shape)"
    ),
    "a fake of a real tensor": (
        "from torch._subclasses import FakeTensorMode\n"
        "x = FakeTensorMode().from_tensor(torch.ones(2)); print((x + 1).shape, type(x).__name__)"
    ),
    "symbolic sizes": (
        "from torch.fx.experimental.proxy_tensor import make_fx\n"
        "print(make_fx(lambda x: x.view(x.shape[0] * 2, -1).softmax(-1), tracing_mode='symbolic')(torch.ones(2, 4)).code)"
    ),
    "make_fx": (
        "from torch.fx.experimental.proxy_tensor import make_fx\n"
        "print(make_fx(torch.func.functionalize(lambda x: x.add_(1)))(torch.ones(2)).code)"
    ),
    "fx": "print(torch.fx.symbolic_trace(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())).code)",
    "fx passes": "from torch.fx.passes.infra.pass_manager import PassManager; print(PassManager().passes)",
    "vmap": "print(torch.vmap(torch.dot)(torch.ones(2, 3), torch.ones(2, 3)))",
    "vmap of what is decomposed": "print(torch.func.vmap(lambda x: torch.nn.functional.gelu(x).tril())(torch.ones(2, 2, 2)))",
    "forward derivatives": "print(torch.func.jvp(torch.nn.functional.silu, (torch.ones(2),), (torch.ones(2),)))",
    "a Hessian": "print(torch.func.hessian(lambda x: torch.nn.functional.softplus(x).sum())(torch.ones(2)))",
    "gradients per sample": (
        "grad = torch.func.grad(lambda w, x: (w * x).sum() ** 2)\n"
        "print(torch.func.vmap(grad, (None, 0))(torch.ones(2), torch.ones(3, 2)))"
    ),
    "an own operator": (
        "@torch.library.custom_op('mine::twice', mutates_args=())\n"
        "def twice(x: torch.Tensor) -> torch.Tensor:\n    return 2 * x\n"
        "twice.register_fake(torch.empty_like)\n"
        "print(twice(torch.ones(2)), twice(torch.ones(2, device='meta')).device, torch.ops.mine.twice)"
    ),
    "a kernel that is there already": (
        "try:\n    torch.library.Library('aten', 'IMPL').impl('add.Tensor', lambda *a: 0, 'Meta')\n"
        "except RuntimeError as e:\n    print('already' in str(e))"
    ),
    "a meta kernel of one's own": (
        "from torch._meta_registrations import register_meta; print(register_meta(torch.ops.aten.bmm)(lambda a, b: a).__name__)"
    ),
    "primitive operators": "print(torch.ops.prims.add(torch.ones(2), torch.ones(2)), torch.ops.prims.sin.default)",
    "an operator that is not there": "print(hasattr(torch.ops.prims, 'nothing'), hasattr(torch.ops.aten, 'nothing'))",
    "a higher-order operator": "print(torch.ops.higher_order.run_with_rng_state, torch.cond(True, lambda: 1, lambda: 2))",
    "what an operator consists of": "print(torch.ops.aten.softmax.int.decompose(torch.ones(2), 0))",
    "a kernel asked for": "print(torch.ops.aten.addcdiv.default.has_kernel_for_dispatch_key(torch._C.DispatchKey.Meta))",
    "an own dispatch mode": (
        "from torch.utils._python_dispatch import TorchDispatchMode\n"
        "class Mode(TorchDispatchMode):\n"
        "    def __torch_dispatch__(self, f, types, args=(), kwargs=None):\n"
        "        print(f, f._can_decompose() if hasattr(f, '_can_decompose') else ''); return f(*args, **(kwargs or {}))\n"
        "with Mode():\n    torch.nn.functional.gelu(torch.ones(2)).softmax(0)"
    ),
    "counted operations": (
        "from torch.utils.flop_counter import FlopCounterMode\n"
        "with FlopCounterMode(display=False) as c:\n    torch.ones(2, 3) @ torch.ones(3, 4)\nprint(c.get_total_flops())"
    ),
    "a wrapper of a tensor": (
        "class Own(torch.Tensor):\n"
        "    __torch_dispatch__ = classmethod(lambda c, f, t, a=(), k=None: print(f))\n"
        "x = torch.Tensor._make_wrapper_subclass(Own, (2,), device='meta'); print(type(x), x.shape); x + 1"
    ),
    "nested tensors": "x = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)], layout=torch.jagged); print(x.unbind())",
    "a script": "print(torch.jit.script(torch.nn.TransformerEncoderLayer(4, 2).eval())(torch.ones(2, 1, 4)).shape)",
    "a traced model": "print(torch.jit.trace(torch.nn.Linear(2, 2), torch.ones(1, 2)).code)",
    "generators": (
        "g = torch.Generator().manual_seed(3); print(torch.rand(2, generator=g), isinstance(g, torch.Generator))\n"
        "torch.ones(1, device='meta'); print(torch.rand(2, generator=g), torch.rand(2, generator=torch.Generator()))"
    ),
    "the compiler": "print(torch.compile(lambda x: x + 1)(torch.ones(1)), torch.compiler.is_compiling())",
    "dynamo": "import torch._dynamo; torch._dynamo.reset(); print(torch._dynamo.config.verbose, torch._dynamo.is_compiling())",
    "comparing": "torch.testing.assert_close(torch.ones(2), torch.zeros(2))",
    "kinds of numbers": "import torch.testing._internal.common_dtype as c; print(c.floating_types())",
    "checkpoints": (
        "from torch.utils.checkpoint import checkpoint\n"
        "x = torch.ones(2, requires_grad=True); checkpoint(torch.sin, x, use_reentrant=False).sum().backward(); print(x.grad)"
    ),
    "per-sample weights": "import torch.nn.utils._expanded_weights as e; print(e.ExpandedWeight.__name__)",
    "a weight norm": "print(torch.nn.utils.parametrizations.weight_norm(torch.nn.Linear(2, 2)))",
    "a model made to train": (
        "m = torch.nn.TransformerEncoderLayer(4, 2, 8); o = torch.optim.AdamW(m.parameters(), foreach=True)\n"
        "m(torch.ones(2, 1, 4)).sum().backward(); o.step(); print(m.linear1.bias)"
    ),
}


def outcome(code):
    """What the code prints in a process of its own, the words of the exception that ends it included."""
    ours, theirs = os.pipe()
    if (pid := os.fork()) == 0:
        sys.stdout = io.StringIO()
        import torch

        try:
            torch.manual_seed(1)
            exec(code, {"torch": torch, "io": io, "__name__": "__main__"})
        except BaseException as error:
            print(type(error).__name__, error)
        os.write(theirs, sys.stdout.getvalue()[:60_000].encode())
        os._exit(0)
    os.close(theirs)
    with open(ours, encoding="utf-8") as file:
        text = file.read()
    os.waitpid(pid, 0)
    return text


if __name__ == "__main__":
    from autograder.sandbox.worker_side import light_torch, zygote

    if sys.argv[1] == "whole":
        light_torch.represent = lambda: False
    zygote.preload(["torch"])
    warnings.simplefilter("ignore")
    assert bool(light_torch.UNDO) == (sys.argv[1] == "light")
    print(json.dumps({use: outcome(code) for use, code in USES.items() if use in sys.argv[2:]}))
