"""What a check shows in a notebook: a card as text and as HTML, the case that failed as a picture, all items as a table."""

import html.parser
import sys
import xml.dom.minidom

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from autograder.checks import card as cards
from autograder.checks import picture, summary
from autograder.checks.card import Card
from autograder.checks.quiet import quiet
from support.project import ROOT

EVIL = "<script>alert(1)</script><img src=x onerror='alert(1)'>&\"`<b>`"
ONE_HOT = np.eye(4)[0]


@pytest.fixture
def check(monkeypatch):
    """The students' ``check``, from the committed tree."""
    monkeypatch.syspath_prepend(str(ROOT / "student"))
    from a2checks import check

    yield check
    for name in [name for name in sys.modules if name.split(".")[0] == "a2checks"]:
        del sys.modules[name]


class Tags(html.parser.HTMLParser):
    """The tags of a page with their attributes, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.seen, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.seen.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


def full_card(said):
    drawn = picture.pictured(np.full(4, 0.25), ONE_HOT, "attention weights")
    return Card("1.2.1", said, "❌", f"1.2.1: {said}", [said], [said], [said, said], [said], drawn)


def test_whatever_a_card_quotes_is_escaped():
    page = cards.html(full_card(EVIL))
    assert "".join(Tags(page).text).count(EVIL.partition("`")[0]) >= 6
    assert {tag for tag, _ in Tags(page).seen} <= {
        "div",
        "span",
        "strong",
        "em",
        "pre",
        "code",
        "svg",
        "title",
        "text",
        "rect",
        "path",
    }
    assert all(not name.startswith("on") for _, attributes in Tags(page).seen for name in attributes)


@pytest.mark.parametrize("mark, said", [("✅", "right"), ("❌", "wrong"), ("⏳", "waiting")])
def test_a_card_says_its_verdict_in_words_and_takes_its_colours_from_the_page(mark, said):
    page = cards.html(Card("1.2.1", "", mark, "1.2.1 is so"))
    assert f'aria-label="check 1.2.1: {said}"' in page and f'role="img" aria-label="{said}"' in page
    assert "color:inherit" in page and "background:transparent" in page and "<style" not in page


def test_a_card_in_plain_text_is_a_headline_and_indented_lines():
    lines = cards.text(full_card("so")).split("\n")
    assert lines[:2] == ["❌ 1.2.1: so", "   so"] and all(line.startswith("   ") for line in lines[1:])
    assert "   likely: so" in lines and "   note: so" in lines and lines[lines.index(f"   {cards.EXAMPLE}") + 1] == "      so"


def test_a_message_without_end_does_not_fill_the_notebook():
    card = Card("1", "", "❌", "1", ["x" * 1_000_000])
    assert len(cards.text(card)) < 10_000 and len(cards.html(card)) < 10_000


def test_without_ipython_a_card_is_printed(capsys):
    cards.show(Card("1", "", "✅", "1 looks right."))
    assert capsys.readouterr().out == "✅ 1 looks right.\n"


@pytest.mark.parametrize(
    "odd, said", [(np.nan, "row 2, column 1 is NaN"), (np.inf, "row 2, column 1 is ∞"), (-np.inf, "row 2, column 1 is −∞")]
)
def test_what_is_no_number_is_drawn_and_called_so(odd, said):
    got = np.eye(8)
    got[2, 1] = odd
    drawn = picture.pictured(got, np.eye(8), "attention weights")
    assert drawn.words() == said and said.split()[-1] in drawn.html() and 'fill="none"' in drawn.html()
    assert any(mark in "".join(drawn.text()) for mark in ("na", "+∞", "-∞"))
    bars = picture.pictured(np.array([0.5, odd]), np.array([0.5, 0.5]), "attention weights")
    assert bars.words() == said.replace("row 2, column 1", "token 1") and said.split()[-1] in "".join(bars.text())
    for svg in (picture.svg(got, np.eye(8), "w"), picture.svg(bars.got, bars.wanted, "w")):
        xml.dom.minidom.parseString(svg)


def test_a_picture_names_its_axes_its_tokens_and_its_scale():
    svg = picture.svg(np.zeros((3, 3)), np.eye(3), "w")
    assert svg.count(">key token<") == 2 and svg.count(">query token<") == 2
    assert all(svg.count(f">{i}<") >= 4 for i in range(3)) and all(f">{value}<" in svg for value in ("0", "0.5", "1"))
    bars = picture.svg(np.full(4, 0.25), ONE_HOT, "w")
    assert all(f">key token {i}<" in bars for i in range(4)) and ">weight<" in bars


def test_a_right_answer_a_huge_one_and_one_of_another_shape_are_not_drawn():
    assert picture.pictured(np.eye(3) + 1e-6, np.eye(3), "mask") is None
    assert picture.pictured(np.eye(3), np.eye(4), "mask") is None
    assert picture.pictured(np.zeros((99, 99)), np.eye(99), "mask") is None


def test_of_many_heads_the_first_that_differs_is_drawn_and_named():
    got = np.stack([np.stack([np.eye(3), np.eye(3)])] * 2)
    wanted = got.copy()
    wanted[1, 1] = 0.5
    assert (
        picture.pictured(got, wanted, "attention weights", "a call").title() == "attention weights for a call; batch 1, head 1"
    )


def small_is_wrong(n_tok):
    return torch.tril(torch.ones(n_tok, n_tok)) if n_tok == 10 else torch.ones(n_tok, n_tok)


def wide_is_wrong(n_tok):
    return torch.tril(torch.ones(n_tok, n_tok)).bool() if n_tok == 4 else torch.triu(torch.ones(n_tok, n_tok))


def one_batch_only(A):
    weights = F.softmax(A, dim=-1)
    return weights if A.shape[0] == 1 else F.softmax(A, dim=0)


@pytest.mark.many(of=2)
@pytest.mark.parametrize(
    "id, name, answer, tokens, title",
    [
        ("2.1.make_causal_mask", "make_causal_mask", small_is_wrong, 4, "mask for n_tok=4"),
        ("2.1.make_causal_mask", "make_causal_mask", wide_is_wrong, 10, "mask for n_tok=10"),
        (
            "2.1.attn_softmax",
            "attn_softmax",
            one_batch_only,
            4,
            "attention weights for batch 2, n_tok 4, n_embd 8, n_heads 2; batch 0",
        ),
    ],
)
def test_the_case_that_failed_is_drawn(check, id, name, answer, tokens, title):
    card = check.checked(id, {name: answer})
    assert card.mark == "❌" and card.picture.got.shape == (tokens, tokens) and card.picture.title() == title


def test_a_right_answer_has_no_picture_and_a_missing_one_neither(check):
    assert check.checked("2.1.attn_softmax", {"attn_softmax": lambda A: F.softmax(A, dim=-1)}).picture is None
    assert check.checked("2.1.attn_softmax", {"attn_softmax": lambda A: None}).picture is None


def loud(A):
    print("here" * 1000)
    sys.stderr.write("there\n")
    return A


def test_what_code_prints_during_a_check_is_not_shown_and_a_wrong_answer_is_told_so(check, capsys):
    check("2.1.attn_softmax", {"attn_softmax": loud})
    said = capsys.readouterr()
    assert "here" not in said.out and said.err == "" and "not shown" in said.out
    check("2.1.attn_softmax", {"attn_softmax": lambda A: F.softmax(A, dim=-1)})
    assert capsys.readouterr().out == "✅ 2.1.attn_softmax looks right.\n"


def test_streams_are_put_back_whatever_happens(capsys):
    before = sys.stdout, sys.stderr
    with pytest.raises(KeyboardInterrupt), quiet():
        raise KeyboardInterrupt
    assert (sys.stdout, sys.stderr) == before


def test_check_without_an_id_lists_every_item_of_the_notebook_with_its_points(check, capsys):
    key = torch.tensor([[0.47, 0.65, 0.6], [0.64, 0.5, -0.59], [-0.03, -0.48, -0.88], [0.43, -0.83, 0.35]])
    names = {"query121": 100 * key[0], "query122": torch.zeros(4, 3), "query131": None, "query132": None, "m_key": None}
    check(names=names)
    said = capsys.readouterr().out
    assert said.startswith("What you would score now: 3 of 15 points in 447, 3 of 18 points in 517\n"), said
    rows = {line.split()[1]: line for line in said.split("\n") if line[:1] in cards.MARKS}
    assert list(rows) == ["1.2.1", "1.2.2", "1.3.1", "1.3.2", "1.4.1", "1.4.2"]
    assert "3 of 3" in rows["1.2.1"] and "right" in rows["1.2.1"] and "misses the target" in rows["1.2.2"]
    assert "still blank" in rows["1.3.1"] and "0 of 1.5" in rows["1.4.1"]
    assert 'next: 1.2.2; run check("1.2.2").' in said


def test_points_that_are_the_same_in_all_courses_have_one_column(check):
    rows = [summary.Row(Card("a", "", "❌", "a", ["bad <b>"], earned=0.5), {"447": 2, "517": 2})]
    assert summary.columns_of(rows) == {"447": "points"} and "1 of 2" in summary.text(rows)
    page = summary.html([*rows, summary.Row(Card("b", "", "⏳", "b waits for a", earned=None), {"447": 1, "517": 1})])
    assert "bad &lt;b&gt;" in page and "– of 1" in page and "1 more depend on other answers" in page


def test_check_itself_is_a_short_text(check):
    assert len(repr(check)) < 1200 and 'check("1.2.1")' in repr(check) and "array" not in repr(check)


def test_the_numbers_of_the_playground_are_the_handouts(check):
    page = (ROOT / "student" / "playground.html").read_text()
    torch.manual_seed(447)
    for name in "KV":
        rows = torch.randn(4, 3)
        rows = (rows / rows.norm(dim=1, keepdim=True) * 100).round() / 100
        assert f"const {name} = {[[round(float(x), 2) for x in row] for row in rows]};" in page
    assert "http" not in page.replace("http-equiv", "") and "src=" not in page
