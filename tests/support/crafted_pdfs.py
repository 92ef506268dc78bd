"""PDFs written by hand, byte by byte: whole ones, and ones that loop, lie or unpack to far more than they are."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping

SAYS = "Section 1.2.1 attention selects"
TEXT = f"BT /F1 12 Tf 72 700 Td ({SAYS}) Tj ET".encode()
FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] "
CATALOG, FONT = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"


def stream(data: bytes, more: bytes = b"") -> bytes:
    packed = zlib.compress(data, 9)
    return b"<< /Length %d /Filter /FlateDecode %s>>\nstream\n%s\nendstream" % (len(packed), more, packed)


def page(draws: bytes = b"", content: bytes = b"4 0 R", more: bytes = b"") -> bytes:
    """A page; ``draws``: the object that its text calls /X."""
    drawn = b"/XObject << /X %s >>" % draws if draws else b""
    resources = b"<< /Font << /F1 5 0 R >> %s >>" % drawn
    return b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources %s /Contents %s %s>>" % (resources, content, more)


def pages(kids: bytes = b"3 0 R", count: int = 1, more: bytes = b"") -> bytes:
    return b"<< /Type /Pages /Kids [%s] /Count %d %s>>" % (kids, count, more)


WHOLE = {1: CATALOG, 2: pages(), 3: page(), 4: stream(TEXT), 5: FONT}


def laid_out(objects: Mapping[int, bytes]) -> tuple[bytes, dict[int, int]]:
    """The objects one after the other, and where each begins."""
    out, starts = b"%PDF-1.7\n", {}
    for number, body in objects.items():
        starts[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    return out, starts


def file(changed: Mapping[int, bytes] = {}, before: bool = False) -> bytes:
    """WHOLE with some objects changed; ``before``: its table of objects names itself as the one before it."""
    out, starts = laid_out({**WHOLE, **changed})
    size, here = max(starts) + 1, len(out)
    rows = [b"%010d 00000 n \n" % starts[n] if n in starts else b"0000000000 65535 f \n" for n in range(size)]
    previous = b"/Prev %d " % here if before else b""
    table = b"xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R %s>>\n" % (size, b"".join(rows), size, previous)
    return out + table + b"startxref\n%d\n%%%%EOF\n" % here


def with_object_stream(holder: bytes, outside: bool = False, index: bytes = b"") -> bytes:
    """Objects 1, 2, 3 and 5 lie in object 10, which ``outside`` claims to lie in itself."""
    inside = (1, 2, 3, 5)
    out, starts = laid_out({4: WHOLE[4], 10: holder})
    here, rows = len(out), b""
    for number in range(12):
        kind, place, more = (1, starts[number], 0) if number in starts else (0, 0, 0)
        if number in inside or (outside and number == 10):
            kind, place, more = 2, 10, inside.index(number) if number in inside else 0
        if number == 11:
            kind, place, more = 1, here, 0
        rows += bytes([kind]) + place.to_bytes(4, "big") + more.to_bytes(2, "big")
    table = stream(rows, b"/Type /XRef /W [1 4 2] /Size 12 /Root 1 0 R %s" % index)
    return out + b"11 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (table, here)


def held(more: bytes = b"", count: int = 4) -> bytes:
    """The object that holds the others."""
    head, body = b"", b""
    for number in (1, 2, 3, 5):
        head += b"%d %d " % (number, len(body))
        body += WHOLE[number] + b" "
    return stream(head + body, b"/Type /ObjStm /N %d /First %d %s" % (count, len(head), more))


def twice(data: bytes) -> bytes:
    packed = zlib.compress(zlib.compress(data, 9), 9)
    return b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(packed), packed)


def picture(data: bytes, code: bytes) -> bytes:
    head = b"/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    return b"<< %s /Filter /%s /Length %d >>\nstream\n%s\nendstream" % (head, code, len(data), data)


DRAWN = stream(TEXT + b" q 400 0 0 400 0 0 cm /X Do Q")
FORMS = {n: stream(b"/X Do " * 10, FORM + b"/Resources << /XObject << /X %d 0 R >> >> " % (n + 1)) for n in range(6, 16)}

# name -> the file, made when it is tried. READABLE ones give the page's text all the same.
READABLE: dict[str, Callable[[], bytes]] = {
    "a whole one": file,
    "an object stream": lambda: with_object_stream(held()),
    "an object stream that goes on in itself": lambda: with_object_stream(held(b"/Extends 10 0 R ")),
    "a table that goes on in itself": lambda: file(before=True),
    "a table that claims two thousand million entries": lambda: with_object_stream(held(), index=b"/Index [0 2000000000] "),
    "a count of pages that is not true": lambda: file({2: pages(count=10**9)}),
    "pages whose parent is themselves": lambda: file({2: pages(more=b"/Parent 2 0 R ")}),
    "a form that draws itself": lambda: file(
        {3: page(b"6 0 R"), 4: DRAWN, 6: stream(b"/X Do", FORM + b"/Resources << /XObject << /X 6 0 R >> >> ")}
    ),
    "forms that draw the next ten times": lambda: file({3: page(b"6 0 R"), 4: DRAWN, **FORMS, 16: stream(b"n", FORM)}),
    "JBIG2": lambda: file({3: page(b"6 0 R"), 4: DRAWN, 6: picture(bytes(20), b"JBIG2Decode")}),
    "a picture that is a bomb": lambda: file(
        {3: page(b"6 0 R"), 4: DRAWN, 6: picture(zlib.compress(bytes(100_000_000), 9), b"FlateDecode")}
    ),
    "deep arrays": lambda: file({3: page(more=b"/Annots 6 0 R "), 6: b"[" * 200_000 + b"]" * 200_000}),
}
OTHERS: dict[str, Callable[[], bytes]] = {
    "pages in themselves": lambda: file({2: pages(b"2 0 R 3 0 R", 2)}),
    "pages in pages in the first": lambda: file({2: pages(b"6 0 R", 2), 6: pages(b"2 0 R", 2)}),
    "one page a million times": lambda: file({2: pages(b"3 0 R " * 1_000_000, 1_000_000)}),
    "one page a thousand million times": lambda: file(
        {2: pages(b"6 0 R " * 1000, 10**9), 6: pages(b"7 0 R " * 1000, 10**6), 7: pages(b"3 0 R " * 1000, 1000)}
    ),
    "text that unpacks to much": lambda: file({4: stream(TEXT + b" " * 100_000_000)}),
    "text that unpacks twice": lambda: file({4: twice(TEXT + b" " * 200_000_000)}),
    "text of a page, very often": lambda: file({3: page(content=b"[" + b"4 0 R " * 300_000 + b"]")}),
    "a length that is its own object": lambda: file({4: b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream"}),
    "more objects than an object stream has": lambda: with_object_stream(held(count=10**9)),
    "an object stream in itself": lambda: with_object_stream(b"", outside=True),
    "an object stream that is a bomb": lambda: with_object_stream(
        stream(b"1 0 " * 25_000_000, b"/Type /ObjStm /N 25000000 /First 100000000 ")
    ),
}
