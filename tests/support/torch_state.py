"""What torch holds once it is imported, as JSON: run with "light" or "whole", in processes of their own."""

import gc
import json
import re
import sys
import types
import warnings

gc.disable()
warnings.simplefilter("ignore")


def plain(value):
    """How a value looks, without where it lies in memory and the order of a set."""
    text = re.sub(r"0x[0-9a-f]+|\b\d{12,}\b", "0x", repr(value)[:200])
    return "set" if isinstance(value, (set, frozenset)) else text


def inside(value):
    if isinstance(value, (dict, set, frozenset, list)):
        return sorted(map(plain, value))
    return type(value).__name__


def modules():
    """All that modules of torch hold by name, and that their classes and objects do."""
    held = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] not in ("torch", "copyreg", "functorch") or type(module).__name__ == "Deferred":
            continue
        for key, value in list(vars(module).items()):
            held[f"{name}.{key}"] = inside(value)
            own = isinstance(value, type) and value.__module__ == name
            if own or (type(value).__module__.startswith("torch") and not isinstance(value, (type, types.ModuleType))):
                held |= {f"{name}.{key}.{k}": inside(v) for k, v in list(getattr(value, "__dict__", {}).items())}
    return held


def operators(torch):
    """Of each operator its kernels other than for "meta"; and the names of all that make a tensor on "meta" from none."""
    kernels, factories = {}, []
    for name in torch._C._dispatch_get_all_op_names():
        lines = torch._C._dispatch_dump(name).splitlines()
        kernels[name] = [line.partition(":")[0] for line in lines if "Meta" not in line and not line.startswith("debug")]
        schema = torch._C._get_schema(*(name if "." in name else f"{name}.").split(".", 1))
        if torch._C._dispatch_has_kernel_for_dispatch_key(name, "Meta") and "Tensor" not in str(schema).partition("->")[0]:
            factories.append(name)
    return kernels, factories


def main(which):
    from autograder.core import deferred
    from autograder.sandbox.worker_side import light_torch

    if which == "light":
        assert light_torch.represent()
    import torch

    kernels, factories = operators(torch)
    state = {"modules": modules(), "kernels": kernels, "factories": factories}
    state["loaded"] = [name for name, module in sys.modules.items() if not isinstance(module, deferred.Deferred)]
    state["impls"] = sorted(torch.library._impls)
    if which == "light":
        light_torch.install()
        light_torch.load()
        state["later"] = {"modules": modules(), "impls": sorted(torch.library._impls), "kernels": operators(torch)[0]}
    print(json.dumps(state))


if __name__ == "__main__":
    main(sys.argv[1])
