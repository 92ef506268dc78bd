"""Grades go to Canvas only if told so, only to the one student whom they name, and with the token from the environment."""

import json
import re
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from autograder.core.errors import GraderError
from autograder.written.canvas import Canvas, other_points, planned, safe_url
from autograder.written.totals import Grade, read_grades
from support.toy import autograder

TOKEN = "1234~secret"
USERS = [
    {"id": 1, "name": "Ada", "sis_user_id": "0071", "login_id": "ada", "email": "ada@u.edu"},
    {"id": 2, "name": "Bo", "sis_user_id": "2", "login_id": "bo@u.edu"},
    {"id": 3, "name": "Cy <script>", "sis_user_id": None, "login_id": 5, "email": "cy@u.edu"},
]
GRADES = (
    "name,email,sid,total,out of\nAda,ada@u.edu,0071,101.5,100\nBo,BO@u.edu,2,90,110\n"
    "Cy,cy@u.edu,,not graded: 1.2.1 is empty,100\nDi,di@u.edu,4,50,120\n"
)


class FakeCanvas(BaseHTTPRequestHandler):
    """As much of Canvas as a push needs: pages, a token, scores that are entered after a while."""

    def answer(self, tree, status=200, **headers):
        body = json.dumps(tree).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        site, where = self.server, urllib.parse.urlsplit(self.path)
        site.asked.append(self.path)
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self.answer({"errors": [{"message": f"Invalid access token {TOKEN}."}]}, 401)
        page = int(urllib.parse.parse_qs(where.query).get("page", ["1"])[0])
        path = where.path.removeprefix("/api/v1")
        if path == "/courses/7/search_users":
            more = (
                {"Link": f'<{site.url}/api/v1/courses/7/search_users?page={page + 1}>; rel="next"'} if page < len(USERS) else {}
            )
            return self.answer([USERS[page - 1]], **more)
        if path == "/courses/7/assignments/9/submissions":
            return self.answer([{"id": user, "user_id": user, "score": score} for user, score in site.scores.items()])
        if path == "/progress/3":
            return self.answer({"id": 3, "workflow_state": site.states.pop(0), "message": "no room"})
        known = {
            "/courses/7": {"id": 7, "name": "CSE 447 <b>"},
            "/courses/7/assignments/9": {"id": 9, "course_id": 7, "name": "A2", **site.about},
        }
        return self.answer(known[path]) if path in known else self.answer({"errors": [{"message": "not found"}]}, 404)

    def do_POST(self):
        sent = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.sent.append(sent)
        for name, (points,) in sent.items():
            if found := re.fullmatch(r"grade_data\[(\d+)\]\[posted_grade\]", name):
                self.server.scores[int(found[1])] = float(points)
        self.answer({"id": 3, "workflow_state": "queued"})

    def log_message(self, *_):
        pass


@pytest.fixture
def site(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), FakeCanvas)
    server.url, server.sent, server.asked = f"http://127.0.0.1:{server.server_address[1]}", [], []
    server.scores, server.states, server.about = {2: 90, 3: None}, ["running", "completed"], {"points_possible": 110}
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    monkeypatch.setenv("CANVAS_TOKEN", TOKEN)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def push(site, folder, *more, **environment):
    (folder / "final.csv").write_text(GRADES)
    where = ["--url", site.url, "--course", "7", "--assignment", "9"]
    return autograder("canvas", "push", "final.csv", *where, *more, cwd=folder, **environment)


@pytest.mark.slow
def test_without_send_nothing_is_sent_and_with_it_only_what_differs(site, tmp_path):
    dry = push(site, tmp_path)
    as_they_are = "the points are sent as they are, not scaled: is that right? (--only sends one course's)"
    assert dry.returncode == 1 and not site.sent, dry.stderr
    assert dry.stdout.splitlines() == [
        "A2 (110 points) in CSE 447 <b>",
        "more points than there are: Ada <ada@u.edu> (101.5 of 100): is that right?",
        "Ada <ada@u.edu>: nothing -> 101.5",
        "not sent: Cy <cy@u.edu>: not graded: 1.2.1 is empty",
        "not sent: Di <di@u.edu>: no student with this address or number on Canvas",
        f"2 people are out of 100, and the others out of 110: {as_they_are}",
        "to change: 1 (--send enters them); already there: 1; not sent: 2; without a row: 0",
    ]
    sent = push(site, tmp_path, "--send")
    assert site.sent == [{"grade_data[1][posted_grade]": ["101.5"]}] and not site.states
    assert sent.stdout.splitlines()[-1] == "entered: 1; already there: 1; not sent: 2; without a row: 0"
    assert push(site, tmp_path, "--send").stdout.splitlines()[-1].startswith("entered: 0; already there: 2")
    assert len(site.sent) == 1, "a second push sends nothing"


def test_a_refused_token_is_one_line_without_the_token(site, tmp_path):
    refused = push(site, tmp_path, "--send", CANVAS_TOKEN=f"{TOKEN}x")
    assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1 and not site.sent
    assert f"{TOKEN}x" not in refused.stderr + refused.stdout
    missing = push(site, tmp_path, CANVAS_TOKEN="")
    assert missing.returncode == 2 and "put it into the environment as CANVAS_TOKEN" in missing.stderr


def test_a_failure_of_canvas_is_told_with_its_reason(site):
    site.states = ["failed"]
    plan = planned([Grade("Ada", frozenset({"0071"}), "5")], Canvas(site.url, 7, 9).students(), {})
    with pytest.raises(GraderError, match="Canvas could not enter the scores: no room"):
        Canvas(site.url, 7, 9).send(plan.changes, pause=0)


@pytest.mark.parametrize(
    "port, course, assignment, token, says",
    [
        (1, 7, 9, TOKEN, "Canvas cannot be reached at https?://[^ ]+: is --url right"),
        (0, 7, 8, TOKEN, "no such course or assignment"),
        (0, 6, 9, TOKEN, "no such course or assignment"),
        (0, 7, 9, "old", "Canvas refuses the token in CANVAS_TOKEN, or"),
    ],
)
def test_a_slip_in_the_address_or_the_token_is_named(site, monkeypatch, port, course, assignment, token, says):
    monkeypatch.setenv("CANVAS_TOKEN", token)
    with pytest.raises(GraderError, match=rf"^[^\n]*{says}[^\n]*$"):
        Canvas(f"http://127.0.0.1:{port}" if port else site.url, course, assignment)


def test_grades_of_another_class_are_said_to_be(site, tmp_path):
    (tmp_path / "final.csv").write_text("email,total\nx@u.edu,1\ny@u.edu,2\n")
    environment = {"CANVAS_TOKEN": TOKEN, "PYTHONWARNINGS": "ignore"}
    where = ["--url", site.url, "--course", "7", "--assignment", "9"]
    said = autograder("canvas", "push", "final.csv", *where, cwd=tmp_path, **environment).stdout.splitlines()[-1]
    assert said == f"nobody in final.csv is among the {len(USERS)} students of course 7 on Canvas: is it this one?"


@pytest.mark.parametrize(
    "url, says",
    [
        ("http://canvas.example.edu", "is not an https address: the token would travel in the clear"),
        ("ftp://canvas.example.edu", "is not an https address"),
        ("http://127.0.0.1.example.edu", "is not an https address"),
        ("https://", "is no address of a Canvas"),
        ("https://me:password@canvas.example.edu", "is no address of a Canvas"),
    ],
)
def test_the_token_travels_only_encrypted(url, says):
    with pytest.raises(GraderError, match=says):
        safe_url(url)


def test_an_address_may_be_short_or_that_of_a_page():
    assert safe_url("canvas.example.edu") == safe_url("https://canvas.example.edu/courses/7") == "https://canvas.example.edu"


def test_nobody_gets_a_grade_that_may_be_someone_elses():
    students = [(1, "Ada", frozenset({"ada", "1"})), (2, "Ada", frozenset({"ada@x", "2"})), (3, "Cy", frozenset({"3"}))]
    grades = [Grade("a", frozenset({"1", "2"}), "5"), Grade("c", frozenset({"3"}), "6"), Grade("d", frozenset({"3"}), "7")]
    plan = planned(grades, students, {})
    assert not plan.changes and [line.split(": ")[1] for line in plan.problems] == [
        "2 students with this address or number on Canvas",
        *["another row names the same student on Canvas"] * 2,
    ]


@pytest.mark.parametrize("total", ["", "1e5", "-1", "nan", "not graded: no file", "=1"])
def test_what_is_no_number_is_no_grade(tmp_path, total):
    (tmp_path / "final.csv").write_text(f"Email,Total Score\na@x,{total}\n")
    [grade], _ = read_grades(tmp_path / "final.csv")
    assert not grade.points and grade.problem
    if total and not total.startswith("not graded"):
        assert grade.problem == f"its total is {total!r} in row 2, expected a number such as 91.5"


@pytest.mark.parametrize("send", [(), ("--send",)])
@pytest.mark.parametrize(
    "about, line",
    [
        ({"points_possible": 20}, "A2 (20 points) in CSE 447 <b>"),
        ({"points_possible": 100.0}, "A2 (100 points) in CSE 447 <b>"),
        ({"points_possible": None, "published": False}, "A2 (no points, not published) in CSE 447 <b>"),
        ({"grading_type": "pass_fail"}, "A2 (no points, graded as pass_fail) in CSE 447 <b>"),
    ],
)
def test_an_assignment_with_other_points_is_shown_and_gets_nothing(site, tmp_path, about, line, send):
    site.about = about
    refused = push(site, tmp_path, *send)
    assert refused.returncode == 2 and not site.sent and refused.stdout.splitlines()[0] == line
    assert "and final.csv is out of 110: is it this one?" in refused.stderr
    if send and about.get("points_possible") == 20:
        assert push(site, tmp_path, *send, "--points", "100").returncode == 2 and not site.sent
        assert push(site, tmp_path, *send, "--points", "20").returncode == 1 and len(site.sent) == 1


def test_students_on_canvas_without_a_row_are_named(site, tmp_path):
    (tmp_path / "final.csv").write_text("email,total\nbo@u.edu,90\n")
    where = ["--url", site.url, "--course", "7", "--assignment", "9"]
    done = autograder("canvas", "push", "final.csv", *where, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout.splitlines()[1:] == [
        "no row in final.csv: Ada",
        "no row in final.csv: Cy <script>",
        "to change: 0 (--send enters them); already there: 1; not sent: 0; without a row: 2",
    ]


def test_a_file_that_was_cut_off_is_refused_or_asked_about(site, tmp_path):
    (tmp_path / "final.csv").write_text(GRADES[: GRADES.rindex("di@")])
    with pytest.raises(
        GraderError, match=r"final\.csv, line 5, has fewer cells than the header, and no end: is the file cut off"
    ):
        read_grades(tmp_path / "final.csv")
    (tmp_path / "final.csv").write_text("email,total\nada@u.edu,91.5\nbo@u.edu,8")
    _, [asked] = read_grades(tmp_path / "final.csv")
    assert "is it cut off? Its last row gives <bo@u.edu> 8" in asked


def test_more_points_than_there_are_are_asked_about(tmp_path):
    (tmp_path / "final.csv").write_text("email,total,out of\nada@u.edu,91.5,90\nbo@u.edu,90,90\ncy@u.edu,,90\ndi@u.edu,95,\n")
    assert over(tmp_path / "final.csv", ["ada", "bo", "cy", "di"]) == [
        "more points than there are: <ada@u.edu> (91.5 of 90): is that right?"
    ]


def over(path, students, only=""):
    listed, asked = read_grades(path)
    assert not asked
    plan = planned(listed, [(n, name, frozenset({f"{name}@u.edu"})) for n, name in enumerate(students)], {}, only)
    return [line for line in plan.lines(path.name) if line.startswith("more points")]


def test_extra_credit_and_whoever_gets_nothing_here_are_nothing_to_ask(tmp_path):
    rows = "ada@u.edu,447,104,100,5\nbo@u.edu,447,105.5,100,5\ncy@u.edu,517,111,110,0\n"
    (tmp_path / "final.csv").write_text("email,course,total,out of,extra credit possible\n" + rows)
    ada, cy = "<bo@u.edu> (105.5 of 100 and 5 of extra credit)", "<cy@u.edu> (111 of 110)"
    everyone = ["ada", "bo", "cy"]
    assert over(tmp_path / "final.csv", everyone) == [f"more points than there are: {ada}, {cy}: is that right?"]
    assert over(tmp_path / "final.csv", everyone, "517") == [f"more points than there are: {cy}: is that right?"]
    assert over(tmp_path / "final.csv", ["ada", "bo"], "447") == [f"more points than there are: {ada}: is that right?"]
    assert not over(tmp_path / "final.csv", ["ada"])


FINAL = "name,email,total,sum,autograded,read,collaborators,late,autograded from,read from\n"
BOOK = "Name,Email,Submission ID,Total Score,Max Points,Status,Submission Time,1.1,1.2\n"


@pytest.mark.parametrize(
    "text",
    [
        FINAL + "Ada,ada@u.edu,{},95,50,45,-1.9,-9.5,a,b\n",
        FINAL + "Ada,ada@u.edu,{},83.6,,83.6,,,,b\n",
        BOOK + "Ada,ada@u.edu,s1,{},90,graded,,40.1,43.5\n",
    ],
)
@pytest.mark.parametrize("total, sent", [("83.6", True), ("83.60", True), ("45.5", False), ("0", False), ("84", False)])
def test_a_total_that_was_edited_or_sorted_by_itself_is_not_sent(tmp_path, text, total, sent):
    (tmp_path / "final.csv").write_text(text.format(total))
    [grade], _ = read_grades(tmp_path / "final.csv")
    assert bool(grade.points) == sent
    if not sent:
        assert grade.problem.startswith(
            f"its total is {total} in row 2, and the rest of the row adds up to 83.6: was that column"
        )


def test_a_file_of_totals_alone_and_a_total_of_nothing_are_sent(tmp_path):
    (tmp_path / "final.csv").write_text("email,total,out of,quiz\nada@u.edu,45,100,3\n")
    assert read_grades(tmp_path / "final.csv")[0][0].points == "45"
    (tmp_path / "final.csv").write_text(FINAL + "Ada,ada@u.edu,0,95,50,45,-1.9,-95,a,b\n")
    assert read_grades(tmp_path / "final.csv")[0][0].points == "0"


@pytest.mark.parametrize("meant, possible, asked", [(100, 110, True), (110, 110, False), (None, 110, False), (100, None, True)])
def test_points_that_canvas_does_not_have_are_asked_about_even_if_the_file_has_canvass(meant, possible, asked):
    plan = planned([Grade("a", frozenset({"1"}), "5", 110.0)], [(1, "Ada", frozenset({"1"}))], {})
    assert bool(other_points(plan, possible, meant, "final.csv")) == asked
    assert not asked or other_points(plan, possible, meant, "final.csv").endswith(f"--points says {meant}: is it this one?")


def test_people_of_two_courses_on_one_assignment_are_asked_about(tmp_path):
    rows = "".join(f"p{n}@u.edu,{90 + n},{100 if n < 2 else 110}\n" for n in range(5))
    (tmp_path / "final.csv").write_text("email,total,out of\n" + rows)
    grades, _ = read_grades(tmp_path / "final.csv")
    everyone = [(n, f"P{n}", frozenset({f"p{n}@u.edu"})) for n in range(5)]
    asked = "2 people are out of 100, and the others out of 110: the points are sent as they are, not scaled: is that right?"
    assert planned(grades, everyone, {}).lines("final.csv")[-1] == f"{asked} (--only sends one course's)"
    assert not [line for line in planned(grades[2:], everyone, {}).lines("final.csv") if "?" in line]


def test_a_dry_run_shows_every_change_however_many_there_are(tmp_path):
    (tmp_path / "final.csv").write_text("email,total\n" + "".join(f"p{n}@u.edu,{n % 90}\n" for n in range(300)))
    grades, _ = read_grades(tmp_path / "final.csv")
    plan = planned(grades, [(n, f"P{n}", frozenset({f"p{n}@u.edu"})) for n in range(300)], {})
    assert len([line for line in plan.lines("final.csv") if ": nothing -> " in line]) == 300


@pytest.mark.parametrize("points", ["0", "-5", "nan", "inf"])
def test_an_assignment_is_out_of_some_points(tmp_path, points):
    (tmp_path / "final.csv").write_text(GRADES)
    where = ["--url", "https://canvas.example.edu", "--course", "7", "--assignment", "9"]
    done = autograder("canvas", "push", "final.csv", *where, "--points", points, cwd=tmp_path)
    assert done.returncode == 2 and f"{points} is no number of points, such as 110" in done.stderr
