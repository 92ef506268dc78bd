"""Kinds of programs that ask for a GPU: whatever they ask, section 3 keeps its points."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, Member, changed, indented, member

NAMES = 'DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")\n'
START = "    datasets = initialize_datasets(tokenizer)\n"
STEP = "        optimizer.step()\n"
BODY = S3[S3.index("        output = model(") : S3.index("\n\ndef evaluate")]
MODEL = "num_labels=2).to(DEVICE)\n"
SAVED = '            torch.save(model.state_dict(), "checkpoints/best.pt")\n'
PREDICTED = '            predictions.append(model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu())\n'


def asked(name: str, asks: str, *pairs: tuple[str, str], device: str = NAMES) -> Member:
    """Asks at the top of the file, at the start of ``main``, and in ``train_one_epoch``."""
    source = changed(
        S3,
        (NAMES, device + asks + "\n"),
        ("    model.train()\n", "    model.train()\n" + indented(asks)),
        (START, indented(asks) + START),
    )
    return member(name, changed(source, *pairs))


def trained(name: str, step: str, top: str = "", *pairs: tuple[str, str]) -> Member:
    """``step`` replaces what ``train_one_epoch`` does with a batch."""
    source = changed(S3, (NAMES, NAMES + top + "\n"), (BODY, indented(step, 8)))
    return member(name, changed(source, *pairs))


FORWARD = 'output = model(**batch["text_encoding"].to(DEVICE), labels=batch["label_encoding"].to(DEVICE))\n'
KINDS = [
    Kind(
        "who insists on a GPU finds one",
        3,
        (
            asked("assert", 'assert torch.cuda.is_available(), "choose a GPU runtime"'),
            asked(
                "raise",
                'if not torch.cuda.is_available():\n    raise RuntimeError("no GPU")',
                device='DEVICE = torch.device("cuda")\n',
            ),
            asked(
                "exit",
                "import sys\nif not torch.cuda.is_available() or torch.cuda.device_count() == 0:\n    sys.exit('no GPU')",
                device='DEVICE = "cuda:0"\n',
            ),
            asked(
                "count",
                "assert torch.cuda.device_count() >= 1\nfor n in range(torch.cuda.device_count()):\n    torch.cuda.get_device_name(n)",
            ),
            asked(
                "name and memory",
                """print(torch.cuda.get_device_name(0), torch.cuda.get_device_name(), torch.cuda.get_device_capability(0))
properties = torch.cuda.get_device_properties(0)
print(f"{properties.name}: {properties.total_memory / 1024**3:.1f} GB, {properties.major}.{properties.minor}")
assert properties.total_memory - torch.cuda.memory_allocated(0) > 0
free, total = torch.cuda.mem_get_info()
print(f"{free / total:.0%}", torch.version.cuda, torch.backends.cudnn.version(), torch.backends.cudnn.enabled)""",
            ),
            asked(
                "memory used",
                """torch.cuda.reset_peak_memory_stats()
print(f"{torch.cuda.memory_allocated() / 1e6:.1f} of {torch.cuda.memory_reserved() / 1e6:.1f} MB")
print(torch.cuda.max_memory_allocated(DEVICE) // 2**20, torch.cuda.memory_summary(abbreviated=True))
stats = torch.cuda.memory_stats()
print(stats.get("allocated_bytes.all.peak", 0), stats["allocated_bytes.all.current"])
torch.cuda.empty_cache(); torch.cuda.ipc_collect(); torch.cuda.set_per_process_memory_fraction(0.9)""",
            ),
            asked(
                "seeds and determinism",
                """torch.cuda.manual_seed(517); torch.cuda.manual_seed_all(517); torch.manual_seed(517)
torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
torch.set_float32_matmul_precision("high")
state = torch.cuda.get_rng_state(); torch.cuda.set_rng_state(state); torch.cuda.set_rng_state_all(torch.cuda.get_rng_state_all())
with torch.random.fork_rng(devices=[0]):
    torch.randn(2, device=DEVICE)
generator = torch.Generator(device="cuda").manual_seed(1); generator = torch.Generator(DEVICE)
torch.randperm(3, generator=generator, device="cuda"); assert isinstance(generator, torch.Generator)""",
            ),
            asked(
                "events and streams",
                """first, last = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
first.record(); last.record(); torch.cuda.synchronize(); print(f"{first.elapsed_time(last):.1f} ms")
stream = torch.cuda.Stream()
with torch.cuda.stream(stream), torch.cuda.device(0):
    torch.ones(2, device="cuda").add_(1)
torch.cuda.current_stream().wait_stream(stream); torch.cuda.set_device(0); assert torch.cuda.current_device() == 0""",
            ),
            asked(
                "where the model and the batch are",
                """layer = torch.nn.Linear(2, 2).to(DEVICE)
assert next(layer.parameters()).is_cuda and next(layer.parameters()).device.type == "cuda"
x = torch.ones(2).to(DEVICE)
assert x.device.type == DEVICE.type and x.get_device() == 0 and x.device == torch.device("cuda:0") and x.is_cuda
assert "cuda" in str(x.device) and layer(x).device == layer.weight.device and f"{x.device}" == "cuda:0"
assert x.cpu().device.type == "cpu" and not x.to("cpu").is_cuda and x.detach().cpu().numpy().sum() == 2
y = torch.zeros_like(x, device=x.device) + torch.arange(2, device=layer.weight.device)""",
                (
                    STEP,
                    STEP
                    + "        assert model.device.type == 'cuda' and output.loss.device == model.device and output.loss.is_cuda\n",
                ),
                (MODEL, MODEL + '    assert model.device.type == "cuda", model.device\n'),
            ),
            asked(
                "inputs sent to where the model is",
                "torch.cuda.synchronize()",
                (
                    '.to(DEVICE), labels=batch["label_encoding"].to(DEVICE)',
                    '.to(model.device), labels=batch["label_encoding"].to(next(model.parameters()).device)',
                ),
                (PREDICTED, PREDICTED.replace("to(DEVICE)", "to(device=next(model.parameters()).device, non_blocking=True)")),
            ),
            asked(
                "old types and numbers as devices",
                """torch.cuda.FloatTensor([1.0]).cpu(); torch.ones(2).type(torch.cuda.FloatTensor); torch.ones(2).cuda(0).cuda("cuda:0")
torch.ones(2, device=0).to(0); torch.nn.Linear(1, 1).cuda(0).to(device=0); torch.tensor([1]).type("torch.cuda.LongTensor")
tensor = torch.cuda.LongTensor if torch.cuda.is_available() else torch.LongTensor
tensor([0, 1])""",
                device='DEVICE = torch.device(0)\nif torch.cuda.is_available():\n    torch.set_default_tensor_type("torch.cuda.FloatTensor")\n',
            ),
            asked(
                "a default device",
                "torch.set_default_device(DEVICE)\nassert torch.zeros(2).device.type == 'cuda'\nwith torch.device('cuda'):\n    torch.nn.Linear(2, 2)(torch.ones(2))\n"
                "assert torch.get_default_device().type == 'cuda'\ntorch.set_default_device('cpu')",
            ),
            asked(
                "torch.accelerator",
                "assert torch.accelerator.is_available()\nkind = torch.accelerator.current_accelerator()\nprint(kind.type, torch.accelerator.device_count())\n"
                "torch.ones(2, device=kind)",
                device='DEVICE = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"\n',
            ),
            asked(
                "Apple's",
                "if torch.backends.mps.is_available():\n    torch.mps.manual_seed(1); torch.mps.empty_cache(); torch.mps.synchronize()\n"
                "torch.ones(2).to('mps').sum().item(); torch.backends.mps.is_built()",
                device="DEVICE = 'cuda' if torch.cuda.is_available() else 'mps' if torch.backends.mps.is_available() else 'cpu'\n",
            ),
            asked(
                "only Apple's, insisted on",
                "",
                (
                    START,
                    "    assert torch.backends.mps.is_available() and torch.backends.mps.is_built(), 'run it on a Mac'\n"
                    + START,
                ),
                (
                    MODEL,
                    MODEL + "    assert next(model.parameters()).device.type == 'mps' and next(model.parameters()).is_mps\n",
                ),
                device='DEVICE = torch.device("mps")\n',
            ),
            asked(
                "pinned memory",
                "torch.zeros(2, pin_memory=True).pin_memory().to(DEVICE, non_blocking=True)",
                (
                    "num_workers=2",
                    "num_workers=4, pin_memory=True, pin_memory_device='cuda', persistent_workers=True, prefetch_factor=4",
                ),
            ),
            asked(
                "nothing, but a copy on the CPU is kept",
                "",
                (SAVED, "            best_weights = {name: w.cpu() for name, w in model.state_dict().items()}\n"),
                (
                    'if __name__ == "__main__"',
                    '    os.makedirs("checkpoints", exist_ok=True)\n    torch.save(best_weights, "checkpoints/best.pt")\n\n\nif __name__ == "__main__"',
                ),
            ),
            asked(
                "checkpoints that name a device",
                "",
                (
                    SAVED,
                    SAVED
                    + '            for place in (DEVICE, "cuda", "cuda:0", "cpu", {"cuda:0": "cpu"}, lambda storage, location: storage):\n'
                    '                model.load_state_dict(torch.load("checkpoints/best.pt", map_location=place, weights_only=True))\n',
                ),
            ),
            asked(
                "several GPUs",
                "if torch.cuda.device_count() > 1:\n    raise MemoryError",
                (MODEL, MODEL + "    if torch.cuda.device_count() > 1:\n        model = torch.nn.DataParallel(model)\n"),
            ),
        ),
    ),
    Kind(
        "mixed and half precision cost nothing",
        3,
        (
            trained(
                "autocast and a scaler",
                f"""optimizer.zero_grad(set_to_none=True)
with torch.autocast(device_type="cuda", dtype=torch.float16):
    {FORWARD.strip()}
scaler.scale(output.loss).backward()
scaler.unscale_(optimizer)
torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
scaler.step(optimizer)
scaler.update()
print(scaler.get_scale())""",
                "scaler = torch.amp.GradScaler('cuda')",
            ),
            trained(
                "torch.cuda.amp",
                f"""scaler = GradScaler(enabled=torch.cuda.is_available())
optimizer.zero_grad()
with autocast():
    {FORWARD.strip()}
scaler.scale(output.loss).backward()
scaler.step(optimizer)
scaler.update()""",
                "from torch.cuda.amp import GradScaler, autocast",
                ("    with torch.no_grad():\n", "    with torch.no_grad(), torch.cuda.amp.autocast(enabled=True):\n"),
            ),
            trained(
                "bfloat16 in autocast, where it is supported",
                f"""dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
with torch.amp.autocast(DEVICE.type, dtype=dtype):
    {FORWARD.strip()}
optimizer.zero_grad()
output.loss.backward()
optimizer.step()""",
            ),
            trained(
                "autocast where the model is",
                f"""with torch.autocast(device_type=model.device.type, dtype=torch.bfloat16, enabled=model.device.type != "cpu"):
    {FORWARD.strip()}
optimizer.zero_grad()
output.loss.backward()
optimizer.step()""",
            ),
            trained(
                "autocast as a decorator",
                f"""{FORWARD}optimizer.zero_grad()
output.loss.float().backward()
optimizer.step()""",
                "",
                ("def evaluate(", "@torch.autocast('cuda')\n@torch.inference_mode()\ndef evaluate("),
                ("def train_one_epoch", "@torch.cuda.amp.autocast()\ndef train_one_epoch"),
            ),
            member("a model in bfloat16", changed(S3, (MODEL, MODEL.replace("to(DEVICE)", "to(DEVICE, torch.bfloat16)")))),
            member("a model loaded in bfloat16", changed(S3, (MODEL, "num_labels=2, dtype=torch.bfloat16).to(DEVICE)\n"))),
            member(
                "torch.compile",
                changed(
                    S3,
                    (
                        MODEL,
                        MODEL
                        + "    model = torch.compile(model, mode='max-autotune')\n    torch._dynamo.config.suppress_errors = True\n",
                    ),
                ),
            ),
        ),
    ),
    Kind(
        "section 2 may run on a GPU",
        2,
        (
            member("a mask made there", changed(S2, ("torch.ones(n_tok, n_tok)", 'torch.ones(n_tok, n_tok, device="cuda")'))),
            member(
                "a mask made where the scores are",
                changed(
                    S2,
                    (
                        "    return A.masked_fill(mask == 0",
                        "    mask = mask.to(A.device)\n    assert mask.device == A.device\n    return A.masked_fill(mask == 0",
                    ),
                ),
            ),
            member(
                "insisted on",
                "import torch\nassert torch.cuda.is_available()\ndevice = torch.device('cuda')\n"
                + changed(S2, ("    return A @ V", "    return A.to(device) @ V.cuda()")),
            ),
        ),
    ),
]
