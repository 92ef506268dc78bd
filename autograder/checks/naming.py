"""What kind of file a name stands for, and what to tell about those from which no code is read."""

from __future__ import annotations

from pathlib import PurePosixPath

from .kinds import MARKUP, kind_of

NOTEBOOK, SCRIPT, ARCHIVE, PDF = ".ipynb", ".py", "archive", "pdf"
CODE = "code"
TEXT = "text"  # a name that says nothing: code if there are answers in it
ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".tbz2", ".bz2", ".txz", ".xz")
WRAPPERS = (".txt", ".text", ".json")  # what mail programs and editors append to A2S1.py and A2S1.ipynb
INSTEAD = "hand in the notebook (.ipynb) or a script (.py)"
DATA = "is neither a notebook nor a script"
# Suffixes of files from which no code is read, and why: the end of a sentence about the file.
REASONS = {
    ".pdf": "is a PDF, from which no code is read",
    ".png .jpg .jpeg .gif .heic .bmp .svg .webp .tif .tiff": "is a picture, from which no code is read",
    ".doc .docx .odt .rtf .pages .md .tex .ppt .pptx .odp": f"is a document, from which no code is read: {INSTEAD}",
    ".html .htm .mht .mhtml .xhtml": "is a web page, from which no code is read: hand in the notebook itself (.ipynb)",
    ".rar .7z .zst .lz4 .z .lzma .sit .sitx .dmg .iso": "is an archive of a kind that is not opened: pack the files as .zip",
    ".url .webloc .lnk .desktop .gdoc .gsheet .icloud": "only points to a file: download that file and hand it in itself",
    ".crdownload .part .partial .download": "is an unfinished download: download it again and hand in the whole file",
    ".pyc .pyo .pyd .so .dll .exe": "is compiled code: hand in the source",
    ".csv .tsv .xls .xlsx .ods .jsonl .parquet .arrow .feather .sqlite .db .npy .npz .pt .pth .ckpt .bin .h5 .hdf5 .pkl": DATA,
    ".pickle .joblib .safetensors .onnx .gguf .toml .yml .yaml .cfg .ini .lock .log .sh .bat .bib .css .js .xml": DATA,
    ".mp4 .mov .mp3 .wav .ttf .woff .woff2 .vocab .model": DATA,
}
WHY_NOT = {suffix: reason for suffixes, reason in REASONS.items() for suffix in suffixes.split()}


def kind_of_name(name: str, suffixes: tuple[str, ...]) -> str:
    """``code`` (one of ``suffixes``), ``archive``, ``pdf``, ``text`` for names that say nothing, '' for all others."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower()
    if suffix in suffixes or (suffix in WRAPPERS and PurePosixPath(path.stem).suffix.lower() in suffixes):
        return CODE
    if suffix in ARCHIVES:
        return ARCHIVE
    if suffix == ".pdf":
        return PDF
    return "" if suffix in WHY_NOT else TEXT


def stem_of(name: str) -> str:
    """The name without its suffixes, as far as they tell its kind: ``A2S1`` for A2S1.ipynb.txt, ``hw`` for hw.tar.gz."""
    path = PurePosixPath(name)
    inner = PurePosixPath(path.stem)
    double = (path.suffix.lower() in WRAPPERS and inner.suffix.lower() in (NOTEBOOK, SCRIPT)) or inner.suffix.lower() == ".tar"
    return inner.stem if double else path.stem


def why_no_code(name: str, data: bytes = b"") -> str:
    """Why no code is read from a file, by its first bytes if there are any, otherwise by its name; '' if some may be."""
    if data:
        kind = kind_of(data)
        return f"is {kind}, whatever its name says: {INSTEAD}" if kind not in ("", MARKUP) else ""
    return WHY_NOT.get(PurePosixPath(name).suffix.lower(), "")
