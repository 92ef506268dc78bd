"""Kinds of programs that log: configurations they read back, writers, trackers, decorators, secrets."""

from __future__ import annotations

from support.world.kind import S3, Kind, Member, changed, indented, member

NAMES = "DEVICE = torch.device("
START = "    datasets = initialize_datasets(tokenizer)\n"
STEP = "        optimizer.step()\n"
LOOP = "    for epoch in range(num_epochs):\n"
SAVED = '            torch.save(model.state_dict(), "checkpoints/best.pt")\n'
END = "            best = accuracy\n"
MAIN = 'if __name__ == "__main__":\n    main()\n'
LR, BATCH = ("lr=5e-5", "lr={}"), ("batch_size=64, shuffle", "batch_size={}, shuffle")


def logged(name: str, top: str, start: str = "", step: str = "", epoch: str = "", *pairs: tuple[str, str]) -> Member:
    """What stands at the top of the file, at the start of ``main``, after each batch, and after each epoch's evaluation."""
    source = changed(
        S3,
        (NAMES, top + "\n" + NAMES),
        (START, (indented(start) if start else "") + START),
        (STEP, STEP + (indented(step, 8) if step else "")),
        ("        if accuracy > best:\n", (indented(epoch, 8) if epoch else "") + "        if accuracy > best:\n"),
    )
    return member(name, changed(source, *pairs))


def configured(name: str, top: str, start: str, lr: str, batch: str, epochs: str, main: str = "main()") -> Member:
    """``main`` takes its learning rate, batch size and number of epochs from a configuration."""
    return logged(
        name,
        top,
        start,
        "",
        "wandb.log({'accuracy': accuracy, 'epoch': epoch}, step=epoch)",
        (LR[0], LR[1].format(lr)),
        (BATCH[0], BATCH[1].format(batch)),
        (LOOP, LOOP.replace("num_epochs", epochs)),
        (MAIN, f'if __name__ == "__main__":\n{indented(main)}'),
    )


CONFIG = 'dict(learning_rate=5e-5, batch_size=64, epochs=20, model="roberta-base", betas=[0.9, 0.999])'
SWEEP = """sweep = {
    "method": "bayes",
    "metric": {"name": "accuracy", "goal": "maximize"},
    "parameters": {
        "learning_rate": {"distribution": "log_uniform_values", "min": 1e-5, "max": 1e-4},
        "batch_size": {"values": [64, 32]},
        "epochs": {"value": 20},
    },
}
import wandb"""
KINDS = [
    Kind(
        "what a tracker's configuration holds is what the program gave it",
        3,
        (
            configured(
                "a dictionary given to wandb.init in main",
                "import wandb",
                f"wandb.init(project='sst2', config={CONFIG}, name=f'run-{{num_epochs}}')",
                "wandb.config.learning_rate, betas=tuple(wandb.config.betas)",
                "wandb.config['batch_size']",
                "wandb.config.epochs",
            ),
            configured(
                "a run at the top, and its own configuration",
                f"import wandb\nrun = wandb.init(config={CONFIG})\nwandb.config.update({{'weight_decay': 0.01}})\nconfig = run.config",
                "run.watch if False else wandb.watch(torch.nn.Linear(1, 1), log='all')",
                "config.learning_rate, weight_decay=config.weight_decay",
                "run.config.get('batch_size', 8)",
                "config['epochs']",
            ),
            configured(
                "values set one by one",
                "import wandb",
                "wandb.init()\nwandb.config.learning_rate = 5e-5\nwandb.config['batch_size'] = 64\nwandb.config.setdefaults({'epochs': 20})",
                "wandb.config.learning_rate",
                "wandb.config.batch_size",
                "wandb.config.epochs",
            ),
            configured(
                "in a with statement, from a class",
                "import wandb\nclass Settings:\n    lr = 5e-5\n    batch_size = 64\n    epochs = 20",
                "with wandb.init(config=Settings, mode='offline') as run:\n    config = run.config",
                "config.lr",
                "config.batch_size",
                "config.epochs",
            ),
            configured(
                "a data class and vars",
                "import wandb\nfrom dataclasses import dataclass, asdict\n@dataclass\nclass Settings:\n    lr: float = 5e-5\n"
                "    batch_size: int = 64\n    epochs: int = 20\nsettings = Settings()",
                "wandb.init(config=asdict(settings))\nconfig = dict(wandb.config)\nassert config['lr'] == settings.lr",
                "config['lr']",
                "settings.batch_size",
                "config['epochs']",
            ),
            configured(
                "a namespace of arguments",
                "import wandb, argparse\nparser = argparse.ArgumentParser()\nparser.add_argument('--lr', type=float, default=5e-5)\n"
                "parser.add_argument('--batch_size', type=int, default=64)\nargs, _ = parser.parse_known_args([])",
                "wandb.init(config=args)\nwandb.config.update(args, allow_val_change=True)",
                "wandb.config.lr",
                "wandb.config.batch_size",
                "num_epochs",
            ),
            configured(
                "a sweep with wandb.agent",
                SWEEP,
                "wandb.init()\nconfig = wandb.config",
                "config.learning_rate",
                "config.batch_size",
                "config.epochs",
                "sweep_id = wandb.sweep(sweep, project='sst2')\nwandb.agent(sweep_id, function=main, count=3)",
            ),
            configured(
                "a sweep whose configuration is never here",
                "import wandb",
                "run = wandb.init()\nconfig = wandb.config\nassert config.batch_size * 2 > 1",
                "config.learning_rate",
                "config.batch_size",
                "config.num_epochs",
                "wandb.agent('me/project/abc123', main)",
            ),
            configured(
                "nested entries",
                "import wandb",
                "run = wandb.init(config={'optimizer': {'lr': 5e-5, 'name': 'adamw'}, 'data': {'batch_size': 64}, 'epochs': 20})\n"
                "assert run.config.as_dict()['optimizer']['name'] == 'adamw'",
                "run.config['optimizer']['lr']",
                "run.config.data['batch_size']",
                "wandb.config.epochs",
            ),
        ),
    ),
    Kind(
        "a logger that is not installed costs nothing",
        3,
        (
            logged(
                "tensorboard at the top",
                "from torch.utils.tensorboard import SummaryWriter\nfrom datetime import datetime\n"
                "writer = SummaryWriter(log_dir=f'runs/{datetime.now():%Y%m%d}')",
                "writer.add_text('settings', '|lr|5e-5|')",
                "writer.add_scalar('loss', output.loss.item(), epoch * len(dataloader))",
                "writer.add_scalars('accuracy', {'validation': accuracy}, global_step=epoch)\nwriter.flush()",
                (SAVED, SAVED.replace('"checkpoints/best.pt"', 'writer.log_dir + "/best.pt"')),
            ),
            logged(
                "tensorboardX in a class",
                "import tensorboardX\nclass Log(tensorboardX.SummaryWriter):\n    def __init__(self, *args):\n        super().__init__(*args)\n"
                "        self.step = 0\n    def loss(self, value):\n        self.step += 1\n        self.add_scalar('loss', value, self.step)",
                "global log\nlog = Log('runs')",
                "if 'log' in globals():\n    log.loss(float(output.loss))",
                "log.add_histogram('weights', next(model.parameters()), epoch)",
            ),
            logged(
                "mlflow",
                "import mlflow, mlflow.pytorch\nfrom mlflow.tracking import MlflowClient\nmlflow.set_tracking_uri('http://localhost:5000')\n"
                "mlflow.autolog()",
                "client = MlflowClient()\nmlflow.start_run(run_name='sst2')\nmlflow.log_params({'lr': 5e-5})",
                "mlflow.log_metric('loss', output.loss.item(), step=epoch)",
                "mlflow.log_metrics({'accuracy': accuracy}, step=epoch)\nmlflow.pytorch.log_model(model, 'model')\n"
                "print(mlflow.active_run().info.run_id, mlflow.last_active_run())",
            ),
            logged(
                "comet and neptune",
                "import comet_ml, neptune\nfrom comet_ml import Experiment, start\nexperiment = Experiment(api_key='x', project_name='y')\n"
                "run = neptune.init_run(project='a/b', tags=['x'])",
                "experiment.log_parameters({'lr': 5e-5})\nrun['parameters'] = {'lr': 5e-5}",
                "with experiment.train():\n    experiment.log_metric('loss', output.loss.item(), epoch=epoch)\nrun['loss'].append(output.loss.item())",
                "run['accuracy'].log(accuracy); experiment.log_epoch_end(epoch)",
            ),
            logged(
                "clearml, aim and trackio",
                "from clearml import Task, Logger\nimport aim, trackio\ntask = Task.init(project_name='sst2', task_name='run')\nlogger = task.get_logger()",
                "tracker = aim.Run(experiment='x')\ntracker['hparams'] = {'lr': 5e-5}\ntrackio.init(project='x')",
                "logger.report_scalar(title='loss', series='train', value=output.loss.item(), iteration=epoch)",
                "tracker.track(accuracy, name='accuracy', epoch=epoch); Logger.current_logger().report_text('x'); trackio.log({})",
            ),
            logged(
                "loguru, with decorators of it",
                "from loguru import logger\nimport sys\nlogger.remove()\nlogger.add(sys.stderr, format='{time} {message}', level='INFO')",
                "log = logger.bind(name='main')",
                "logger.opt(lazy=True).debug('loss {}', lambda: output.loss)",
                "log.success(f'accuracy {accuracy:.3f}')\nwith logger.contextualize(epoch=epoch), logger.catch():\n    logger.info('x')",
                ("def evaluate", "@logger.catch(reraise=True)\ndef evaluate"),
                ("def compute_accuracy", "@logger.catch\ndef compute_accuracy"),
            ),
            logged(
                "rich, structlog and tabulate",
                "from rich.console import Console\nfrom rich.table import Table\nfrom rich import print\nfrom rich.traceback import install\n"
                "from rich.logging import RichHandler\nimport structlog, logging\nfrom tabulate import tabulate\ninstall(show_locals=True)\n"
                "console = Console(width=100)\nlogging.basicConfig(handlers=[RichHandler()], level='INFO')",
                "table = Table(title='runs')\nfor name in ('epoch', 'accuracy'):\n    table.add_column(name, justify='right')",
                "console.log('loss', output.loss.item())",
                "table.add_row(str(epoch), f'{accuracy:.3f}')\nconsole.print(table)\nprint(f'[bold]{accuracy}[/]')\n"
                "structlog.get_logger().bind(epoch=epoch).info('done')\nopen('table.txt', 'w').write(tabulate([[epoch, accuracy]]))\n"
                "with console.status('x'):\n    pass",
            ),
            logged(
                "psutil and GPU monitors",
                "import psutil, GPUtil, pynvml, time\nfrom codecarbon import EmissionsTracker\npynvml.nvmlInit()",
                "tracker = EmissionsTracker()\ntracker.start()\nassert psutil.virtual_memory().available > 0\n"
                "print(psutil.cpu_count(logical=False), os.cpu_count())",
                "handle = pynvml.nvmlDeviceGetHandleByIndex(0)\nused = pynvml.nvmlDeviceGetMemoryInfo(handle).used / 1024**3\n"
                "print(f'{used:.2f} GB, {psutil.Process(os.getpid()).memory_info().rss // 2**20} MB')",
                "for gpu in GPUtil.getGPUs():\n    print(gpu.memoryUtil * 100)\nprint(tracker.stop())",
            ),
            logged(
                "type checkers as decorators",
                "from jaxtyping import Float, Int, jaxtyped\nfrom beartype import beartype\nfrom beartype.typing import Any\n"
                "from typeguard import typechecked\nfrom torch import Tensor",
                "",
                "",
                "",
                (
                    "def train_one_epoch(model, dataloader, optimizer, epoch):",
                    "@beartype\ndef train_one_epoch(model, dataloader, optimizer, epoch: int) -> None:",
                ),
                ("def evaluate(", "@typechecked\ndef evaluate("),
                (
                    "def compute_accuracy(predictions, labels):",
                    "@jaxtyped(typechecker=beartype)\ndef compute_accuracy(predictions: Int[Tensor, 'n'], labels: Int[Tensor, 'n']) -> Any:",
                ),
            ),
            logged(
                "model summaries and profilers",
                "from torchinfo import summary\nfrom torchsummary import summary as old\nfrom torchviz import make_dot\n"
                "from line_profiler import profile\nfrom memory_profiler import profile as memory\nfrom torchview import draw_graph",
                "",
                "make_dot(output.loss, params=dict(model.named_parameters())).render('graph')",
                "print(summary(model, input_size=(1, 8), dtypes=[torch.long]).total_params)",
                ("def train_one_epoch", "@profile\ndef train_one_epoch"),
                ("def evaluate", "@memory\n@profile\ndef evaluate"),
            ),
            logged(
                "a writer that is made in main and passed on",
                "from torch.utils.tensorboard.writer import SummaryWriter",
                "writer = SummaryWriter()\nwriter.add_hparams({'lr': 5e-5}, {'hparam/accuracy': 0.0})",
                "",
                "writer.add_figure('x', None, epoch)\nwriter.add_pr_curve('pr', torch.ones(2), torch.ones(2), epoch)",
                ("def evaluate(model, dataloader):", "def evaluate(model, dataloader, writer=None):"),
                ("evaluate(model, validation)", "evaluate(model, validation, writer)"),
                (END, END + "            writer.add_graph(model); writer.close()\n"),
            ),
            logged(
                "wandb with a table, an artifact and the folder of the run",
                "import wandb\nos.environ['WANDB_SILENT'] = 'true'\nwandb.login(key='x')",
                "run = wandb.init(project='sst2', entity='me', tags=['a'])\nrun.define_metric('accuracy', summary='max')\n"
                "table = wandb.Table(columns=['epoch', 'accuracy'])",
                "wandb.log({'loss': output.loss}) if wandb.run is not None else None",
                "table.add_data(epoch, accuracy); run.log({'table': table})\nrun.summary['best'] = accuracy\n"
                "wandb.alert(title='x', text=f'{accuracy}', level=wandb.AlertLevel.INFO)\n"
                "artifact = wandb.Artifact(f'model-{run.id}', type='model', metadata={'epoch': epoch})\nrun.log_artifact(artifact)",
                (
                    SAVED,
                    SAVED.replace('"checkpoints/best.pt"', "wandb.run.dir + '/best.pt'")
                    + "            wandb.save('best.pt')\n",
                ),
            ),
        ),
    ),
    Kind(
        "secrets and logins cost nothing",
        3,
        (
            logged(
                "Colab's user data",
                "from google.colab import userdata\nimport wandb",
                "os.environ['WANDB_API_KEY'] = userdata.get('WANDB_API_KEY')\nos.environ.setdefault('HF_TOKEN', userdata.get('HF_TOKEN'))\n"
                "wandb.login(key=os.environ['WANDB_API_KEY'].strip())",
            ),
            logged(
                "Kaggle's secrets and the hub's login",
                "from kaggle_secrets import UserSecretsClient\nfrom huggingface_hub import login, notebook_login, whoami",
                "secret = UserSecretsClient().get_secret('HF_TOKEN')\nos.environ['HF_TOKEN'] = secret\nlogin(token=secret)\nnotebook_login()\n"
                "assert isinstance(secret, str) and len(secret) > 0",
            ),
            logged(
                "dotenv",
                "from dotenv import load_dotenv, dotenv_values, find_dotenv\nload_dotenv(find_dotenv())",
                "load_dotenv()\ntoken = os.getenv('HF_TOKEN', dotenv_values('.env').get('HF_TOKEN'))\n"
                "if os.environ.get('HF_TOKEN'):\n    import huggingface_hub\n    huggingface_hub.login(os.environ['HF_TOKEN'])",
            ),
            logged(
                "a password asked for",
                "from getpass import getpass\nimport wandb",
                "os.environ['WANDB_API_KEY'] = os.environ.get('WANDB_API_KEY') or getpass('key: ')\nwandb.login()",
            ),
        ),
    ),
]
