"""A crafted class folder or folder of results: one line, or the rest is graded; nothing outside is touched."""

import os
import socket
import sqlite3

import pytest

from autograder.core.errors import GraderError
from support.toy_class import RIGHT


def test_a_class_of_pipes_devices_sockets_links_and_deep_trees_grades_the_rest(course, monkeypatch):
    good = course.hand_in("good", RIGHT)
    folder = course.root / "class"
    os.mkfifo(folder / "pipe.py")
    os.mkfifo(good / "pipe.py")
    (folder / "loop").symlink_to("loop")
    (folder / "zeros.py").symlink_to("/dev/zero")
    (good / "zeros.py").symlink_to("/dev/zero")
    (good / "up").symlink_to("..")
    monkeypatch.chdir(folder)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.zip")
    deep = folder / "deep"
    deep.joinpath(*["d"] * 500).mkdir(parents=True)
    many = course.hand_in("many", RIGHT)
    for number in range(2500):
        (many / f"z{number}.py").touch()
    summary = course.run()
    assert {row["Name"]: row["Total Score"] for row in course.rows()} == {
        **dict.fromkeys(["pipe", "loop", "zeros", "socket", "deep"], ""),
        "good": "7",
        "many": "7",
    }
    assert all("\n" not in problem and "internal error" not in problem for _, problem in summary.problems)


def test_results_behind_a_link_are_not_ours(course):
    course.hand_in("a", RIGHT)
    course.run()
    elsewhere = course.root / "elsewhere"
    (course.root / "out" / "results").rename(elsewhere)
    (elsewhere / "mine.json").write_text("precious")
    (course.root / "out" / "results").symlink_to(elsewhere)
    with pytest.raises(GraderError, match=r"^graded and saved, but [^\n]* is a link; remove it"):
        course.run()
    assert (elsewhere / "mine.json").read_text() == "precious"


def test_links_and_pipes_among_results_are_replaced_and_what_they_name_stays(course):
    course.hand_in("a", RIGHT)
    course.hand_in("b", RIGHT)
    course.run()
    wanted, results = course.bytes(), course.root / "out" / "results"
    (course.root / "precious").write_text("precious")
    for name in "ab":
        (results / f"{name}.json").unlink()
    (results / "a.json").symlink_to(course.root / "precious")
    os.mkfifo(results / "b.json")
    course.run()
    assert course.bytes() == wanted and (course.root / "precious").read_text() == "precious"


@pytest.mark.parametrize("name", ["gradebook.csv", "index.html"])
def test_an_output_that_is_a_link_is_one_line(course, name):
    course.hand_in("a", RIGHT)
    course.run()
    (course.root / "precious").write_text("precious")
    (course.root / "out" / name).unlink()
    (course.root / "out" / name).symlink_to(course.root / "precious")
    with pytest.raises(GraderError, match=r"^graded and saved, but cannot write [^\n]*$"):
        course.run()
    assert (course.root / "precious").read_text() == "precious"


@pytest.mark.parametrize("kind", ["text", "link", "pipe", "folder", "other tables"])
def test_a_store_that_is_none_is_one_line(course, kind):
    course.hand_in("a", RIGHT)
    course.run()
    for path in (course.root / "out").glob("store.sqlite*"):
        path.unlink()
    store = course.root / "out" / "store.sqlite"
    if kind == "text":
        store.write_text("x" * 5000)
    elif kind == "link":
        store.symlink_to(course.root / "other.sqlite")
    elif kind == "pipe":
        os.mkfifo(store)
    elif kind == "folder":
        store.mkdir()
    else:
        with sqlite3.connect(store) as database:
            database.execute("CREATE TABLE found (x)")
    with pytest.raises(GraderError, match=r"^[^\n]+$"):
        course.run()
    assert not (course.root / "other.sqlite").exists()


@pytest.mark.parametrize("text", ["", "{", '{"items": [], "notes": []}', '{"items": 3}', "[" * 10_000, '{"refused": [1]}'])
def test_a_damaged_entry_of_the_store_is_graded_again(course, text):
    course.hand_in("a", RIGHT)
    course.run()
    wanted = course.bytes()
    with sqlite3.connect(course.root / "out" / "store.sqlite") as database:
        database.execute("UPDATE found SET verdicts = ?", (text,))
    assert course.run().ran == 1 and course.bytes() == wanted


def test_a_damaged_record_of_the_last_run_is_one_line(course):
    course.hand_in("a", RIGHT)
    course.run()
    with sqlite3.connect(course.root / "out" / "store.sqlite") as database:
        database.execute("UPDATE last SET scores = '[1, {}]'")
    with pytest.raises(GraderError, match=r"^[^\n]*a record is damaged[^\n]*$"):
        course.run()
