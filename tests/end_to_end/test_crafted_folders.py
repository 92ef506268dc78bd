"""A crafted class folder or folder of results: one line, or the rest is graded; nothing outside is touched."""

import os
import socket
import sqlite3

import pytest

from autograder.batch.store import Record, Store
from autograder.core.errors import GraderError
from autograder.core.loading import load_assignment
from autograder.core.strict import read_toml
from autograder.core.tables import read_table
from autograder.gradescope.archive import opened
from autograder.judging.replay import read_results
from autograder.submission.unpack import read_files
from support.project import TOY
from support.toy_class import RIGHT


@pytest.mark.slow
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


@pytest.mark.many(of=3)
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


@pytest.fixture
def store(tmp_path):
    path = tmp_path / "store.sqlite"
    with Store(path) as opened_store:
        opened_store.replace_last({"a": Record("content", "judging", "101", {"1.add": 1.0})}, "seed")
    return path


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_what_lies_beside_the_store_is_neither_followed_nor_waited_for(store, kind, suffix):
    beside, precious = store.with_name(f"store.sqlite{suffix}"), store.with_name("precious")
    beside.unlink(missing_ok=True)
    precious.write_text("precious")
    if kind == "link":
        beside.symlink_to(precious)
    elif kind == "pipe":
        os.mkfifo(beside)
    else:
        beside.mkdir()
    with pytest.raises(GraderError, match=rf"^[^\n]*store.sqlite{suffix} is not an ordinary file[^\n]*$"):
        Store(store)
    assert precious.read_text() == "precious"


VIEW = """DROP TABLE last; CREATE VIEW last AS
    WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x FROM n) SELECT x id, x content, x judging, x course, x scores FROM n"""


@pytest.mark.parametrize("code", [VIEW, "CREATE TRIGGER mine AFTER INSERT ON last BEGIN DELETE FROM found; END"])
def test_a_store_with_code_in_it_is_not_ours(store, code):
    with sqlite3.connect(store) as database:
        database.executescript(code)
    with pytest.raises(GraderError, match=r"^[^\n]*it holds more than tables[^\n]*$"):
        Store(store)


@pytest.mark.parametrize("value", [b"\xff", None], ids=repr)
@pytest.mark.parametrize("column", ["id", "content", "judging", "course", "scores"])
def test_a_record_of_other_types_is_damaged(store, column, value):
    with sqlite3.connect(store) as database:
        database.execute("DROP TABLE last")
        database.execute("CREATE TABLE last (id, content, judging, course, scores)")
        database.execute("INSERT INTO last VALUES ('a', 'content', 'judging', '101', '{}')")
        database.execute(f"UPDATE last SET {column} = ?", (value,))
    with Store(store) as opened_store, pytest.raises(sqlite3.DataError, match="a record is damaged"):
        opened_store.last()


READERS = {
    "a table": read_table,
    "a policy": read_toml,
    "a result": lambda path: read_results(path, load_assignment(TOY / "assignment")),
    "an archive": lambda path: opened(path).__enter__(),
    "a submission": lambda path: read_files(path, 1 << 20),
}


@pytest.mark.many(of=6)
@pytest.mark.parametrize("what", READERS)
@pytest.mark.parametrize("kind", ["pipe", "link to a pipe", "device", "folder", "loop", "1 GB", "nothing"])
def test_what_staff_name_by_mistake_is_one_line_and_keeps_nobody_waiting(tmp_path, kind, what):
    path = tmp_path / "named.py"
    if kind in ("pipe", "link to a pipe"):
        os.mkfifo(tmp_path / "pipe")
        path.symlink_to("pipe")
        path = tmp_path / "pipe" if kind == "pipe" else path
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "1 GB":
        with path.open("wb") as file:
            file.truncate(1 << 30)
    if (what, kind) in {("a submission", "folder"), ("a submission", "1 GB")}:
        READERS[what](path)  # nothing to grade, which is said elsewhere
        return
    with pytest.raises(GraderError, match=r"^[^\n]+$"):
        READERS[what](path)


@pytest.mark.slow
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
