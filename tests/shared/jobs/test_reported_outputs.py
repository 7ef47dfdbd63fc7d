"""Outputs that a worker process reports are checked against the operation's declaration."""

from dataclasses import replace
from typing import Any

import pytest

from shared.errors import OperationFailed
from shared.file_calls import ProbedFile
from shared.jobs.running.files.reported_outputs import check_outputs
from shared.media_info import ImageInfo, PicturesInfo
from shared.operation import Kind
from tests.misbehaving.operations import OPERATIONS

OPERATION = replace(OPERATIONS[0], outputs={"page": Kind.HTML, "picture": Kind.IMAGE, "pictures": Kind.IMAGES})
PAGE = ProbedFile(kind=Kind.HTML, content_type="text/html; charset=utf-8", suffix=".html", media=None)
PICTURE = replace(
    PAGE, kind=Kind.IMAGE, content_type="image/png", suffix=".png", media=ImageInfo.model_construct(kind="image", width=4, height=4)
)
PICTURES = replace(
    PAGE, kind=Kind.IMAGES, content_type="application/zip", suffix=".zip", media=PicturesInfo(pictures=1, unpacked_bytes=9, other_files=[])
)


def test_declared_outputs_pass() -> None:
    check_outputs(OPERATION, {"page": PAGE, "picture": PICTURE, "pictures": PICTURES})
    check_outputs(OPERATION, {})


@pytest.mark.parametrize("name", ["../../x", "", "other", "page/../x"])
def test_an_undeclared_output_is_refused(name: str) -> None:
    with pytest.raises(OperationFailed, match=r"does not declare: .*a defect of the operation, not of the input"):
        check_outputs(OPERATION, {"page": PAGE, name: PAGE})


@pytest.mark.parametrize(
    ("file", "change", "sentence"),
    [
        ("page", {"content_type": "Text/HTML"}, "a wrong file type of its output 'page'"),
        ("page", {"content_type": "text/html ;x"}, "a wrong file type"),
        ("page", {"suffix": "/../x.html"}, "a wrong file type"),
        ("page", {"kind": Kind.JSON, "content_type": "application/json", "suffix": ".json"}, "a file of kind 'json' as its 'html' output"),
        ("page", {"media": PICTURE.media}, "wrong properties"),
        ("picture", {"content_type": "image/svg+xml", "suffix": ".svg"}, "a wrong file type"),
        ("picture", {"content_type": "text/html"}, "a wrong file type"),
        ("picture", {"media": None}, "wrong properties"),
        ("pictures", {"media": PicturesInfo(pictures=1, unpacked_bytes=9, other_files=["x" * 1000] * 5000)}, "wrong properties"),
        ("picture", {"media": PICTURES.media}, "wrong properties"),
    ],
)
def test_a_forged_property_is_refused(file: str, change: dict[str, Any], sentence: str) -> None:
    files = {"page": PAGE, "picture": PICTURE, "pictures": PICTURES}
    with pytest.raises(OperationFailed, match=sentence):
        check_outputs(OPERATION, files | {file: replace(files[file], **change)})
