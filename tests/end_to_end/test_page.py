"""The class page in a real browser: it opens, sorts and filters, and no student's text is executed."""

import re
import shutil

import pytest

from autograder.batch.class_page import Page
from autograder.batch.class_page.compared import item_rest
from autograder.batch.class_page.concepts import Concepts
from autograder.batch.class_page.drawings import histogram
from autograder.batch.gradebook import Sheet
from autograder.batch.people import Person
from autograder.core.loading import load_assignment
from autograder.core.verdict import FAILED, MISSING, NOT_RUN, PASSED, Verdict
from support.project import ROOT

ASSIGNMENT = load_assignment(ROOT / "assignment")
EVIL = "<script>document.title='caught'</script><img src=x onerror=\"document.title='caught'\">"
SAYS = {"1.2.1": {"wrong row": f"you took another row {EVIL}"}}
TEACH = {"query direction": {"title": "where queries point", "says": f"Draw the keys. {EVIL}"}}
REFERENCES = {"says": SAYS, "teach": TEACH, "concepts": {"1.2.1": {"wrong row": "query direction"}}}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def sheet(index, name="", lost=(), problem="", **data):
    verdicts = [
        Verdict(
            q,
            FAILED if q.id in lost else PASSED,
            f"reason {EVIL}",
            data=dict(data) if q.id in lost else {},
            call=["f(1)  # comes back as 2"],
        )
        for q in ASSIGNMENT.questions
    ]
    person = Person(name or f"Student {index}", f"s{index}@example.edu", f"{index}")
    return Sheet(f"submission_{index}", [person], [] if problem else verdicts, problem=problem)


def made(folder, anonymous=False, alike=None):
    page = Page(ASSIGNMENT, REFERENCES, anonymous)
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
    page.goto(
        made(
            tmp_path, alike=[{"one": "submission_1", "other": "submission_2", "share": 0.9, "tokens": 99, "declared": True}]
        ).as_uri()
    )
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


@pytest.mark.slow
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
    page = Page(ASSIGNMENT, {"says": {}})
    page.add(Sheet("a", [Person("A")], verdicts), "517")
    assert "".join(page.lines[0].verdicts.values()).startswith("●○–?") and page.lines[0].score is None
    page.write(tmp_path)
    assert 'class="glyphs" aria-hidden="true">●○–?' in (tmp_path / "index.html").read_text()


def test_concepts_are_told_apart_by_course_the_dearest_first_with_two_nameless_examples(opened):
    lists = opened.locator("ol.concepts")
    assert opened.locator("h3").all_inner_texts() == ["Course 447", "Course 517"]
    assert lists.nth(0).locator("h4").all_inner_texts() == ["not recognised"]
    assert lists.nth(1).locator("h4").all_inner_texts() == ["where queries point", "not recognised"]
    first = lists.nth(1).locator("li").first
    assert first.locator("p").all_inner_texts() == ["3 points, 1 of 3 submissions; 1.2.1", f"Draw the keys. {EVIL}"]
    examples = first.locator("details")
    assert examples.count() == 1 and not examples.locator("pre").is_visible()
    examples.locator("summary").focus()
    opened.keyboard.press("Enter")
    assert examples.locator("pre").inner_text() == "f(1)  # comes back as 2"
    assert "Student" not in lists.first.inner_text() + lists.last.inner_text()


def test_points_and_not_heads_order_the_concepts():
    concepts = Concepts({}, {})
    cheap, dear = ASSIGNMENT.question("3.dataset.len"), ASSIGNMENT.question("3.evaluate")
    for index in range(3):
        concepts.add(f"s{index}", "517", Verdict(cheap, FAILED, data={"diagnosis": {"concept": "length"}}))
    concepts.add("s0", "517", Verdict(dear, FAILED, data={"diagnosis": {"concept": "eval"}}))
    concepts.add("s1", "517", Verdict(dear, FAILED, "said twice", data={"diagnosis": 3}))
    concepts.add("s1", "517", Verdict(dear, PASSED, data={"diagnosis": {"concept": "eval"}}))
    found = [(c.name, c.lost, len(c.submissions)) for c in concepts.of("517")]
    assert found == [("eval", 4.0, 1), ("length", 3.0, 3), ("not recognised", 4.0, 1)]
    assert [c.name for c in concepts.of("517", 3)] == ["length"] and concepts.of("447") == []


def class_of(sizes):
    """A page of one course; ``sizes``: item -> how many lose it."""
    page = Page(ASSIGNMENT, REFERENCES)
    for index in range(12):
        lost = [item for item, size in sizes.items() if index < size]
        page.add(
            sheet(index, f"Person {index}", lost, kind="exception" if index % 2 else "numbers", mistake="wrong row"), "517"
        )
    return page


def test_what_is_shared_names_nobody_and_says_nothing_about_fewer_than_five(tmp_path):
    page = class_of({"1.2.1": 6, "1.2.2": 4, "1.3.1": 5})
    page.write_shared(tmp_path)
    text = (tmp_path / "share.html").read_text()
    assert not any(word in text for word in ("Person", "example.edu", "submission_", "results/", "<script", "kept of one"))
    assert "where queries point" in text and "6 of 12 submissions" in text
    rows = dict(re.findall(r'class="id">([\d.]+)</span>.*?<td class="n">([^<]*)</td>', text, re.DOTALL))
    assert (rows["1.2.1"], rows["1.2.2"], rows["1.3.1"], rows["1.3.2"]) == ("50 %", "fewer than 5 lost it", "58 %", "100 %")
    few = Page(ASSIGNMENT, REFERENCES)
    few.add(sheet(0, "Person", ["1.2.1"], mistake="wrong row"), "517")
    few.write_shared(tmp_path)
    assert (
        "there is nothing to share" in (tmp_path / "share.html").read_text()
        and "where queries" not in (tmp_path / "share.html").read_text()
    )


@pytest.mark.parametrize(
    "counts, items, texts",
    [
        ({"1.2.1": 4, "1.3.1": 3}, [], []),
        ({"1.2.1": 5, "1.3.1": 4}, ["1.2.1"], ["1.2.1"]),
        ({"1.2.1": 5, "1.3.1": 6}, ["1.2.1", "1.3.1"], ["1.3.1", "1.2.1"]),
    ],
)
def test_a_text_of_fewer_than_five_is_not_shared_though_its_concept_is(counts, items, texts):
    concepts = Concepts({}, {})
    for number, (item, count) in enumerate(counts.items()):
        for index in range(count):
            verdict = Verdict(ASSIGNMENT.question(item), FAILED, f"of {item}", data={"diagnosis": {"concept": "length"}})
            concepts.add(f"s{index}-{number}", "517", verdict)
    [concept] = concepts.of("517", 5)
    assert concept.named_items(shared=True) == items and len(concept.named_items()) == 2
    assert [example.item for example in concept.examples(shared=True)] == texts and len(concept.examples()) == 2


def test_a_reason_that_five_share_comes_without_a_call_that_they_do_not():
    concepts, question = Concepts({}, {}), ASSIGNMENT.question("1.2.1")
    for index in range(6):
        concepts.add(f"s{index}", "517", Verdict(question, FAILED, "another row", call=[f"f({index // 3})"]))
    [concept] = concepts.of("517", 5)
    assert [(example.reason, example.call) for example in concept.examples(shared=True)] == [("another row", ())]


def test_a_section_that_nobody_handed_in_takes_one_line(tmp_path):
    page = Page(ASSIGNMENT, REFERENCES)
    for index in range(2):
        verdicts = [
            Verdict(q, MISSING if q.section.id == "A2S3" or (index and q.section.id == "A2S1") else PASSED)
            for q in ASSIGNMENT.questions
        ]
        page.add(Sheet(f"s{index}", [Person(f"Name {index}")], verdicts), "517")
    page.write(tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert text.count("nobody handed it in (8 questions)") == 1 and "3.evaluate" not in text
    people = text[text.index('id="people"') :]
    assert people.count("A2S3") == 0 and people.count("not submitted: A2S1") == 1 and "1.2.1" not in people


def test_how_scores_moved_is_told_of_those_who_uploaded_twice(tmp_path):
    page = Page(ASSIGNMENT, REFERENCES)
    for index, earlier in enumerate([10.0, 58.0, 20.0, None]):
        one = sheet(index)
        one.earlier = earlier
        page.add(one, "517")
    page.write(tmp_path)
    text = (tmp_path / "index.html").read_text()
    assert "of 3 who uploaded more than once: median 20 before, 58 now; 2 better, 1 the same, 0 worse" in text


def test_names_in_any_script_are_drawn_with_a_font_that_has_them_where_there_is_one(browser, tmp_path):
    page = Page(ASSIGNMENT, REFERENCES)
    names_ = ["王小明", "Ольга", "محمد", "김민준", "ไทย", "दीपा", "José"]
    for index, name in enumerate(names_):
        page.add(sheet(index, name), "517")
    page.write(tmp_path)
    shown = browser.new_context(offline=True).new_page()
    shown.goto((tmp_path / "index.html").as_uri())
    assert names(shown) == names_
    shown.context.close()


def test_the_page_is_readable_in_the_dark(browser, tmp_path):
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    page.goto(made(tmp_path).as_uri())
    ink, paper = page.evaluate("(() => { const s = getComputedStyle(document.body); return [s.color, s.backgroundColor] })()")
    light = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (ink, paper)]
    assert light[0] - light[1] > 400
    context.close()
