"""The codec of values: a notebook's check sees the same value as the grader, and files preserve it."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.case import Case
from autograder.checks.compare import Failure, as_array, match
from autograder.checks.diagnose import mistakes_like, outputs_of
from autograder.checks.values import from_json, from_plain, make_encoder, make_tensor_check, on_arrays, to_json, to_plain
from autograder.core.trees import pack, unpack

floats = hnp.arrays(st.sampled_from(["f4", "f8"]), hnp.array_shapes(max_dims=3, max_side=3), elements={"allow_nan": False})
numbers = hnp.arrays(st.sampled_from(["i8", "u1", "?"]), hnp.array_shapes(min_dims=0, max_dims=3, max_side=3))
leaves = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text()
trees = st.recursive(
    leaves | floats | numbers,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text().filter(lambda k: k != "$array"), t, max_size=3),
)


def same(a, b) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return a == b and type(a) is type(b)


@given(trees)
def test_a_tree_survives_the_round_trip_through_bytes_and_through_text(tree):
    assert same(tree, unpack(pack(tree)[4:]))
    assert same(tree, from_json(json.loads(json.dumps(to_json(tree)))))


@pytest.mark.parametrize("tree", [{"$array": 1}, [{"x": {"$array": ["f4", [1], [1.0]]}}], {1, 2}, object()])
def test_nothing_that_could_be_mistaken_for_an_array_is_written(tree):
    for write in (to_json, pack):
        with pytest.raises(TypeError):
            write(tree)


@pytest.mark.parametrize(
    "value",
    [
        torch.ones(2, dtype=torch.complex64),
        np.ones(2, dtype=np.complex128),
        torch.zeros(2, device="meta"),
        torch.zeros(1).expand(10**9),
        {1, 2},
        lambda: 0,
        torch.nn.Linear(1, 1),
        object(),
        np.array(["a"]),
        10**30,
    ],
)
def test_values_that_the_grader_refuses_are_refused_in_the_notebook_too(value):
    seen_here, seen_there = to_plain(value), make_encoder()(value)
    assert same(seen_here, seen_there) and "$object" in seen_here
    with pytest.raises(Failure) as failure:
        as_array(seen_here, "the answer")
    assert "should be a tensor or an array of numbers" in failure.value.text and "a array" not in failure.value.text


@pytest.mark.parametrize(
    "value, plain",
    [
        (torch.tensor([1.0, 2.0], requires_grad=True), np.array([1, 2], "f4")),
        (torch.ones(2, dtype=torch.bfloat16), np.ones(2, "f4")),
        (torch.eye(2).to_sparse(), np.eye(2, dtype="f4")),
        (np.float32(3), np.array(3, "f4")),
        ((1, [2.5, None]), [1, [2.5, None]]),
        ({"a": torch.ones(1)}, {"a": np.ones(1, "f4")}),
        (..., {"$object": "ellipsis"}),
        (True, True),
    ],
)
def test_ordinary_values_become_plain_ones(value, plain):
    assert same(to_plain(value), plain)


def test_a_function_of_tensors_takes_and_returns_arrays():
    double = on_arrays(lambda x, k=1: (x * 2 * k, [x.dim()]))
    assert same(double(np.ones(2, "f4"), k=3), [np.full(2, 6, "f4"), [1]])
    view = from_plain({"$chunk": np.arange(6, dtype="f4").reshape(2, 3)})
    assert not view.is_contiguous() and view.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    "value, expected, says",
    [
        ([1, {"a": "x"}, None], [1, {"a": "x"}, None], None),
        (np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-7]), None),
        (True, True, None),
        (2.5, 2.0, "it: off by 0.5 (allowed 1e-06)"),
        (7, 2, "it: off by 5; it should be exact"),
        (
            [1, 9],
            np.array([1, 2]),
            "it: 1 of 2 numbers are off, first at index [1]; largest error 7, median 3.5; they should be exact",
        ),
        ({"a": 1}, {"b": 1}, "it has the wrong keys"),
        ([1], [1, 2], "it has the wrong length (1)"),
        ("x", [1], "it should be a list, but is a str"),
        ([1], {"a": 1}, "it should be a dict, but is a list or tuple of 1"),
        ([1, [2, 4]], [1, [2, 3]], "it, item 1, item 1: off by 1; it should be exact"),
        (None, [1], "got None instead of it"),
        ("x", "y", "it is not right"),
        ("2", 2, "it should be a tensor or an array of numbers, but is a str"),
    ],
)
def test_plain_data_match_item_by_item_and_no_text_shows_what_was_expected(value, expected, says):
    if says is None:
        match(value, expected, 1e-6, "it")
        return
    with pytest.raises(Failure) as refusal:
        match(value, expected, 1e-6, "it")
    assert str(refusal.value) == says


@pytest.mark.parametrize(
    "result, recognised", [(3, True), (3.0, True), ([1, 2], True), (np.arange(2), True), ("3", True), (None, False)]
)
def test_a_mistake_is_recognised_by_numbers_of_any_kind_and_by_text(result, recognised):
    outputs = outputs_of(lambda: result, [Case([], {}, None)], lambda value, case: None)
    assert mistakes_like(outputs, {"own": outputs, "other": [np.full(7, 1.0)]}) == ["own"] * recognised


@pytest.mark.parametrize("number", [10**12, 3, True, None])
def test_bytes_come_from_a_list_and_never_from_a_number(number):
    with pytest.raises(TypeError):
        from_plain({"$bytes": number}, tensors=False)
    assert from_plain({"$bytes": [1, 2]}, tensors=False) == b"\1\2"


@pytest.mark.parametrize(
    "value", [np.ones((2, 2)), [[1.0]], (1.0, 2.0), 3, 2.5, True], ids=["array", "list", "tuple", "int", "float", "bool"]
)
def test_what_is_no_tensor_where_one_is_asked_for_is_not_told_that_it_might_be_an_array(value):
    with pytest.raises(Failure, match=r"^A should be a tensor, but is a (NumPy array|Python \w+)$"):
        as_array(make_tensor_check()(value), "A")


@pytest.mark.parametrize("value", [["0.5", "0.1"], [None, None], [[1.0], ["2"]], [{"a": 1}, 2], [b"1"]])
def test_a_list_of_anything_but_numbers_is_no_array_of_numbers(value):
    with pytest.raises(Failure, match=r"^A should be a tensor or an array of numbers"):
        as_array(value, "A")
