"""Inputs of two kinds, of several media, or in groups.

Of a group, one input is required.
"""

import asyncio
import json
from inspect import signature
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from pydantic import BaseModel, ValidationError

from shared.cli.operation import add_operation
from shared.errors import Invalid
from shared.http.operations.check import check
from shared.http.operations.description import describe, example_body
from shared.http.operations.request_models import request_model
from shared.operation import Input, Kind, Operation, Params
from shared.sample_ids import SAMPLE_ID, SAMPLE_PICTURE_ID
from shared.settings import Settings


class Picked(BaseModel):
    """An empty result."""


PICTURES = Input(kind=Kind.IMAGE, also=Kind.IMAGES, description="Holiday pictures.", optional=True, many=True, max_items=3)
PICK = Operation(
    name="toy.pick",
    summary="Pick",
    params=Params,
    result=Picked,
    inputs={"video": Input(kind=Kind.VIDEO, optional=True), "images": PICTURES},
    needs=("video", "images"),
    run=lambda params: Picked(),
    example=Params(),
)
KINDS = {"v": Kind.VIDEO, "i": Kind.IMAGE, "z": Kind.IMAGES, "j": Kind.JSON}


def check_inputs(**inputs: Any) -> None:
    media = SimpleNamespace(get=lambda owner, media_id: SimpleNamespace(kind=KINDS[media_id[0]], name=media_id, media=None))
    asyncio.run(check(PICK, inputs=inputs, params=Params(), owner="public", runtime=SimpleNamespace(media=media, settings=Settings())))


def test_either_kind_is_taken_and_a_third_is_not() -> None:
    check_inputs(video=None, images=["i1", "z1"])
    check_inputs(video="v1", images=None)
    with pytest.raises(Invalid, match="of kind json; this input takes image or images"):
        check_inputs(images="j1")


def test_at_least_one_of_the_needed_inputs_must_be_given() -> None:
    with pytest.raises(Invalid, match="One of video, images must be given") as refused:
        check_inputs(video=None, images=None)
    assert [error.field for error in refused.value.errors] == ["inputs.video", "inputs.images"]


def test_a_list_has_a_least_and_a_greatest_length() -> None:
    model = request_model(PICK)
    assert model.model_validate({"inputs": {"images": ["i"] * 3}}).inputs.images == ["i"] * 3
    for wrong in ([], ["i"] * 4, [1]):
        with pytest.raises(ValidationError):
            model.model_validate({"inputs": {"images": wrong}})


def test_the_description_names_the_inputs() -> None:
    description = describe(PICK)
    assert description.needs == ["video", "images"]
    images = description.inputs["images"]
    assert (images.kind, images.kinds, images.optional, images.many) == ("image", ["image", "images"], True, True)
    assert example_body(PICK)["inputs"] == {"video": SAMPLE_ID}
    only = Operation(**{**vars(PICK), "inputs": {"image": Kind.IMAGE}, "needs": ()})
    assert example_body(only)["inputs"] == {"image": SAMPLE_PICTURE_ID}
    shown = Operation(**{**vars(PICK), "inputs": {"image": Input(kind=Kind.IMAGE, optional=True, example=True)}, "needs": ()})
    assert example_body(shown)["inputs"] == {"image": SAMPLE_PICTURE_ID}


def test_the_api_and_the_command_line_describe_an_input() -> None:
    description = "Holiday pictures. Media id or URL (kind: image or images), or a list of them."
    assert description in json.dumps(request_model(PICK).model_json_schema())
    app = typer.Typer()
    add_operation(app, PICK, Settings, lambda name: None)
    (option,) = signature(app.registered_commands[0].callback).parameters["in_images"].annotation.__metadata__
    assert option.help == "Holiday pictures. A file or a URL (kind: image or images)."
