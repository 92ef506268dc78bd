"""A check in a notebook changes no file, whatever path the observed code saves to (members of a kind: world/saving.py)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.project import DATA, ROOT
from support.world.saving import variant

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def s3() -> str:
    return (DATA / "right_s3.py").read_text()


# --- in a notebook -------------------------------------------------------------------------------------------------

FAKE_HUB = """
import sys, types, transformers
sys.modules["datasets"] = types.ModuleType("datasets")
sys.modules["datasets"].load_dataset = lambda *a: 1 / 0
from tokenizers import Tokenizer, models
real = transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()))
transformers.AutoTokenizer.from_pretrained = classmethod(lambda cls, name: real)
"""
NOTEBOOK = """
import builtins, contextlib, hashlib, io, json, os, pathlib, shutil, subprocess, sys
import safetensors.torch, tokenizers, torch, transformers
sys.path.insert(0, {student!r})
from a2checks import check
from shutil import rmtree

def tree(folder):
    found = dict()
    for path in sorted(pathlib.Path(folder).rglob("*")):
        status = path.lstat()
        data = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = data, status.st_mode, status.st_mtime_ns
    return found

def state():
    owners = (os, io, builtins, os.path, pathlib, shutil, subprocess, torch, torch.serialization, torch.jit, safetensors,
              safetensors.torch, torch._C.PyTorchFileWriter, torch._C.PyTorchFileReader, tokenizers.Tokenizer,
              torch.UntypedStorage, pathlib.Path, subprocess.Popen, sys.modules["__main__"])
    held = [(n, k, v) for n, o in enumerate(owners) for k, v in list(vars(o).items()) if callable(v) or k.startswith("_use")]
    return {{(n, k): v for n, k, v in held}}, os.getcwd(), [set(s) for s in (os.supports_fd, os.supports_dir_fd)]

check("3.dataset.len")  # imports what the checks need
scripts, contents = json.load(open({scripts!r})), {{}}
exec(next(iter(scripts.values()))[0], globals())
files = tree(HERE)
check("3.main")  # libraries replace some of their own functions when they are first used
for name, (source, ids) in scripts.items():
    exec(source, globals())
    before, said = state(), io.StringIO()
    with contextlib.redirect_stdout(said):
        for id in ids:
            check(id)
    after = state()
    new = [key for key in after[0] if key not in before[0] or after[0][key] is not before[0][key]]
    wrapped = [(m, k) for m, module in list(sys.modules.items()) for k, v in list(getattr(module, "__dict__", {{}}).items())
               if getattr(v, "__module__", "") == "a2checks.redirect" and not m.startswith("a2checks")]
    same = before[1:] == after[1:], before[0].keys() == after[0].keys()
    contents[name] = [said.getvalue(), files == tree(HERE), new + wrapped, *same]
print(json.dumps(contents, default=str))
"""
DESTROYERS = {
    "torch.save, relative": 'torch.save(model.state_dict(), "checkpoint/best.pt")',
    "torch.save, absolute": 'torch.save(model.state_dict(), HERE + "/checkpoint/best.pt")',
    "save_pretrained": "model.save_pretrained(CHECKPOINT)\ntokenizer.save_pretrained(CHECKPOINT)",
    "safetensors": "from safetensors.torch import save_file\n"
    'save_file({k: v.clone() for k, v in model.state_dict().items()}, CHECKPOINT + "/model.safetensors")',
    "rmtree, by name": "rmtree(CHECKPOINT)\nassert not os.path.exists(CHECKPOINT)\nmodel.save_pretrained(CHECKPOINT)",
    "all files one by one": "for name in os.listdir(CHECKPOINT):\n    os.remove(os.path.join(CHECKPOINT, name))\n"
    "os.rmdir(CHECKPOINT)\nmodel.save_pretrained(CHECKPOINT)",
    "moves the old one away": 'if os.path.exists(CHECKPOINT + "/best.pt"):\n'
    '    os.rename(CHECKPOINT + "/best.pt", CHECKPOINT + "/old.pt")\n'
    '    assert os.path.exists(CHECKPOINT + "/old.pt")\ntorch.save(model.state_dict(), CHECKPOINT + "/best.pt")',
    "moves the folder": 'if not os.path.exists(HERE + "/old"):\n    shutil.move(CHECKPOINT, HERE + "/old")\n'
    "model.save_pretrained(CHECKPOINT)",
    "appends and edits": 'open(HERE + "/log.txt", "a").write("more")\nassert open(HERE + "/log.txt").read()[-4:] == "more"\n'
    'open(HERE + "/log.txt", "r+").write("edited")\nos.truncate(HERE + "/log.txt", 1)\n'
    'torch.save(model.state_dict(), HERE + "/x.pt")',
    "pathlib": "from pathlib import Path\nfor path in Path(HERE).rglob('*'):\n    if path.is_file():\n        path.unlink()\n"
    "Path(CHECKPOINT, 'best.pt').write_bytes(b'')\ntorch.save(model.state_dict(), Path(CHECKPOINT) / 'best.pt')",
    "programs": 'os.system(f"rm -r {CHECKPOINT}")\nsubprocess.run(f"rm -r {HERE}/*", shell=True, check=True)\n'
    'assert subprocess.check_output(["echo", "x"]) == b""\ntorch.save(model.state_dict(), HERE + "/x.pt")',
    "modes": 'os.chmod(CHECKPOINT, 0)\nos.utime(CHECKPOINT, (0, 0))\nPath(HERE, "log.txt").touch()\n'
    'torch.save(model.state_dict(), HERE + "/x.pt")',
    "through a link": 'os.symlink(CHECKPOINT, HERE + "/link") if False else None\n'
    'torch.save(model.state_dict(), HERE + "/linked/best.pt")',
    "from the parent": 'torch.save(model.state_dict(), "../" + os.path.basename(HERE) + "/checkpoint/best.pt")',
    "numpy and JSON": "import json, numpy as np\nnp.save(CHECKPOINT + '/best', np.zeros(3))\n"
    "json.dump({}, open(CHECKPOINT + '/config.json', 'w'))\n"
    "torch.save(model.state_dict(), HERE + '/x.pt')",
}
RAISES = "torch.save(model.state_dict(), CHECKPOINT + '/best.pt')\nrmtree(CHECKPOINT)\nos.chdir('/')\nraise KeyError('mine')"


def mine(folder: Path) -> Path:
    """Fill a folder with models and other files, as a student has them."""
    (folder / "checkpoint").mkdir(parents=True)
    for name in ("best.pt", "config.json", "model.safetensors", "best.npy"):
        (folder / "checkpoint" / name).write_bytes(f"my trained {name}".encode())
    (folder / "log.txt").write_text("kept")
    (folder / "linked").symlink_to(folder / "checkpoint")
    return folder


def on_arrays(source: str) -> str:
    """Right in a notebook, too, where checks pass arrays."""
    return source.replace("(predictions == labels)", "(torch.as_tensor(predictions) == torch.as_tensor(labels))")


@pytest.fixture(scope="module")
def checked(s3, tmp_path_factory) -> dict[str, list]:
    """For each member: what the check cell printed, and whether files, libraries and the working folder are as before."""
    folder = tmp_path_factory.mktemp("notebook")
    work = mine(folder / "work")
    top = "\n".join(
        ["import shutil, subprocess", "from pathlib import Path", f"HERE = {str(work)!r}", "CHECKPOINT = HERE + '/checkpoint'"]
    )
    scripts = {
        name: (variant(on_arrays(s3), top, save).split("if __name__")[0], ids)
        for name, save, ids in [
            *((name, save, ["3.main"]) for name, save in DESTROYERS.items()),
            ("raises", RAISES, ["3.main", "3.evaluate"]),
        ]
    }
    (folder / "scripts.json").write_text(json.dumps(scripts))
    code = FAKE_HUB + NOTEBOOK.format(student=str(ROOT / "student"), scripts=str(folder / "scripts.json"))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=work)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().rpartition("\n")[2])


@pytest.mark.parametrize("name", DESTROYERS)
def test_a_check_changes_no_file_and_leaves_every_library_as_it_was(checked, name):
    said, *unchanged = checked[name]
    assert unchanged == [True, [], True, True]
    assert "✅ 3.main" in said, said


def test_also_when_the_students_code_raises(checked):
    said, *unchanged = checked["raises"]
    assert unchanged == [True, [], True, True]
    assert "❌ 3.main" in said and "KeyError" in said and "✅ 3.evaluate" in said


def test_python_m_a2checks_changes_no_file_either(s3, tmp_path):
    work = mine(tmp_path / "work")
    top = f"CHECKPOINT = {str(work / 'checkpoint')!r}"
    save = "model.save_pretrained(CHECKPOINT)\n" + "torch.save(model.state_dict(), CHECKPOINT + '/best.pt')"
    source = FAKE_HUB + variant(on_arrays(s3), top, save).split("if __name__")[0]
    (work / "A2S3.py").write_text(source + '\nfrom a2checks import check\ncheck("3.main")\n')
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    done = subprocess.run(
        [sys.executable, "-m", "a2checks", "A2S3.py"],
        capture_output=True,
        text=True,
        cwd=work,
        env={"PYTHONPATH": str(ROOT / "student"), "PATH": "/usr/bin"},
    )
    assert "✅ 3.main" in done.stdout, done.stdout + done.stderr
    assert {path: path.read_bytes() for path in work.rglob("*") if path.is_file()} == before
