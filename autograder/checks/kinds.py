"""What a file is that was given in place of another, by its first bytes, whatever its name says."""

from __future__ import annotations

MARKUP = "a web page or XML"
# How files begin. Of a zip archive, the names of its members tell which program's document it is.
STARTS = {
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\xd0\xcf\x11\xe0": "a workbook or document of an old Office (.xls, .doc)",
    b"{\\rtf": "a rich text document (.rtf)",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"SQLite format 3": "a database",
    b"Rar!": "a RAR archive",
    b"bplist0": "a property list of a Mac",
    b"<": MARKUP,
}
ZIP = b"PK\x03\x04"
MEMBERS = {
    b"word/document.xml": "a Word document (.docx)",
    b"xl/workbook": "a workbook (.xlsx)",
    b"ppt/presentation": "a presentation (.pptx)",
    b"application/vnd.oasis.opendocument.spreadsheet": "a workbook (.ods)",
    b"application/vnd.oasis.opendocument.text": "a text document (.odt)",
    b"Index/Document.iwa": "a document of Pages, Numbers or Keynote",
}


def kind_of(data: bytes) -> str:
    """What these bytes are, such as "a picture"; '' for plain text and for anything unknown."""
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(ZIP):
        return next((kind for member, kind in MEMBERS.items() if member in data), "a zip archive")
    return next((kind for first, kind in STARTS.items() if start.startswith(first)), "")
