"""Kinds of programs about how main calls its own functions, and about variables of the environment."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, changed, member

TRAIN, EVALUATE = "train_one_epoch(model, train, optimizer, epoch)", "evaluate(model, validation)"
SAVED = (
    '            os.makedirs("checkpoints", exist_ok=True)\n            torch.save(model.state_dict(), "checkpoints/best.pt")\n'
)
COLLATED = '"text_encoding": encoding,'
MOVED = 'model(**batch["text_encoding"].to(DEVICE)'
BY_HAND = 'model(**{k: v.to(DEVICE) for k, v in batch["text_encoding"].items()}'


def elsewhere(top: str, place: str) -> str:
    return changed(
        S3, ("num_epochs = 20\n", f"num_epochs = 20\n{top}\n"), (SAVED, f"            model.save_pretrained({place})\n")
    )


KINDS = [
    Kind(
        "a main whose calls of its own functions raise each time is not right",
        3,
        (
            member(
                "evaluate, swapped",
                changed(S3, (EVALUATE, "evaluate(validation, model)")),
                {"3.main"},
                {"3.main": "each call of evaluate in main raises"},
                {"3.main": 1},
            ),
            member(
                "evaluate without a loader",
                changed(S3, (EVALUATE, "evaluate(model, datasets)")),
                {"3.main"},
                points={"3.main": 1},
            ),
            member(
                "train_one_epoch, swapped",
                changed(S3, (TRAIN, "train_one_epoch(train, model, optimizer, epoch)")),
                {"3.main"},
                {"3.main": "each call of train_one_epoch in main raises"},
            ),
            member(
                "train_one_epoch without an optimizer",
                changed(S3, (TRAIN, "train_one_epoch(model, train, None, epoch)")),
                {"3.main"},
            ),
        ),
    ),
    Kind(
        "batches that the author's own loops can use are right",
        3,
        (
            member(
                "a plain dict of tensors",
                changed(S3, (COLLATED, '"text_encoding": dict(encoding),'), (MOVED, BY_HAND), (MOVED, BY_HAND)),
            ),
            member("made by hand", changed(S3, (COLLATED, '"text_encoding": type(encoding)(dict(encoding)),'))),
        ),
    ),
    Kind(
        "a variable that a student's machine has costs nothing",
        3,
        (
            member("USER in a path", elsewhere('OUT = os.path.join("/gscratch", os.environ["USER"], "a2")', "OUT")),
            member("SCRATCH in a path", elsewhere('OUT = os.environ["SCRATCH"] + "/a2/best"', "OUT")),
            member(
                "a job's number",
                elsewhere('OUT = os.path.join(os.environ["TMPDIR"], "job_" + os.environ["SLURM_JOB_ID"])', "OUT"),
            ),
            member("a number", elsewhere('RANK = int(os.environ["LOCAL_RANK"])\nOUT = f"rank{RANK}"', "OUT")),
            member("asked first", elsewhere('OUT = os.environ["SCRATCH"] if "SCRATCH" in os.environ else "out"', "OUT")),
            member("caught", elsewhere('try:\n    OUT = os.environ["SCRATCH"]\nexcept KeyError:\n    OUT = "out"', "OUT")),
            member(
                "a key",
                elsewhere(
                    'import wandb\nrun = wandb.init(entity=os.environ["USER"] + "-uw")\nOUT = "out"',
                    "OUT)\n            run.log({'a': accuracy}",
                ),
            ),
        ),
    ),
    Kind(
        "a variable that is set on a student's machine costs section 2 nothing",
        2,
        (
            member(
                "a device",
                "import os\nGPU = int(os.environ['CUDA_VISIBLE_DEVICES'])\n"
                + changed(S2, ("def attn_softmax(A):\n", "def attn_softmax(A):\n    assert GPU >= 0\n")),
            ),
            member(
                "read in a function",
                "import os\n"
                + changed(S2, ("def attn_softmax(A):\n", "def attn_softmax(A):\n    assert os.environ['USER']\n")),
            ),
        ),
    ),
    Kind(
        "a variable that is not set has the value that the program gives it",
        2,
        (
            member(
                "a device",
                "import os\nDEVICE = os.environ.get('DEVICE', 'cpu')\n"
                + S2
                + "\ndef attn_softmax(A):\n    return torch.softmax(A.to(DEVICE), dim=-1)\n",
            ),
            member(
                "an option that nobody sets",
                "import os\n"
                + S2
                + "\ndef attn_softmax(A):\n    return torch.softmax(A, dim=0 if os.getenv('DEBUG_SOFTMAX') else -1)\n",
            ),
            member(
                "one that is set unless it is",
                "import os\nos.environ.setdefault('WIDTH_POWER', '0.5')\n" + S2 + "\ndef attn_scaled(A, n_embd, n_heads):\n"
                "    return A / (n_embd / n_heads) ** float(os.environ['WIDTH_POWER'])\n",
            ),
        ),
    ),
    Kind(
        "a line of self_attention that raises in several steps costs one of them",
        2,
        (
            member(
                "a fixed number of tokens",
                changed(S2, ("make_causal_mask(n_tok)", "make_causal_mask(10)")),
                {"2.1.self_attention.step3"},
            ),
        ),
    ),
]
