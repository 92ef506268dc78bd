"""Section 3 is graded by what its code does, on tiny real objects, in a cage with a scratch folder."""

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from autograder.core.assignment import Limits
from autograder.core.loading import load_assignment
from autograder.sandbox.judge_side.doctor import examine
from autograder.sandbox.judge_side.worker import Worker, WorkerError
from autograder.sandbox.judge_side.zygote_client import ZygoteClient
from autograder.sandbox.worker_side import scratch
from support.project import DATA, ROOT

ITEMS = {
    "3.dataset.len",
    "3.dataset.getitem",
    "3.dataset.iter",
    "3.collate",
    "3.compute_accuracy",
    "3.train_one_epoch",
    "3.evaluate",
    "3.main",
}


@pytest.fixture(scope="session")
def s3() -> str:
    return (DATA / "right_s3.py").read_text()


def lost(graded) -> set[str]:
    return {id for id in graded.lost if id.startswith("3.")}


def folders(grader) -> set[str]:
    """The scratch folders that this grader's zygotes have made and not yet removed."""
    pids = [process.pid for process in psutil.Process(grader.zygote.process.pid).children()]
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith(tuple(f"worker-{pid}-" for pid in pids))}


def swap(source: str, *pairs: tuple[str, str]) -> str:
    for old, new in pairs:
        assert old in source, old
        source = source.replace(old, new)
    return source


def test_a_right_section_3_earns_every_point(submit, s3):
    graded = submit({"A2S3.py": s3})
    assert lost(graded) == set(), [graded.output(id) for id in lost(graded)]
    assert graded.tree["score"] == 20


@pytest.mark.slow
def test_an_empty_section_3_earns_none(submit):
    assert submit({"A2S3.py": "class SST2Dataset:\n    pass\ndef main():\n    pass\n"}).earned == set()


@pytest.mark.slow
def test_submissions_without_section_3_never_import_transformers(references, s1, s2, tmp_path):
    from autograder.core.references import read_references
    from autograder.judging.grade import grade
    from autograder.judging.grader import Grader

    assignment = load_assignment(ROOT / "assignment")
    (tmp_path / "A2S1.py").write_text(s1)
    (tmp_path / "A2S2.py").write_text(s2 + "\ndef main():\n    pass\n")
    with ZygoteClient(assignment.preload) as zygote:
        grade(Grader(assignment, read_references(references), zygote), tmp_path, lambda *_: None)
        assert zygote.branches == {}
        maps = Path(f"/proc/{zygote.process.pid}/maps")
        assert not maps.exists() or "tokenizers" not in maps.read_text()


@pytest.mark.many(of=3)
@pytest.mark.parametrize(
    "training",
    [
        "main()",
        "history = main()",
        "if True:\n    main()",
        "for epoch in range(3):\n    train_one_epoch(None, None, None, epoch)",
        """tokenizer.model = AutoModelForSequenceClassification.from_pretrained('x')
tokenizer.model(torch.zeros(1, 3).long()).logits.sum().backward()""",
    ],
)
def test_training_at_module_level_never_runs(submit, s3, training):
    reveal = "import builtins\nstate = []\n"
    source = reveal + swap(s3, ("def main():\n", "def main():\n    state.append(1)\n"))
    source += "\n" + training + "\nif state: raise SystemExit(3)\n"
    assert lost(submit({"A2S3.py": source})) == set()


@pytest.mark.many(of=12)
@pytest.mark.parametrize(
    "old, new, item, says",
    [
        ("        optimizer.zero_grad()\n", "", "3.train_one_epoch", "accumulate"),
        ("    model.train()\n", "", "3.train_one_epoch", "training mode"),
        ("    model.eval()\n", "", "3.evaluate", "training mode"),
        ("torch.no_grad()", "torch.enable_grad()", "3.evaluate", "no_grad"),
        ("torch.LongTensor", "torch.FloatTensor", "3.collate", "float32"),
        ("padding=True", "padding='max_length'", "3.collate", "512"),
        ("shuffle=True", "shuffle=False", "3.main", "shuffle"),
        ("if accuracy > best:", "if True:", "3.main", "best validation accuracy"),
        (
            "        for example in self.data:\n            yield example",
            "        self.it = getattr(self, 'it', iter(self.data))\n        return self.it",
            "3.dataset.iter",
            "dry",
        ),
    ],
)
def test_a_mistake_costs_its_own_item_and_says_so(submit, s3, old, new, item, says):
    graded = submit({"A2S3.py": swap(s3, (old, new))})
    assert lost(graded) == {item}, graded.output(item)
    assert says in graded.output(item)


@pytest.mark.slow
def test_a_broken_compute_accuracy_costs_no_other_item(submit, s3):
    graded = submit({"A2S3.py": swap(s3, ("return (predictions == labels).float().mean().item()", "raise ValueError('no')"))})
    assert lost(graded) == {"3.compute_accuracy"}
    assert "right once `compute_accuracy`" in graded.output("3.evaluate")


def test_doing_more_than_required_keeps_its_points_with_a_note(submit, s3):
    source = swap(
        s3, ("torch.cat(labels))\n", "torch.cat(labels)), 0.3\n"), ("accuracy = evaluate(", "accuracy, _ = evaluate(")
    )
    graded = submit({"A2S3.py": source})
    assert lost(graded) == set() and "the first was taken" in graded.output("3.evaluate")


def test_a_custom_module_around_the_encoder_is_graded_too(submit, s3):
    own = """
class Classifier(torch.nn.Module):
    def __init__(self, name="roberta-base"):
        super().__init__()
        from transformers import AutoModel
        self.encoder = AutoModel.from_pretrained(name)
        self.head = torch.nn.Linear(self.encoder.config.hidden_size, 2)

    def forward(self, input_ids, attention_mask):
        return self.head(self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state[:, 0])


criterion = torch.nn.CrossEntropyLoss()
"""
    source = swap(
        s3,
        ("def initialize_datasets", own + "\n\ndef initialize_datasets"),
        (
            'output = model(**batch["text_encoding"].to(DEVICE), labels=batch["label_encoding"].to(DEVICE))',
            """encoding = batch["text_encoding"]
        loss = criterion(model(encoding["input_ids"], encoding["attention_mask"]), batch["label_encoding"])""",
        ),
        ("output.loss.backward()", "loss.backward()"),
        (
            'model(**batch["text_encoding"].to(DEVICE)).logits.argmax(-1).cpu()',
            'model(batch["text_encoding"]["input_ids"], batch["text_encoding"]["attention_mask"]).argmax(-1)',
        ),
        ('AutoModelForSequenceClassification.from_pretrained("roberta-base", num_labels=2)', "Classifier()"),
    )
    graded = submit({"A2S3.py": source})
    assert lost(graded) == set(), [graded.output(id) for id in lost(graded)]


@pytest.mark.slow
def test_a_hidden_sentence_is_never_shown(submit, s3, grader):
    source = swap(s3, ("return self.data[index]", "raise ValueError(' '.join(e.text for e in self.data))"))
    hidden = [
        row["text"]
        for tree in (grader.inputs(n) for n in range(8))
        for rows in tree["worlds"]["A2S3"]["splits"].values()
        for row in rows
    ]
    text = str(submit({"A2S3.py": source}).tree)
    assert "ValueError" in text and not [h for h in hidden if h in text]


# --- the folder ----------------------------------------------------------------------------------------------------

PROGRAM = {"statements": [], "watch": [], "report": ["f"], "prelude": "", "future": [], "modules": {}}


def program(code: str) -> dict:
    return {**PROGRAM, "statements": [{"code": code, "cell": 0, "line": 1}]}


@pytest.fixture
def writer(grader):
    with Worker(grader.zygote.branch((), True), Limits(call_seconds=900)) as made:
        yield made


def test_a_worker_with_a_folder_writes_there_and_nowhere_else(writer, tmp_path):
    writer.load(
        program(f"""
import os, tempfile
def f():
    with tempfile.NamedTemporaryFile() as file, open('a.txt', 'w') as other:
        here = os.path.dirname(file.name) == os.getcwd() == os.environ['HOME']
    os.makedirs('x/y'); os.rename('a.txt', 'x/y/b.txt')
    refused = 0
    for attempt in (lambda: open({str(tmp_path / "new")!r}, 'w'), lambda: os.mkdir('/tmp/forbidden'),
                    lambda: os.symlink('/etc', 'link'), lambda: os.rename('x/y/b.txt', {str(tmp_path / "moved")!r}),
                    lambda: os.listdir('..'), lambda: os.fork()):
        try:
            attempt()
        except OSError:
            refused += 1
    return [here, refused]
""")
    )
    assert writer.call("f", [], {}) == [True, 6]
    assert not list(tmp_path.iterdir())


def test_a_worker_leaves_nothing_in_its_folder(grader):
    before = folders(grader)
    for ending in ("return 1", "os._exit(1)", "os.kill(os.getpid(), 9)"):
        with Worker(grader.zygote.branch((), True), Limits(call_seconds=900)) as worker:
            worker.load(
                program(f"""
import os
def f():
    deep = 0
    for _ in range(900):
        os.mkdir('d'); os.chdir('d')
    open('plant', 'w').write('x')
    os.mkdir('closed', 0)
    {ending}
""")
            )
            with contextlib.suppress(WorkerError):
                worker.call("f", [], {})
            assert ending != "return 1" or len(folders(grader) - before) == 1
        assert folders(grader) == before


def test_a_flood_of_bytes_or_files_ends(grader):
    # Either the folder is full, or the worker sleeps after its flood until the watchdog finds it.
    for count, flood in ((32, "open(f'{n}', 'wb').write(bytes(4 << 20))"), (2000, "open(f'{n}', 'w').close()")):
        with Worker(grader.zygote.branch((), True), Limits(call_seconds=900)) as worker:
            worker.load(program(f"import time\ndef f():\n    for n in range({count}):\n        {flood}\n    time.sleep(3600)"))
            with pytest.raises(WorkerError) as error:
                worker.call("f", [], {})
            assert error.value.kind == "died" or error.value.message.startswith("[Errno 28]")


def test_no_file_grows_beyond_its_limit(writer):
    writer.load(program("def f():\n    open('big', 'wb').write(bytes(40 << 20))"))
    with pytest.raises(WorkerError) as error:
        writer.call("f", [], {})
    assert error.value.type_name == "OSError"


def test_a_folder_with_links_is_removed_without_following_them(tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    folder = scratch.make(-1)
    os.symlink(kept, Path(folder) / "link")
    os.mkdir(Path(folder) / "d")
    os.symlink(kept / "file", Path(folder) / "d" / "link")
    scratch.remove(folder)
    assert not os.path.exists(folder) and (kept / "file").read_text() == "x"


def test_the_doctor_probes_the_folder_too(tmp_path):
    if sys.platform != "linux":
        pytest.skip("the cage's layers are Linux's")
    with ZygoteClient(()) as zygote:
        diagnosis = examine(zygote, Limits(), tmp_path, scratch=True)
    assert diagnosis.safe and len(diagnosis.scratch) == 7
    with ZygoteClient((), without=("user", "landlock")) as zygote:
        bare = examine(zygote, Limits(), tmp_path, scratch=True)
    # Without layers to confine it, the worker gets no folder: every probe of the folder is refused.
    assert not bare.safe and {f.name for f in bare.scratch if not f.held} == set()


HOSTILE = {
    "plants files for the next": "import pathlib\npathlib.Path('/tmp/worker-plant').write_text('x')",
    "patches torch.save": "torch.save = lambda *a, **k: None",
    "patches whatever looks like the grader's probes": "import sys\n"
    "for m in [m for n, m in sys.modules.items() if hasattr(m, 'observe') or 'autograder' in n]: "
    "vars(m).clear()",
    "leaves threads": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,)).start()",
    "ends the process": "import os\nos._exit(0)",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_statement_gains_nothing_and_leaves_nothing(submit, s3, grader, what):
    before = folders(grader)
    indented = HOSTILE[what].replace("\n", "\n    ")
    statement = f"try:\n    {indented}\n    tokenizer.x = 1\nexcept OSError:\n    pass\n\n\n"
    source = swap(s3, ("def compute_accuracy", statement + "def compute_accuracy"))
    source = source.replace("if accuracy > best:", "if False:")
    graded = submit({"A2S3.py": source})
    assert "3.main" in lost(graded)
    assert folders(grader) == before
    assert not Path("/tmp/worker-plant").exists()
    branches = psutil.Process(grader.zygote.process.pid).children()
    assert not [p for b in branches for p in b.children(recursive=True) if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_a_right_section_3_is_graded_after_one_that_filled_its_folder(submit, s3):
    flood = swap(
        s3,
        (
            "    datasets = initialize_datasets(tokenizer)\n",
            "    for n in range(10**6):\n        open(f'{n}', 'w').write('x' * 9999)\n",
        ),
    )
    assert lost(submit({"A2S3.py": flood})) == {"3.main"}
    assert lost(submit({"A2S3.py": s3})) == set()


LOCAL = """
import sys
sys.path.insert(0, "student")
from a2checks import check
{before}
exec(open({path!r}).read().split("if __name__")[0])
for id in {items!r}:
    check(id)
print(tokenizer is real, "train_one_epoch" in globals(), DataLoader.__init__.__module__)
"""


def local(path: Path, before: str, items: list[str]) -> str:
    code = LOCAL.format(path=str(path), items=items, before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


FAKE_HUB = """
import sys, types, transformers
sys.modules["datasets"] = types.ModuleType("datasets")
sys.modules["datasets"].load_dataset = lambda *a: 1 / 0
from tokenizers import Tokenizer, models
real = transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
transformers.AutoTokenizer.from_pretrained = classmethod(lambda cls, name: real)
"""


@pytest.mark.slow
def test_check_cells_run_the_same_probes_in_a_notebook_and_change_nothing(s3, tmp_path):
    right = swap(s3, ("(predictions == labels)", "(torch.as_tensor(predictions) == torch.as_tensor(labels))"))
    (tmp_path / "right.py").write_text(right)
    text = local(tmp_path / "right.py", FAKE_HUB, sorted(ITEMS))
    assert text.count("✅") == len(ITEMS), text
    assert text.strip().endswith("True True torch.utils.data.dataloader")
    (tmp_path / "wrong.py").write_text(swap(s3, ("        optimizer.zero_grad()\n", "")))
    text = local(tmp_path / "wrong.py", FAKE_HUB, ["3.train_one_epoch", "3.evaluate"])
    assert (
        "❌ 3.train_one_epoch" in text
        and "likely: gradients of earlier batches are still there" in text
        and "✅ 3.evaluate" in text
    )


@pytest.mark.slow
def test_check_cells_report_in_one_line_that_transformers_is_missing(tmp_path):
    code = (
        "import sys\nsys.path.insert(0, 'student')\nsys.modules['transformers'] = None\nfrom a2checks import check\n"
        "def compute_accuracy(p, l): return 0.5\ncheck('3.compute_accuracy')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "needs the package transformers" in done.stdout and "Traceback" not in done.stderr


OFF = ["torch.set_grad_enabled(False)", "torch.no_grad().__enter__()", "torch.autograd.set_grad_enabled(False)"]
FROZEN = ["model.requires_grad_(False)", "for parameter in model.parameters():\n        parameter.requires_grad = False"]


@pytest.mark.parametrize("off", [*OFF, *FROZEN])
def test_what_evaluate_leaves_switched_off_costs_evaluate_its_point_for_gradients(submit, s3, off):
    graded = submit({"A2S3.py": swap(s3, ("    with torch.no_grad():\n", f"    {off}\n    if True:\n"))})
    assert {id: graded.scores[id] for id in graded.lost if id.startswith("3")} == {"3.evaluate": 3}
    assert "the training of the next epoch fails" in graded.output("3.evaluate")


@pytest.mark.parametrize("where", ["train_one_epoch", "main"])
def test_what_training_switches_on_again_costs_nothing(submit, s3, where):
    again = f"def {where}"
    start = s3.index(":\n", s3.index(again)) + 2
    on = s3[:start] + "    torch.set_grad_enabled(True)\n" + s3[start:]
    graded = submit({"A2S3.py": swap(on, ("    with torch.no_grad():\n", f"    {OFF[0]}\n    if True:\n"))})
    assert {id for id in graded.lost if id.startswith("3")} == set()
    assert "leaves gradients switched off" in graded.output("3.evaluate")
    assert "switched off" not in submit({"A2S3.py": s3}).output("3.evaluate")
