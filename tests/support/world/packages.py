"""Kinds of programs that import packages which are not there: named on the item that they cost, and not elsewhere."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, Member, changed, member

NAMES = "DEVICE = torch.device("
START = "    datasets = initialize_datasets(tokenizer)\n"
COMPUTED = "return (predictions == labels).float().mean().item()"
MODEL = "num_labels=2).to(DEVICE)\n"
TRAIN, EVALUATE, MAIN = "3.train_one_epoch", "3.evaluate", "3.main"


def missing(package: str, top: str, item: str, *pairs: tuple[str, str], imported: bool = True) -> Member:
    """``item`` is lost, and the sentence names the package, the line that imports it and what is there."""
    source = changed(S3, (NAMES, top + "\n" + NAMES), *pairs)
    return member(package, source, {item}, {item: f"`{package}` is not installed where this is graded"})


def unused(name: str, top: str, *pairs: tuple[str, str]) -> Member:
    return member(name, changed(S3, (NAMES, top + "\n" + NAMES), *pairs))


KINDS = [
    Kind(
        "a package that decides a result is named where it costs points",
        3,
        (
            missing(
                "apex",
                "from apex import amp",
                TRAIN,
                ("output.loss.backward()", "amp.scale(output.loss).backward()"),
            ),
            missing(
                "torchmetrics",
                "import torchmetrics.classification as tm",
                EVALUATE,
                ("    model.eval()\n", "    model.eval()\n    metric = tm.BinaryAccuracy()\n"),
            ),
            missing(
                "evaluate",
                "import evaluate as hf\nmetric = hf.load('accuracy')",
                "3.compute_accuracy",
                (COMPUTED, "return metric.compute(predictions=predictions, references=labels)['accuracy']"),
            ),
            missing(
                "lightning", "", MAIN, ("def main():\n", "def main():\n    import lightning as L\n    L.seed_everything(1)\n")
            ),
            missing(
                "peft",
                "from peft import (\n    LoraConfig,\n    get_peft_model)",
                MAIN,
                (MODEL, MODEL + "    model = get_peft_model(model, LoraConfig())\n"),
            ),
            missing("bitsandbytes", "import bitsandbytes as bnb", MAIN, ("torch.optim.AdamW", "bnb.optim.AdamW8bit")),
            missing(
                "pytorch_lightning",
                "from pytorch_lightning import seed_everything",
                MAIN,
                (START, "    seed_everything(1)\n" + START),
            ),
            missing(
                "ignite",
                "from ignite.utils import timed",
                "3.compute_accuracy",
                ("def compute_accuracy", "@timed\ndef compute_accuracy"),
            ),
            missing("hydra", "import hydra", MAIN, ("def main()", "@hydra.main(config_path=None)\ndef main()")),
            missing(
                "omegaconf",
                "from omegaconf import OmegaConf\nsettings = OmegaConf.create({'lr': 5e-5})",
                MAIN,
                ("lr=5e-5", "lr=settings.lr"),
            ),
            missing(
                "nltk",
                "import nltk\nnltk.download('punkt')",
                "3.collate",
                ("texts = [sample.text for", "texts = [' '.join(nltk.word_tokenize(sample.text)) for"),
            ),
            missing(
                "timm",
                "try:\n    from timm.scheduler import CosineLRScheduler\nexcept ImportError as error:\n    print(error)",
                MAIN,
                ("    best = 0\n", "    best = 0\n    scheduler = CosineLRScheduler(optimizer, 3)\n"),
            ),
        ),
    ),
    Kind(
        "a package that no answer uses costs nothing",
        3,
        (
            unused(
                "imported only",
                "import apex, deepspeed\nfrom peft import LoraConfig\nimport nltk; nltk.download('punkt')",
            ),
            unused(
                "fallen back from",
                "try:\n    from apex import amp\nexcept ImportError:\n    amp = None",
                ("output.loss.backward()", "amp.scale(output.loss).backward() if amp else output.loss.backward()"),
            ),
            unused(
                "fetched with",
                "import gdown, requests, yaml\ngdown.download('https://example.org/x', 'x')\nyaml.safe_load('a: 1')",
            ),
            unused(
                "only for annotations",
                "from omegaconf import DictConfig\nimport torchmetrics",
                ("def main():", "def main(settings: DictConfig = None, metric: torchmetrics.Metric | None = None):"),
            ),
            unused(
                "what is there",
                "import einops, scipy.stats, sklearn.metrics, numpy as np\nfrom scipy.special import softmax\nfrom safetensors.torch import save_file\nimport json, argparse, logging, random, pathlib, yaml, regex",
                (COMPUTED, "return float(sklearn.metrics.accuracy_score(labels.numpy(), predictions.numpy()))"),
            ),
        ),
    ),
    Kind(
        "section 2 names a package that is missing, and finds those that are there",
        2,
        (
            member(
                "einops",
                "from einops import rearrange\n"
                + changed(S2, ("    return y.transpose(1, 2).flatten(2)", "    return rearrange(y, 'b h n d -> b n (h d)')")),
            ),
            member(
                "einx",
                "import einx\n"
                + changed(
                    S2, ("    return y.transpose(1, 2).flatten(2)", "    return einx.rearrange('b h n d -> b n (h d)', y)")
                ),
                {"2.1.merge_heads"},
                {"2.1.merge_heads": "`einx` is not installed where this is graded (line 1 imports it)"},
            ),
            member(
                "numpy and scipy",
                "import numpy as np\nfrom scipy.special import softmax\nimport jax\n" + S2 + "\nprint(softmax(np.ones(3)))\n",
            ),
            member(
                "a decorator",
                "from numba import njit\n" + changed(S2, ("def pairwise_similarities", "@njit\ndef pairwise_similarities")),
                {"2.1.pairwise_similarities"},
                {"2.1.pairwise_similarities": "`numba` is not installed where this is graded (line 1 imports it)"},
            ),
            member(
                "type checkers",
                "from jaxtyping import Float\nfrom beartype import beartype as typechecker\nfrom torch import Tensor\n"
                + changed(
                    S2,
                    (
                        "def compute_outputs(A, V):",
                        "@typechecker\ndef compute_outputs(A: Float[Tensor, 'b h n m'], V: Float[Tensor, 'b h m d']) -> Float[Tensor, 'b h n d']:",
                    ),
                ),
            ),
        ),
    ),
]
