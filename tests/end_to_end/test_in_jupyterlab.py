"""One notebook in a real JupyterLab, in a real browser: opened, run, answered wrongly and rightly, in light and in dark."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from support.project import ROOT

pytestmark = pytest.mark.slow

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 3_600_000  # milliseconds: on a busy machine slow is not hanging
CELL = """(start) => {
    const cells = window.jupyterapp.shell.currentWidget.content.widgets;
    const at = cells.findIndex(cell => cell.model.sharedModel.getSource().startsWith(start));
    if (at < 0) throw new Error('no cell starts with ' + start);
    return at;
}"""
RUN = """async ([at, source]) => {
    const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
    if (source) notebook.widgets[at].model.sharedModel.setSource(source);
    notebook.activeCellIndex = at;
    notebook.deselectAll();
    await notebook.scrollToItem(at, 'center');
    await app.commands.execute('notebook:run-cell');
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a JupyterLab whose folder holds A2S1.ipynb and nothing else."""
    if CHROMIUM is None or importlib.util.find_spec("jupyterlab") is None:
        pytest.skip(
            "NO BROWSER OR NO JUPYTERLAB HERE: the notebooks were not tried in one; install chromium and `make develop`"
        )
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("work")
    shutil.copy(ROOT / "student" / "A2S1.ipynb", folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "ServerApp.ip=127.0.0.1",
        f"ServerApp.port={port}",
        "ServerApp.port_retries=0",
        "IdentityProvider.token=",
        "ServerApp.allow_root=True",
    ]
    options += ["LabApp.expose_app_in_browser=True", "LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    places = {
        name: str(home / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--LabApp.news_url=", *(f"--{option}" for option in options)]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env={**os.environ, **places, "HOME": str(home)})
    try:
        while not answers(f"http://127.0.0.1:{port}/api"):
            assert process.poll() is None, (home / "log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(address):
    try:
        return DIRECTLY.open(address, timeout=60).status == 200
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture(scope="module")
def lab(server):
    """The page with the notebook, all of whose cells have been run once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"], timeout=PATIENCE)
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server}/lab/tree/A2S1.ipynb?reset")
        page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.isReady")
        page.wait_for_function("window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        yield page
        browser.close()


def ran(page, start, source=""):
    """Run the cell that starts with this text, with another source if one is given; returns its output on the page."""
    at = page.evaluate(CELL, start)
    page.evaluate(RUN, [at, source])
    return page.locator(f".jp-Cell[data-windowed-list-index='{at}'] .jp-OutputArea-output").last


def colours(locator):
    """The colours of the text, and of what is behind it, as lists of numbers."""
    return locator.evaluate(
        """node => {
            const parse = text => text.match(/[\\d.]+/g).map(Number);
            const colour = (one, property) => parse(getComputedStyle(one)[property]);
            let behind = node;
            while (behind.parentElement && colour(behind, 'backgroundColor')[3] === 0) behind = behind.parentElement;
            return [colour(node, 'color'), colour(behind, 'backgroundColor')];
        }"""
    )


def brightness(colour):
    return sum(colour[:3]) / 3


def test_a_blank_answer_gets_a_card_that_says_so(lab):
    card = ran(lab, 'check("1.2.1")').get_by_role("group", name="check 1.2.1: wrong")
    assert "query121 is still None: fill in its TODO" in card.inner_text()


def test_a_wrong_answer_gets_its_cause_and_a_picture_and_a_right_one_a_card_without(lab):
    ran(lab, "query121 =", "query121 = key[0]\nprint('printed')")
    output = ran(lab, 'check("1.2.1")')
    card = output.get_by_role("group", name="check 1.2.1: wrong")
    assert "misses the target" in card.inner_text() and "Likely:" in card.inner_text()
    assert card.get_by_role("img", name="attention weights, yours and the right ones").count() == 1
    ran(lab, "query121 =", "query121 = 100 * key[0]")
    card = ran(lab, 'check("1.2.1")').get_by_role("group", name="check 1.2.1: right")
    assert card.inner_text().startswith("✅ 1.2.1 looks right.") and card.locator("svg").count() == 0


def test_what_an_answer_says_is_text_not_markup(lab):
    evil = "<img src=x onerror=\"document.title='caught'\">"
    ran(
        lab,
        "query131 =",
        f"class Odd:\n    def __array__(self, *_, **__):\n        raise ValueError({evil!r})\nquery131 = Odd()",
    )
    output = ran(lab, 'check("1.3.1")')
    assert output.get_by_role("group").locator("img[src]").count() == 0 and lab.title() != "caught"


def test_all_items_at_once_are_a_table(lab):
    ran(lab, "query132 =", "query132 = None\ncheck()")
    output = lab.locator(".jp-OutputArea-output").get_by_role("group", name="what you would score now")
    assert "1.3.2" in output.inner_text() and output.get_by_role("row").count() == 7


def test_a_card_is_read_in_light_and_in_dark(lab):
    ran(lab, "query122 =", "query122 = torch.zeros(4, 3)")
    for theme in ("JupyterLab Light", "JupyterLab Dark"):
        lab.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
        lab.wait_for_function("theme => document.body.dataset.jpThemeName === theme", arg=theme)
        card = ran(lab, 'check("1.2.2")').get_by_role("group")
        for part in (card.locator("strong").first, card.locator("svg text").first, card.locator("pre, div").last):
            ink, paper = colours(part)
            assert abs(brightness(ink) - brightness(paper)) > 120, (theme, ink, paper)


def test_the_playground_follows_the_query(lab):
    play = ran(lab, "check.page(").locator(".a2-play")
    play.get_by_label("q[0], typed").fill("0")
    assert "(0.25, -0.59, 0.32)" in play.locator("[data-show=output]").inner_text()
    play.get_by_label("q[0], typed").fill("many")
    assert play.locator("[data-show=output]").inner_text() == "type three numbers"
