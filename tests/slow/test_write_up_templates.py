"""The write-up's templates and the model answers, compiled with pandoc and LaTeX."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata

import pypdf
import pytest

from autograder.authoring.model_answers import without_title
from autograder.core.loading import load_assignment
from autograder.judging.writeup import outline
from autograder.written.render import (
    CHARACTERS,
    TEMPLATES,
    write_templates,
)
from support.project import ROOT
from support.student_zip import commands_of, run

ASSIGNMENT = load_assignment(ROOT / "assignment")


def test_the_readmes_commands_make_a_pdf_with_figures_and_the_characters_people_paste(unpacked_zip):
    folder, tried = unpacked_zip / "writeup", 0
    shutil.copy(ROOT / "solutions" / "writeup" / "section3" / "recipe.png", folder / "loss.png")
    for name, todo, figure in (
        ("writeup.md", r"^\[Write here: .*\]$", "![Loss](loss.png)"),
        ("writeup.tex", r"^\\todo\{.*\}$", r"\includegraphics[width=5cm]{loss.png}"),
    ):
        answer = f"The query θ ≤ 1 − ε → α ✓ ℝ ⁿ 😀 is long.\n\n{figure}"
        filled, answers = re.subn(todo, lambda _, answer=answer: answer, (folder / name).read_text(), flags=re.MULTILINE)
        (folder / name).write_text(filled)
        assert answers == 29
    for command in commands_of((unpacked_zip / "README.md").read_text()):
        if command.startswith("cd writeup\n") and shutil.which(command.split()[2]):
            done = run(command, unpacked_zip)
            assert done.returncode == 0, done.stdout[-1000:] + done.stderr
            pages = pypdf.PdfReader(folder / "writeup.pdf").pages
            assert any(page.images for page in pages), done.stderr
            assert "≤ 1" in "".join(page.extract_text() for page in pages)
            (folder / "writeup.pdf").unlink()
            tried += 1
    if not tried:
        pytest.skip(
            "NOT TRIED: neither pdflatex nor pandoc is installed; on Debian: "
            "apt-get install pandoc texlive-latex-recommended texlive-fonts-recommended lmodern"
        )


PACKAGES = "apt-get install pandoc texlive-latex-recommended texlive-fonts-recommended texlive-luatex lmodern"


def built(command, folder):
    if not shutil.which(command[0]):
        pytest.skip(f"NOT TRIED: {command[0]} is not installed; on Debian: {PACKAGES}")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize(
    "command",
    [["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "writeup.tex"], ["pandoc", "writeup.md", "-o", "writeup.pdf"]],
)
def test_both_templates_compile_and_the_check_finds_every_heading_in_them(tmp_path, command):
    from autograder.checks.writeup.headings import locate
    from autograder.checks.writeup.review import read_pdf

    write_templates(ASSIGNMENT, tmp_path)
    done = built(command, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    lines = "\n".join(read_pdf((tmp_path / "writeup.pdf").read_bytes())["text"]).split("\n")
    assert set(locate(lines, outline(ASSIGNMENT))) >= {i.heading for i in ASSIGNMENT.written.items if i.heading}


def on_the_pages(path):
    """The letters that are visible on a PDF's pages: text that runs off the foot of a page is in the file, but not visible."""
    return letters("".join(text for page in pypdf.PdfReader(path).pages for text in visible_texts(page)))


def visible_texts(page):
    texts, bottom, top = [], float(page.mediabox.bottom), float(page.mediabox.top)

    def visit(text, matrix, line, *_):
        if bottom <= line[5] * matrix[3] + matrix[5] <= top:
            texts.append(text)

    page.extract_text(visitor_text=visit)
    return texts


def letters(text):
    return re.sub(r"[^A-Za-z]", "", unicodedata.normalize("NFKC", text))


def test_the_pdf_of_the_model_answers_loses_no_text(tmp_path):
    from autograder.authoring.model_answers import assemble

    path, _ = assemble(ASSIGNMENT, ROOT / "solutions", tmp_path)
    if path.suffix != ".pdf":
        pytest.skip(f"NOT TRIED: pandoc or pdflatex is not installed; on Debian: {PACKAGES}")
    seen, looked = on_the_pages(path), 0
    for source in sorted((ROOT / "solutions" / "writeup").glob("*.md")):
        for block in re.split(r"\n{2,}", without_title(source.read_text())):
            plain = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", block)
            for piece in re.split(r"[|\n]", plain) if plain.startswith("|") else [plain]:
                assert letters(piece) in seen, f"{source.name}: {piece!r} is not on the pages"
                looked += bool(letters(piece))
    assert looked > 100


@pytest.mark.parametrize("engine", ["pandoc", "pdflatex", "lualatex"])
def test_the_write_up_compiles_with_any_character_and_unknown_ones_show_their_code_point(tmp_path, engine):
    write_templates(ASSIGNMENT, tmp_path)
    text = (TEMPLATES / CHARACTERS).read_text()
    typed = [
        *re.findall(r"\\(?:@?is|raised|lowered)\{(.)\}", text),
        *map(chr, range(0x1D400, 0x1D800)),
        *"😀李Д\u0302\u2009\u202f\u200b",
    ]
    typed = [c for c in typed if unicodedata.category(c) != "Cn"]
    source, mark = (
        (tmp_path / "writeup.md", "[Write here: your answer.]")
        if engine == "pandoc"
        else (tmp_path / "writeup.tex", r"\todo{your answer.}")
    )
    answer = " ".join(f"a{c}b" for c in typed) + " $x²³ + x′² + 𝑞_iᵀ ≤ α$"
    source.write_text(
        source.read_text().replace(mark, answer, 1).replace("What is selecting good for?", "What is 𝑞 → ℝ 😀 good for?")
    )
    done = built(
        ["pandoc", "writeup.md", "-o", "writeup.pdf"]
        if engine == "pandoc"
        else [engine, "-interaction=nonstopmode", "-halt-on-error", "writeup.tex"],
        tmp_path,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    if engine != "lualatex":
        seen = re.sub(r"\s", "", "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "writeup.pdf").pages))
        assert "aU+1F600b" in seen and "aU+674Eb" in seen and "a≤b" in seen and "aθb" in seen and "aqb" in seen


def test_the_model_answers_pass_the_students_own_check(tmp_path):
    from autograder.authoring.model_answers import assemble
    from autograder.judging.writeup import check_file

    path, missing = assemble(ASSIGNMENT, ROOT / "solutions", tmp_path)
    if path.suffix != ".pdf":
        pytest.skip(f"NOT TRIED: pandoc or pdflatex is not installed; on Debian: {PACKAGES}")
    report = check_file(ASSIGNMENT, path)
    unwritten = tuple(chapter.split()[0] for chapter in missing)
    assert not [line for line in report.missing if not unwritten], report.lines()
    assert "there is a statement about collaborators at the beginning" in report.good
