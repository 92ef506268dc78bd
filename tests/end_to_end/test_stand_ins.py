"""Claims about the world that students write for: plots, bars, loggers, a GPU and Colab. They cost nothing here."""

import pytest

from support.project import DATA

TRAIN = "    for batch in dataloader:\n        output = model("
STEP = "        optimizer.step()\n"
START = "    datasets = initialize_datasets(tokenizer)\n"
LOOP = "    for epoch in range(num_epochs):\n"
SAVED = '            torch.save(model.state_dict(), "checkpoints/best.pt")\n'
NAMES = "DEVICE = torch.device("


@pytest.fixture(scope="session")
def s3() -> str:
    return (DATA / "right_s3.py").read_text()


def changed(source: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new, 1)
    return source


def lost(graded) -> dict[str, str]:
    return {id: graded.output(id) for id in graded.lost if id.startswith("3.")}


def indented(code: str, by: int = 4) -> str:
    return "".join(" " * by + line + "\n" for line in code.strip("\n").split("\n"))


PLOTS = """
import matplotlib
import matplotlib.pyplot as plt, seaborn as sns
from matplotlib.ticker import MaxNLocator
matplotlib.use("Agg"); plt.rcParams["figure.dpi"] = 100; plt.style.use("ggplot"); print(matplotlib.__version__)
fig, (a, b) = plt.subplots(1, 2, figsize=(12, 4))
a.plot(history); b.plot(history)
fig, ((a, b), (c, d)) = plt.subplots(2, 2)
fig, axes = plt.subplots(2, 2, sharex=True)
axes.flat[0].plot(history); axes[0, 1].plot(history); axes.ravel()[2].set_title("x")
for ax, name in zip(axes.flat, "ab"):
    ax.set_title(name)
line, = plt.plot(history, label="x")
n, bins, patches = plt.hist(history, bins=10)
lo, hi = plt.ylim()
plt.ylim(lo, max(1.0, a.get_ylim()[1] * 1.1))
twin = a.twinx()
lines = a.get_lines() + twin.get_lines()
a.legend(lines, [one.get_label() for one in lines])
colors = plt.rcParams["axes.prop_cycle"].by_key()["color"]
plt.plot(history, color=colors[3 % len(colors)])
with plt.style.context("dark_background"):
    sns.heatmap([[1]], annot=True, fmt="d")
plt.tight_layout(); plt.savefig("plot.png", dpi=200); plt.show(); plt.close(fig); display(fig)
"""

CONFIG = """
import wandb
wandb.init(project="sst2", config={"learning_rate": 5e-5, "batch_size": 64, "epochs": 6, "model": "roberta-base"})
config = wandb.config
"""


def test_plots_of_any_shape_and_a_configuration_cost_nothing(submit, s3):
    source = changed(
        s3,
        (START, indented(CONFIG) + START),
        ("lr=5e-5", "lr=config.learning_rate"),
        ("batch_size=64, shuffle=True", "batch_size=config['batch_size'], shuffle=True"),
        (LOOP, "    history = [0.5]\n    for epoch in range(wandb.config.epochs):\n"),
        (
            SAVED,
            SAVED
            + '        history.append(accuracy)\n        wandb.log({"accuracy": accuracy, "epoch": epoch})\n'
            + indented(PLOTS),
        ),
    )
    assert lost(submit({"A2S3.py": source})) == {}


def test_a_configuration_made_at_the_top_or_never_filled_in_costs_nothing(submit, s3):
    top = 'import wandb\nrun = wandb.init(config=dict(lr=5e-5, epochs=6))\nwandb.config.update({"wd": 0.01})\n'
    source = changed(
        s3,
        ("lr=5e-5", "lr=run.config.lr, weight_decay=wandb.config.wd"),
        (LOOP, "    for epoch in range(wandb.config.epochs):\n"),
        ('"checkpoints/best.pt"', 'os.path.join(wandb.run.dir, "best.pt")'),
        (NAMES, top + NAMES),
    )
    assert lost(submit({"A2S3.py": source})) == {}
    source = changed(s3, (NAMES, "import wandb\n" + NAMES), ("lr=5e-5", "lr=wandb.config.learning_rate"))
    assert lost(submit({"A2S3.py": source})) == {}


@pytest.mark.parametrize(
    "imported, train, evaluated",
    [
        ("from tqdm import tqdm", "tqdm(iterable=dataloader, total=len(dataloader))", "tqdm(dataloader, leave=False)"),
        ("import tqdm.notebook", "tqdm.notebook.tqdm(iterable=dataloader)", "tqdm.tqdm(iterable=iter(dataloader))"),
        ("from rich.progress import track, Progress", "track(sequence=dataloader)", "Progress().track(dataloader)"),
        (
            "from fastprogress import progress_bar, master_bar\nfrom tqdm.contrib import tenumerate",
            "progress_bar(dataloader, parent=master_bar(range(1)))",
            "(b for _, b in tenumerate(dataloader))",
        ),
        ("from alive_progress import alive_it\nfrom tqdm.auto import tqdm", "alive_it(dataloader)", "tqdm(list(dataloader))"),
    ],
)
def test_every_progress_bar_loops(submit, s3, imported, train, evaluated):
    source = changed(
        s3,
        (NAMES, imported + "\n" + NAMES),
        (TRAIN, TRAIN.replace("dataloader", train)),
        (
            "        for batch in dataloader:\n            predictions",
            f"        for batch in {evaluated}:\n            predictions",
        ),
    )
    assert lost(submit({"A2S3.py": source})) == {}


LOGGERS = """
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.writer import SummaryWriter as Another
import tensorboardX, mlflow, neptune, aim, psutil, time
import mlflow.pytorch
from comet_ml import Experiment
from loguru import logger
from rich.console import Console
from rich import print as rprint
from tabulate import tabulate
from dotenv import load_dotenv
from google.colab import drive, userdata
load_dotenv()
writer = SummaryWriter("runs")
other = tensorboardX.SummaryWriter(log_dir="runs")
experiment = Experiment(api_key="x")
run = neptune.init_run(project="a/b")
tracker = aim.Run()
console = Console()
logger.remove()
logger.add("file.log")
mlflow.set_experiment("sst2")
class Log(SummaryWriter):
    def __init__(self):
        super().__init__("runs")
        self.step = 0
log = Log()
"""

LOGGED = """
value = output.loss.item()
writer.add_scalar("x", value, epoch); other.add_scalars("x", {"y": value}, epoch); log.add_text("x", "y"); log.step += 1
experiment.log_metric("x", value, step=epoch); run["train/loss"].append(value); tracker.track(output.loss, name="loss")
mlflow.log_metric("x", value, step=epoch); logger.info("loss {:.3f}", value); rprint(f"[bold]{value}")
console.log(tabulate([[value]], headers=["x"]))
print(f"{psutil.virtual_memory().percent:.1f} {psutil.Process().memory_info().rss / 1e6:.0f} MB")
"""

TYPED = """
from jaxtyping import Float, Int, jaxtyped
from beartype import beartype
from typeguard import typechecked
from torch import Tensor
Predictions = Float[Tensor, "b"]
"""

CHECKED = """@jaxtyped
@typechecked
def compute_accuracy(predictions: Predictions, labels: Int[Tensor, "b"]) -> Float[Tensor, ""]:
    assert isinstance(predictions, Float[Tensor, "b"])
"""


def test_loggers_and_decorators_that_are_not_installed_cost_nothing(submit, s3):
    source = changed(
        s3,
        (NAMES, LOGGERS + TYPED + NAMES),
        (STEP, STEP + indented(LOGGED, 8)),
        ("def train_one_epoch", "@logger.catch\n@beartype\ndef train_one_epoch"),
        ("def evaluate", "@logger.catch(reraise=True)\n@jaxtyped(typechecker=beartype)\ndef evaluate"),
        (
            "def compute_accuracy(predictions, labels):\n",
            CHECKED,
        ),
        (LOOP, '    with mlflow.start_run() as active:\n        mlflow.log_params({"a": 1})\n' + LOOP),
        (
            SAVED,
            SAVED + "            mlflow.pytorch.log_model(model, 'model')\n    writer.close(); print(active.info.run_id)\n",
        ),
    )
    assert lost(submit({"A2S3.py": source})) == {}


COMPUTED = "return (predictions == labels).float().mean().item()"
MISSING = {  # package -> (what the top of the file gains, line replaced, its replacement, the item that it costs)
    "accelerate": (
        "from accelerate import Accelerator\naccelerator = Accelerator()",
        "output.loss.backward()",
        "accelerator.backward(output.loss)",
        "3.train_one_epoch",
    ),
    "torchmetrics": (
        "import torchmetrics.classification as tm",
        "    model.eval()\n",
        "    model.eval()\n    metric = tm.BinaryAccuracy()\n",
        "3.evaluate",
    ),
    "evaluate": (
        "import evaluate\nmetric = evaluate.load('accuracy')",
        COMPUTED,
        "return metric.compute(predictions=predictions, references=labels)['accuracy']",
        "3.compute_accuracy",
    ),
    "lightning": ("", "def main():\n", "def main():\n    import lightning as L\n", "3.main"),
    "peft": (
        "from peft import (\n    LoraConfig,\n    get_peft_model)\n",
        ".to(DEVICE)\n    optimizer",
        ".to(DEVICE)\n    model = get_peft_model(model, LoraConfig())\n    optimizer",
        "3.main",
    ),
    "ignite": ("from ignite.utils import timed", "def compute_accuracy", "@timed\ndef compute_accuracy", "3.compute_accuracy"),
}


@pytest.mark.parametrize("package", MISSING)
def test_a_package_that_decides_a_result_is_named_where_it_costs_points(submit, s3, package):
    imported, old, new, item = MISSING[package]
    graded = submit({"A2S3.py": changed(s3, (old, new), (NAMES, imported + "\n" + NAMES))})
    assert set(lost(graded)) == {item}, lost(graded)
    said = graded.output(item)
    assert f"`{package}` is not installed where this is graded" in said and "scikit-learn" in said and "line " in said, said


def test_what_is_missing_for_another_reason_is_not_called_a_package(submit, s3):
    source = changed(s3, ("output.loss.backward()", "helper(output.loss).backward()"))
    assert "not installed" not in lost(submit({"A2S3.py": source}))["3.train_one_epoch"]
    source = changed(
        s3,
        (NAMES, "from transformers.nowhere import helper\n" + NAMES),
        ("output.loss.backward()", "helper(output.loss).backward()"),
    )
    assert "not installed" not in lost(submit({"A2S3.py": source}))["3.train_one_epoch"]


ASKED = """
assert torch.cuda.is_available(), "choose a GPU"
if torch.cuda.device_count() < 1:
    raise RuntimeError("no GPU")
print(torch.cuda.get_device_name(0), torch.cuda.get_device_properties("cuda").total_memory / 1e9, torch.version.cuda)
print(f"{torch.cuda.memory_allocated() / 1e9:.2f} {torch.cuda.max_memory_allocated(0):d} {torch.cuda.memory_summary()}")
torch.cuda.manual_seed(1); torch.cuda.manual_seed_all(1); torch.cuda.empty_cache(); torch.cuda.reset_peak_memory_stats()
torch.cuda.set_device(0); torch.backends.cudnn.deterministic = True; torch.backends.cuda.matmul.allow_tf32 = True
start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
start.record(); end.record(); torch.cuda.synchronize(); print(start.elapsed_time(end))
device = torch.device("cuda", torch.cuda.current_device())
scaler = torch.cuda.amp.GradScaler(); scaler = torch.amp.GradScaler("cuda")
generator = torch.Generator(device="cuda").manual_seed(0); torch.rand(2, device=device, generator=generator)
with torch.cuda.device(0), torch.cuda.stream(torch.cuda.Stream()):
    torch.zeros(2, pin_memory=True).pin_memory().cuda(non_blocking=True)
torch.cuda.FloatTensor([1.0]).type(torch.cuda.HalfTensor)
assert next(torch.nn.Linear(1, 1).to(0).parameters()).is_cuda
"""

MIXED = """
with torch.autocast(device_type="cuda", dtype=torch.float16), torch.cuda.amp.autocast():
    output = model(**batch["text_encoding"].to(0), labels=batch["label_encoding"].cuda(non_blocking=True))
optimizer.zero_grad()
scaler.scale(output.loss).backward()
scaler.unscale_(optimizer)
torch.nn.utils.clip_grad_norm_(model.parameters(), 1e9)
scaler.step(optimizer)
scaler.update()
"""


def test_a_gpu_can_be_asked_for_everything(submit, s3):
    train = s3[s3.index("        output = model(") : s3.index("def evaluate")]
    source = changed(
        s3,
        (NAMES, ASKED + NAMES),
        (train, indented(MIXED, 8) + "\n\n"),
        (START, indented(ASKED) + START),
        ("num_workers=2", "num_workers=2, pin_memory=True, pin_memory_device='cuda'"),
        (SAVED, SAVED + '            torch.load("checkpoints/best.pt", map_location=DEVICE)\n'
         '            torch.load("checkpoints/best.pt", map_location={"cuda:0": "cuda:0"})\n'),
    )  # fmt: skip
    assert lost(submit({"A2S3.py": source})) == {}


def test_a_gpu_that_only_main_asks_for_and_a_default_device_cost_nothing(submit, s3):
    guard = """
if not torch.cuda.is_available():
    raise SystemExit("no GPU")
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
torch.set_default_device(device)
torch.mps.empty_cache()
"""
    source = changed(s3, (START, indented(guard) + START), (".to(DEVICE)\n    optimizer", ".to(device=0)\n    optimizer"))
    source = changed(source, (NAMES, 'torch.set_default_tensor_type("torch.cuda.FloatTensor")\n' + NAMES))
    assert lost(submit({"A2S3.py": source})) == {}


ACCURACY = "def compute_accuracy(predictions, labels):\n    return (predictions == labels).float().mean().item()\n"
FLAGS = {
    "an attempt": "try:\n    import google.colab\n    IN_COLAB = True\nexcept ImportError:\n    IN_COLAB = False",
    "sys.modules": "import sys\nIN_COLAB = 'google.colab' in sys.modules",
    "get_ipython": "IN_COLAB = 'google.colab' in str(get_ipython())",
    "the path": "IN_COLAB = os.path.exists('/content')",
    "a name": "try:\n    from google.colab import drive\nexcept Exception:\n    drive = None\nIN_COLAB = bool(drive)",
}


@pytest.mark.parametrize("flag", FLAGS)
def test_neither_branch_about_colab_loses_its_definitions(submit, s3, flag):
    there = "from google.colab import drive\ndrive.mount('/drive')\nos.chdir('/drive/MyDrive')\nROOT = 'checkpoints'"
    source = changed(
        s3,
        (ACCURACY, f"if IN_COLAB:\n{indented(there)}else:\n    import math\n{indented(ACCURACY)}"),
        (NAMES, FLAGS[flag] + "\n" + NAMES),
        ('os.makedirs("checkpoints", exist_ok=True)', "os.makedirs(ROOT, exist_ok=True)"),
    )
    assert lost(submit({"A2S3.py": source})) == {}


def test_the_branch_for_those_without_the_package_or_gpu_counts_and_any_other_does_not(submit, s3):
    for condition in ("if not torch.cuda.is_available():\n", "try:\n    import wandb\nexcept ImportError:\n"):
        assert lost(submit({"A2S3.py": changed(s3, (ACCURACY, condition + indented(ACCURACY)))})) == {}
    for condition in ("if False:\n", "if num_epochs > 100:\n"):
        assert "3.compute_accuracy" in lost(submit({"A2S3.py": changed(s3, (ACCURACY, condition + indented(ACCURACY)))}))
