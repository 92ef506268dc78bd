"""Stand-ins for what only displays or records survive whatever ordinary code does with them."""

import copy
import gc
import json
import math
import operator
import pickle
import weakref

import numpy as np
import pytest
import torch

from autograder.sandbox.worker_side.bars import Bar, Tqdm
from autograder.sandbox.worker_side.inert import NAMED, Inert
from autograder.sandbox.worker_side.settings import Config, Number, Text, Whole, unknown

ONE = Inert()
UNPACKED = [
    "a, b = x",
    "a, = x",
    "[a] = x",
    "a, b, c, d, e, f, g = x",
    "a, (b, c) = x",
    "a, ((b, c), (d, e)) = x",
    "a, *b = x",
    "*a, b = x",
    "a, (*b, c), d = x",
    "a, *b, c, (d, e, f) = x",
    "(a, b), (c, d) = x, x",
    "for a, b in [x]: pass",
    "a = [p for p, q in [x, x]]",
    "with x as (a, b): pass",
    "(lambda *p: None)(*x)",
]


@pytest.mark.parametrize("code", UNPACKED)
def test_it_unpacks_to_as_many_targets_as_there_are(code):
    names = {"x": ONE}
    exec(code, names)
    assert type(names.get("a", ONE)) in (Inert, list)


def test_many_targets_are_fine_too():
    names = {"x": ONE}
    exec(", ".join(f"a{n}" for n in range(200)) + " = x\n*c, d, e = x", names)
    assert type(names["a199"]) is type(names["e"]) is Inert and names["c"] == []


def test_a_loop_over_it_ends_at_once():
    assert [*ONE] == list(ONE) == list(zip(ONE, [1])) == list(enumerate(ONE)) == []
    assert 1 not in ONE and dict(**ONE.config) == {} and type(next(ONE)) is Inert


COMPUTED = [
    "x.get_ylim()[1] * 1.1",
    "x.get_lines() + x.get_lines()",
    "[1] + x",
    "x[0, 1].flat[-1:] / 3 // 2 % 2 ** x",
    "-x - +x + abs(~x)",
    "round(x, 2) + math.floor(x)",
    "x @ x | x & x ^ x",
    "x << 2 >> 1",
    "2 ** x",
    "x('a', k=1)(2).c",
    "np.ones(2) * x",
    "x - np.float32(2)",
    "np.ravel(x)[0].plot(1)",
    "x[len(x) % len(x.colors)]",
    "copy.deepcopy(x)",
    "pickle.loads(pickle.dumps(x))",
    "x.by_key()['color'][0]",
]


@pytest.mark.parametrize("code", COMPUTED)
def test_whatever_is_computed_with_it_is_one_again(code):
    result = eval(code, {"x": ONE, "np": np, "math": math, "copy": copy, "pickle": pickle})
    assert isinstance(result, (Inert, np.ndarray))


@pytest.mark.parametrize("spec", ["", ".1f", "d", ">8", "%H:%M", ".2%", "05.2f", ",", "s", "x", "10.3e", "<12s", "nonsense"])
def test_it_has_a_text_in_any_format(spec):
    for value in (ONE, Number(1e-3), Whole(8), Text("."), ONE.format_dict["elapsed"]):
        assert isinstance(format(value, spec), str)
    assert str(ONE) and "%d %s %.2f %5r".__mod__((ONE, ONE, ONE, ONE))


def test_it_compares_with_anything_and_raises_nothing():
    for other in (0, 1.5, "x", None, [1], ONE, np.float32(3), torch.ones(1)):
        found = {compare(ONE, other) for compare in (operator.lt, operator.le, operator.gt, operator.ge, operator.eq)}
        assert found <= {True, False}
    assert max([3, ONE, 1]) == 3 and max(ONE, 2) == 2 and {ONE: 1}[ONE]


def test_with_a_tensor_it_leaves_a_tensor_that_can_be_trained():
    loss = torch.ones(2, requires_grad=True).sum()
    for weighted in (ONE * loss, loss * ONE, loss + ONE, ONE - loss, Number(1e-3) * loss, loss / Number(1e-3)):
        assert weighted.requires_grad


@pytest.mark.slow
def test_an_unknown_number_of_a_configuration_is_a_learning_rate():
    weight = torch.ones(1, requires_grad=True)
    for kind in (torch.optim.AdamW, torch.optim.SGD, torch.optim.Adam):
        optimizer = kind([weight], lr=unknown("lr"))
        before = weight.item()
        optimizer.zero_grad()
        weight.sum().backward()
        optimizer.step()
        assert weight.item() < before
    assert type(Config().optimizer.lr) is Number and np.array(Number(1e-3)).dtype == float


def test_a_configuration_keeps_plain_values_and_nothing_else():
    config = Config()
    config.update({"lr": 5e-5, "epochs": 3, "data": np.ones(5), "optimizer": {"betas": [0.9, 0.99]}}, batch=16)
    config.seed, config["dropout"] = 7, 0.1
    assert dict(config) == {
        "lr": 5e-5,
        "epochs": 3,
        "optimizer": {"betas": [0.9, 0.99]},
        "batch": 16,
        "seed": 7,
        "dropout": 0.1,
    }
    assert (config.lr, config["epochs"], config.get("none", 4), "seed" in config, len(config)) == (5e-5, 3, 4, True, 6)
    other = Config()
    other.update(config)
    assert dict(other.items()) == dict(config) and sorted(other.keys()) == sorted(config.as_dict())


def test_an_unknown_entry_of_a_configuration_is_a_number_of_the_kind_that_its_name_says():
    config = Config()
    for name in ("batch_size", "num_epochs", "max_length", "seed", "optimizer.batch_size", "warmup_steps"):
        value = config
        for part in name.split("."):
            value = getattr(value, part)
        assert isinstance(value, int) and list(range(value)) == list(range(int(value))) and value + 1 == int(value) + 1, name
    loader = torch.utils.data.DataLoader([1, 2, 3], batch_size=config.batch_size, num_workers=int(config.none) * 0)
    assert len(list(loader)) == 1 and isinstance(config.learning_rate, float) and isinstance(config["dropout"], float)


def test_a_secret_a_name_and_a_report_are_texts(tmp_path, monkeypatch):
    secret = NAMED["userdata"].get("KEY")
    monkeypatch.setenv("KEY", secret)
    (tmp_path / "report.txt").write_text(ONE.tabulate([[1]], headers=["x"]))
    assert isinstance(ONE.run.dir + "/best.pt", str) and "runs/" + ONE.name == "runs/." and secret + ONE.id == ".."
    assert "x" + ONE == "x." and ONE + "x" == ".x" and json.dumps({"run": ONE.name}) == '{"run": "."}'
    assert issubclass(NAMED["userdata"].SecretNotFoundError, Exception) and isinstance(
        NAMED["dotenv_values"](".env")["KEY"], str
    )


def test_a_decorator_returns_what_it_decorates():
    def f():
        return 7

    @ONE
    @ONE.catch
    @ONE.jaxtyped(typechecker=ONE)
    @ONE.interact(x=(0, 1))
    class Decorated:
        pass

    assert ONE(f) is ONE.beartype(f) is ONE.catch(reraise=True)(f) is ONE.jaxtyped(f, typechecker=ONE) is f
    assert isinstance(Decorated, type)


def test_it_can_be_a_base_class_a_type_an_exception_a_path_and_a_context(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    class Logger(ONE.SummaryWriter):
        def __init__(self):
            super().__init__("runs")
            self.step = 3

    assert Logger().step == 3 and isinstance(Logger().add_scalar("x", 1), Inert)
    assert isinstance(3, ONE.Float[torch.Tensor, "b n"])

    def caught():
        try:
            return {}["x"]
        except ONE.errors.CommError:
            return None

    with ONE.start_run() as run, pytest.raises(KeyError):
        caught()
    open(ONE.dir.__fspath__() + "/model.pt", "w").close()
    assert (tmp_path / "model.pt").exists() and range(run) == range(1)


def test_it_ignores_what_is_set_and_keeps_nothing_that_it_is_given():
    class Big:
        pass

    given = Big()
    gone = weakref.ref(given)
    stub = ONE.figure
    stub.x, stub["k"], stub.held = given, given, [given]
    stub(given, key=given).plot(given)[given]
    del stub.x, stub["k"], given
    gc.collect()
    assert gone() is None and isinstance(stub.x, Inert)


@pytest.mark.parametrize(
    "made",
    [
        Tqdm,
        lambda xs: Tqdm(iterable=xs, desc="d", total=3),
        lambda xs: Tqdm(iter(xs), leave=False),
        lambda xs: Tqdm(x for x in xs),
        lambda xs: NAMED["track"](sequence=xs, description="d"),
        lambda xs: ONE.Progress().track(xs),
        lambda xs: NAMED["progress_bar"](xs, parent=NAMED["master_bar"](range(2))),
        lambda xs: NAMED["alive_it"](it=xs),
        NAMED["ProgressBar"](),
        lambda xs: NAMED["tmap"](str, xs),
        lambda xs: (x for _, x in NAMED["tenumerate"](xs)),
        lambda xs: (x for x, _ in NAMED["tzip"](xs, xs)),
        lambda xs: (x for (x,) in NAMED["tproduct"](xs)),
        lambda xs: NAMED["thread_map"](str, xs, max_workers=2),
        lambda xs: (xs[n] for n in NAMED["trange"](0, 3, 1, desc="d")),
    ],
)
def test_a_progress_bar_loops_over_what_it_is_given(made):
    assert list(made(["a", "b", "c"])) == ["a", "b", "c"]


def test_a_progress_bar_counts_and_is_a_class():
    class Own(Tqdm):
        pass

    with Own(total=5) as bar:
        bar.update(2)
        bar.update()
        bar.set_postfix(loss=f"{bar.format_dict['elapsed']:.1f}")
        assert (bar.n, bar.total, len(bar)) == (3, 5, 5) and isinstance(bar, Tqdm) and not isinstance([], Tqdm)
    bar = Tqdm(iterable := [1, 2])
    assert (list(bar), bar.n, bar.total, bar.iterable is iterable) == ([1, 2], 2, 2, True)
    assert isinstance(Tqdm.write("x"), Inert) and list(Bar(7)) == []
