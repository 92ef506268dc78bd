"""What is handed to the image as an archive and is none is refused in one line, before anything is built."""

import errno
import io
import zipfile

import pytest

from autograder.core.errors import GraderError
from autograder.gradescope import image
from autograder.gradescope.archive import opened


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
    "damaged": zipped(**{"course.txt": "x" * 99, "reference.safetensors": "y"}).replace(b"xxxx", b"xyzx"),
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


def test_a_disk_that_is_full_is_not_told_as_an_archive_that_is_none(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    archive = tmp_path / "autograder.zip"
    members = {"course.txt": "447", "reference.safetensors": "", "assignment/rubric.toml": ""}
    archive.write_bytes(zipped(**members))
    monkeypatch.setattr(zipfile.ZipFile, "extractall", full)
    with pytest.raises(GraderError, match=r"^cannot unpack .*autograder\.zip: No space left on device$"), opened(archive):
        pass
    monkeypatch.undo()
    with opened(archive) as unpacked:
        assert unpacked.course == "447"
