"""The class page in a real browser: it opens, sorts and filters, and no student's text is executed."""

import shutil

import pytest

from autograder.batch.class_page import Page, histogram, item_rest
from autograder.batch.gradebook import Sheet
from autograder.batch.people import Person
from autograder.core.loading import load_assignment
from autograder.core.verdict import FAILED, MISSING, NOT_RUN, PASSED, Verdict
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")
EVIL = "<script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\">"
SAYS = {"1.2.1": {"wrong row": f"you took another row {EVIL}"}}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def sheet(index, name="", lost=(), problem="", **data):
    verdicts = [
        Verdict(q, FAILED if q.id in lost else PASSED, f"reason {EVIL}", data=dict(data) if q.id in lost else {})
        for q in ASSIGNMENT.questions
    ]
    person = Person(name or f"Student {index}", f"s{index}@example.edu", f"{index}")
    return Sheet(f"submission_{index}", [person], [] if problem else verdicts, problem=problem)


def made(folder, anonymous=False, alike=None):
    page = Page(ASSIGNMENT, SAYS, anonymous)
    page.add(sheet(0), "517")
    page.add(sheet(1, EVIL, ["1.2.1"], mistake="wrong row", kind="numbers"), "517")
    page.add(sheet(2, "Zoe", ["1.2.1", "1.2.2"], kind="timeout"), "447")
    page.add(sheet(3, "Bo", ["2.1.split_heads"], kind="exception", type="PermissionError", flags=["MHA_wrapper"]), "517")
    page.add(sheet(4, problem=f"not graded: {EVIL}"), "517")
    page.write(folder, alike)
    return folder / "index.html"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("NO BROWSER HERE: the class page was not tested; install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=3_600_000)
        yield opened
        opened.close()


@pytest.fixture
def opened(browser, tmp_path):
    context = browser.new_context(offline=True)
    context.set_default_timeout(3_600_000)
    page, said = context.new_page(), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    page.goto(made(tmp_path, alike=[{"one": "submission_1", "other": "submission_2", "share": 0.9, "tokens": 99}]).as_uri())
    yield page
    assert not said, "the console must stay silent and the network untouched"
    assert page.title() == f"{ASSIGNMENT.title}: the class", "a student's markup must not be interpreted"
    context.close()


def names(page):
    return page.locator("#people tbody tr:visible th").all_inner_texts()


def test_the_page_opens_and_shows_every_submission(opened):
    assert names(opened) == ["Student 0", EVIL, "Zoe", "Bo", "Student 4"]
    assert opened.locator("#shown").inner_text() == "5 of 5 submissions"
    assert opened.locator("figure svg").count() == 2 and opened.locator("#alike tbody tr").count() == 1
    what = opened.locator("#incidents tbody td:nth-child(3)").all_inner_texts()
    assert what == ["timed out", "timed out", "refused by the cage"]
    assert opened.locator("#flagged tbody tr").count() == 1


def test_a_click_sorts_a_second_reverses_and_empty_values_stay_last(opened):
    head = opened.locator("#people th button", has_text="score")
    head.click()
    assert names(opened) == ["Zoe", "Student 0", EVIL, "Bo", "Student 4"] or names(opened)[-1] == "Student 4"
    first = [float(t) for t in opened.locator("#people tbody td:nth-child(3)").all_inner_texts()[:4]]
    assert first == sorted(first)
    head.click()
    turned = [float(t) for t in opened.locator("#people tbody td:nth-child(3)").all_inner_texts()[:4]]
    assert turned == sorted(first, reverse=True) and names(opened)[-1] == "Student 4"
    assert opened.locator("#people th[aria-sort=descending]").count() == 1


def test_the_keyboard_sorts_too(opened):
    opened.locator("#people th button", has_text="who").focus()
    opened.keyboard.press("Enter")
    assert names(opened)[1] == "Bo"


def test_words_filter(opened):
    opened.locator("#search").fill("zoe 1.2.2")
    assert names(opened) == ["Zoe"] and opened.locator("#shown").inner_text() == "1 of 5 submissions"
    opened.locator("#search").fill("nobody")
    assert names(opened) == []


def test_a_mistakes_count_links_to_its_submissions_and_back(opened):
    opened.locator("tr[data-item='1.2.1'] ul.mistakes a", has_text="1").first.click()
    opened.get_by_text("1 of 5 submissions").wait_for()  # the hashchange event arrives asynchronously
    assert len(names(opened)) == 1
    opened.locator("#clear").click()
    opened.get_by_text("5 of 5 submissions").wait_for()
    assert len(names(opened)) == 5


def test_the_page_fits_a_phone_and_prints(opened):
    opened.set_viewport_size({"width": 390, "height": 800})
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
    assert len(opened.pdf(format="A4")) > 10_000


def test_the_masked_page_holds_no_name_address_or_id(tmp_path):
    text = made(tmp_path, anonymous=True).read_text()
    assert not any(word in text for word in ("Zoe", "Student 0", "example.edu", "submission_", "results/"))
    assert "student 0003" in text


def test_the_same_class_gives_the_same_bytes(tmp_path):
    first = made(tmp_path).read_bytes()
    assert made(tmp_path).read_bytes() == first


def test_discrimination_is_the_correlation_with_the_other_items():
    easy, hard = ASSIGNMENT.questions[0], ASSIGNMENT.questions[1]
    good = {q.id for q in ASSIGNMENT.questions}
    passes = [good, good, {easy.id}, {easy.id}]
    assert item_rest(passes, easy) is None, "everybody passed it, so it does not discriminate"
    assert item_rest(passes, hard) == pytest.approx(1.0)
    assert item_rest(passes[:2], hard) is None


def test_a_histogram_counts_every_score_once():
    assert histogram([0, 0, 37.5, 38], 38, "517").count("<rect") == 3


def test_every_status_has_its_own_mark(tmp_path):
    verdicts = [Verdict(q, [PASSED, FAILED, MISSING, NOT_RUN][i % 4]) for i, q in enumerate(ASSIGNMENT.questions)]
    page = Page(ASSIGNMENT, {})
    page.add(Sheet("a", [Person("A")], verdicts), "517")
    assert page.lines[0].glyphs.startswith("●○–?") and page.lines[0].score is None
