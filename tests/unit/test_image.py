"""What is handed to the image as an archive and is none is refused in one line, before anything is built."""

import io
import zipfile

import pytest

from autograder.core.errors import GraderError
from autograder.gradescope import image


def zipped(**members):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


ARCHIVES = {
    "nothing": b"",
    "text": b"not a zip",
    "cut off": zipped(a="x" * 1000)[:600],
    "another zip": zipped(a="x"),
    "damaged": zipped(**{"course.txt": "x" * 99, "references.safetensors": "y"}).replace(b"xxxx", b"xyzx"),
    "an archive in which one file is missing": zipped(**{"course.txt": "447", "assignment/rubric.toml": ""}),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_an_archive_that_is_none_is_refused_in_one_line(tmp_path, monkeypatch, what):
    monkeypatch.setenv("ENGINE", "true")
    archive, dockerfile = tmp_path / "autograder.zip", tmp_path / "Dockerfile"
    archive.write_bytes(ARCHIVES[what])
    dockerfile.touch()
    with pytest.raises(GraderError, match="is not an archive made by") as error:
        image.build_image(archive, dockerfile, "name")
    assert "\n" not in str(error.value)
