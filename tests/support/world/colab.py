"""Kinds of programs about where a notebook runs: neither branch loses its definitions."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, Member, changed, indented, member

NAMES = "DEVICE = torch.device("
ACCURACY = "def compute_accuracy(predictions, labels):\n    return (predictions == labels).float().mean().item()\n"
MADE = 'os.makedirs("checkpoints", exist_ok=True)'
THERE = (
    "from google.colab import drive\ndrive.mount('/content/drive')\nos.chdir('/content/drive/MyDrive')\nROOT = 'checkpoints'"
)


def flagged(name: str, flag: str, condition: str = "IN_COLAB") -> Member:
    """On Colab a folder is chosen, elsewhere a function of the answer is defined: both are needed."""
    source = changed(
        S3,
        (ACCURACY, f"if {condition}:\n{indented(THERE)}else:\n    import math\n{indented(ACCURACY)}"),
        (NAMES, flag + "\n" + NAMES),
        (MADE, "os.makedirs(ROOT, exist_ok=True)"),
    )
    return member(name, source)


def turned(name: str, flag: str, condition: str) -> Member:
    """The other way round: the answer is defined where it is Colab."""
    code = f"if {condition}:\n{indented(ACCURACY)}else:\n    ROOT = 'checkpoints'\n"
    return member(name, changed(S3, (ACCURACY, code), (NAMES, flag + "\n" + NAMES), (MADE, "os.makedirs(ROOT, exist_ok=True)")))


ATTEMPT = "try:\n    import google.colab\n    IN_COLAB = True\nexcept ImportError:\n    IN_COLAB = False"
KINDS = [
    Kind(
        "neither branch about the machine loses its definitions",
        3,
        (
            flagged("an attempt to import", ATTEMPT),
            flagged("an attempt, any exception", ATTEMPT.replace("except ImportError", "except")),
            flagged(
                "an attempt with else",
                "IN_COLAB = False\ntry:\n    from google.colab import drive\nexcept ModuleNotFoundError:\n    pass\nelse:\n    IN_COLAB = True",
            ),
            flagged("sys.modules", "import sys\nON_COLAB = 'google.colab' in sys.modules", "ON_COLAB"),
            flagged("the folder", "RUNNING_IN_COLAB = os.path.exists('/content')", "RUNNING_IN_COLAB and True"),
            flagged(
                "a variable of the environment", "", "'COLAB_GPU' in os.environ or os.getenv('COLAB_RELEASE_TAG') is not None"
            ),
            flagged("get_ipython", "", "'google.colab' in str(get_ipython())"),
            flagged(
                "get_ipython in a function",
                "def is_colab():\n    try:\n        return 'google.colab' in get_ipython().__module__\n    except (NameError, AttributeError):\n        return False",
                "is_colab()",
            ),
            flagged(
                "find_spec", "import importlib.util\ncolab = importlib.util.find_spec('google.colab') is not None", "colab"
            ),
            flagged("the folder with pathlib", "from pathlib import Path", "Path('/content/drive').is_dir()"),
            turned("sys.modules, turned", "import sys", "'google.colab' in sys.modules"),
            turned("no GPU, turned", "", "not torch.cuda.is_available()"),
            turned(
                "get_ipython, turned",
                "def in_notebook():\n    return get_ipython().__class__.__name__ == 'ZMQInteractiveShell'",
                "not in_notebook()",
            ),
            turned("Kaggle", "", "os.environ.get('KAGGLE_KERNEL_RUN_TYPE')"),
            member(
                "defined where a package is missing",
                changed(S3, (ACCURACY, "try:\n    import torchmetrics\nexcept ImportError:\n" + indented(ACCURACY))),
            ),
            member(
                "defined where the import works",
                changed(
                    S3,
                    (
                        ACCURACY,
                        "try:\n    import wandb\n    have_wandb = True\n"
                        + indented(ACCURACY)
                        + "except ImportError:\n    have_wandb = False\n",
                    ),
                ),
            ),
            member(
                "three ways",
                changed(
                    S3,
                    (
                        ACCURACY,
                        "if os.path.isdir('/content'):\n    ROOT = 'a'\nelif os.path.isdir('/kaggle'):\n    ROOT = 'b'\nelse:\n    ROOT = 'c'\n"
                        "    EXTRA = 1\n" + ACCURACY,
                    ),
                    (MADE, MADE + "\n            os.makedirs(ROOT, exist_ok=True); assert EXTRA"),
                ),
            ),
        ),
    ),
    Kind(
        "a branch that has nothing to do with the machine is not taken",
        3,
        tuple(
            member(
                condition,
                changed(S3, (ACCURACY, f"{condition}:\n{indented(ACCURACY)}")),
                {"3.compute_accuracy"},
            )
            for condition in ("if False", "if num_epochs > 100", "if tokenizer is None")
        ),
    ),
    Kind(
        "section 2 may ask where it runs",
        2,
        (
            member(
                "an attempt",
                ATTEMPT
                + "\n"
                + changed(
                    S2,
                    (
                        "def compute_outputs(A, V):\n    return A @ V\n",
                        "if not IN_COLAB:\n    def compute_outputs(A, V):\n        return A @ V\n",
                    ),
                ),
            ),
            member(
                "drive and output",
                "from google.colab import drive, output, files\ndrive.mount('/content/drive')\noutput.clear()\n"
                + S2
                + "files.download('A2S2.py')\n",
            ),
        ),
    ),
]
