"""Names that both sides of the sandbox, and the bake, know: the layers of the cage and the packages that have stand-ins."""

from __future__ import annotations

LAYERS = (
    "descriptors",
    "session",
    "environment",
    "limits",
    "user",
    "capabilities",
    "no new privileges",
    "not dumpable",
    "landlock",
    "seccomp",
    "tmpfs",
)
# Also libraries draw with these (sklearn's displays).
PACKAGES = {"matplotlib", "seaborn", "plotly", "IPython", "tqdm", "wandb", "ipywidgets", "google", "altair", "bokeh"}
# Libraries look for some of these and would use them: only a student's own imports find a stand-in.
FOR_STUDENTS = {
    *("mpl_toolkits", "livelossplot", "graphviz", "torchviz", "torchview", "torchinfo", "torchsummary", "visdom"),
    *("rich", "fastprogress", "progressbar", "alive_progress", "halo", "termcolor", "colorama", "tabulate", "icecream"),
    *("tensorboard", "tensorboardX", "tensorboard_logger", "mlflow", "comet_ml", "neptune", "aim", "clearml", "dvclive"),
    *("swanlab", "trackio", "loguru", "structlog", "coloredlogs", "codecarbon", "dotenv", "nest_asyncio"),
    *("jaxtyping", "torchtyping", "beartype", "typeguard", "line_profiler", "memory_profiler"),
    *("bertviz", "kaggle_secrets", "getpass", "accelerate"),
    *("psutil", "pynvml", "nvidia_smi", "GPUtil", "gpustat", "torch.utils.tensorboard"),
}
