"""Kinds of programs about progress bars: every bar loops over what it is given."""

from __future__ import annotations

from support.world.kind import S3, Kind, Member, changed, indented, member

NAMES = "DEVICE = torch.device("
TRAIN = "    for batch in dataloader:\n        output = model("
EVALUATED = "        for batch in dataloader:\n            predictions.append"
STEP = "        optimizer.step()\n"


def looped(name: str, imports: str, train: str, evaluated: str, step: str = "", before: str = "") -> Member:
    """``train`` and ``evaluated`` replace the lines of the loops' heads; ``step`` follows each batch of training."""
    return member(
        name,
        changed(
            S3,
            (NAMES, imports + "\n" + NAMES),
            (TRAIN, indented(before) * bool(before) + f"    {train}\n        output = model("),
            (STEP, STEP + indented(step, 8) * bool(step)),
            (EVALUATED, f"        {evaluated}\n            predictions.append"),
        ),
    )


PLAIN = "for batch in dataloader:"
KINDS = [
    Kind(
        "a progress bar around a loop costs nothing",
        3,
        (
            looped(
                "tqdm with keywords",
                "from tqdm import tqdm",
                "for batch in tqdm(iterable=dataloader, total=len(dataloader), desc=f'epoch {epoch}', leave=False):",
                "for batch in tqdm(dataloader, disable=True, ncols=80, unit='batch', position=0):",
            ),
            looped(
                "tqdm.auto, numbered",
                "from tqdm.auto import tqdm",
                "for step, batch in enumerate(tqdm(dataloader, desc='train')):",
                "for step, batch in tqdm(enumerate(dataloader), total=len(dataloader)):",
                "assert step >= 0",
            ),
            looped(
                "tqdm.notebook with a postfix",
                "from tqdm.notebook import tqdm, trange",
                "for batch in bar:",
                PLAIN,
                "bar.set_postfix({'loss': f'{output.loss.item():.3f}'}); bar.set_description('x', refresh=True)\n"
                "bar.set_postfix_str('y'); rate = bar.format_dict['rate']; bar.write('z')\n"
                "print(f\"{bar.format_dict['elapsed']:.1f} s, {bar.n}/{bar.total}\")",
                "bar = tqdm(dataloader, dynamic_ncols=True)",
            ),
            looped(
                "updated by hand in a with statement",
                "import tqdm",
                "for batch in dataloader:",
                "for batch in tqdm.tqdm(iter(dataloader)):",
                "with tqdm.tqdm(total=2, file=None) as bar:\n    bar.update(1); bar.update(n=1); bar.refresh(); bar.reset(total=5)\n"
                "    assert bar.n <= bar.total\ntqdm.tqdm.write(f'{output.loss:.2f}')",
            ),
            looped(
                "trange over the steps",
                "from tqdm import trange, tqdm",
                "for step, batch in zip(trange(len(dataloader), desc='steps'), dataloader):",
                "for batch in tqdm(list(dataloader)[::-1][::-1]):",
                "tqdm.pandas(desc='rows'); tqdm.get_lock(); assert list(tqdm(range(3), miniters=1)) == [0, 1, 2]",
            ),
            looped(
                "a bar of one's own",
                "from tqdm import tqdm\nclass Bar(tqdm):\n    def __init__(self, *args, **kwargs):\n"
                "        super().__init__(*args, **kwargs)\n        self.losses = []\n"
                "    def note(self, loss):\n        self.losses.append(loss)\n        self.set_postfix(loss=sum(self.losses) / len(self.losses))",
                "for batch in bar:",
                "for batch in Bar(dataloader):",
                "bar.note(output.loss.item())",
                "bar = Bar(dataloader, total=len(dataloader))\nassert isinstance(bar, tqdm) and len(bar) == len(dataloader)",
            ),
            looped(
                "functools.partial and a generator",
                "from functools import partial\nfrom tqdm.std import tqdm as standard\nbar = partial(standard, leave=False, ncols=70)",
                "for batch in bar(batch for batch in dataloader):",
                "for batch in bar(dataloader, desc='evaluate'):",
            ),
            looped(
                "tqdm.contrib and logging",
                "from tqdm.contrib import tenumerate, tzip\nfrom tqdm.contrib.logging import logging_redirect_tqdm\nimport logging",
                "for step, batch in tenumerate(dataloader, start=1):",
                "for batch, _ in tzip(dataloader, range(10**6)):",
                "with logging_redirect_tqdm():\n    logging.info('step %d', step)",
            ),
            looped(
                "only where there is tqdm",
                "try:\n    from tqdm.auto import tqdm\nexcept ImportError:\n    def tqdm(iterable, **_):\n        return iterable",
                "for batch in (bar := tqdm(dataloader)):",
                "for batch in tqdm(dataloader, mininterval=1):",
                "bar.set_postfix(loss=output.loss.item(), lr=optimizer.param_groups[0]['lr'])",
            ),
            looped(
                "rich's track",
                "from rich.progress import track, Progress, BarColumn, TextColumn, TimeRemainingColumn",
                "for batch in track(dataloader, description='train'):",
                "for batch in track(sequence=dataloader, total=len(dataloader)):",
                "with Progress(TextColumn('{task.description}'), BarColumn(), TimeRemainingColumn(), transient=True) as progress:\n"
                "    task = progress.add_task('x', total=10); progress.update(task, advance=1)\n"
                "    for one in progress.track(range(2), task_id=task):\n        progress.advance(task)\n"
                "    assert one == 1 and (progress.finished or not progress.finished)",
            ),
            looped(
                "fastprogress",
                "from fastprogress.fastprogress import master_bar, progress_bar",
                "for batch in progress_bar(dataloader, parent=bar):",
                "for batch in progress_bar(dataloader, leave=False):",
                "bar.child.comment = f'{output.loss:.2f}'; bar.update_graph([[[0, 1], [0, 1]]])",
                "bar = master_bar(range(1))",
            ),
            looped(
                "alive_progress",
                "from alive_progress import alive_bar, alive_it",
                "for batch in alive_it(dataloader, title='train'):",
                "for batch in alive_it(dataloader):",
                "with alive_bar(3) as bar:\n    for _ in range(3):\n        bar()\n    bar.text = 'done'",
            ),
            looped(
                "progressbar2 and halo",
                "import progressbar\nfrom halo import Halo",
                "for batch in progressbar.progressbar(dataloader, prefix='train'):",
                "for batch in progressbar.ProgressBar(max_value=len(dataloader))(dataloader):",
                "with Halo(text='step', spinner='dots') as spinner:\n    spinner.succeed()",
            ),
            looped(
                "epochs in a bar, whose loss is shown",
                "from tqdm import tqdm",
                "for i, batch in (bar := tqdm(enumerate(dataloader), total=len(dataloader), bar_format='{l_bar}{bar}')) :",
                "for batch in tqdm(dataloader, desc='Evaluating', colour='green'):",
                "running = 0.0 if i == 0 else running\nrunning += output.loss.item()\nif i % 10 == 0 or i + 1 == bar.total:\n"
                "    bar.set_description(f'Epoch {epoch} loss {running / (i + 1):.3f}')\n    bar.update(0)",
            ),
        ),
    ),
]
