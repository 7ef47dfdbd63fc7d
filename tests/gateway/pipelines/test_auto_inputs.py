"""Inputs given as "auto": another operation runs first and makes them."""

from pathlib import Path

import httpx
import pytest

from gateway.pipelines.auto_inputs import asks_for_auto, maker_of, step_that_makes
from gateway.pipelines.steps import Step
from services.background.app import create_app
from services.background.plate import PLATE
from services.matting.matte import MATTE
from shared.errors import Invalid
from shared.http.operations.description import describe
from shared.operation import params_of_maker
from shared.runtime import Runtime
from shared.sample_ids import SAMPLE_ID, SAMPLE_MATTE_ID, SAMPLE_PICTURE_ID
from shared.settings import Settings
from shared.testing import RunningSuite

DECLARATIONS = {operation.name: describe(operation) for operation in (PLATE, MATTE)}


def test_the_declaration_names_the_operation_that_makes_an_auto_input() -> None:
    step = Step(id="plate", operation="background.plate", inputs={"video": SAMPLE_ID, "alpha": "auto"})
    assert asks_for_auto(step.inputs)
    operation, output = maker_of(step.operation, "alpha", DECLARATIONS)
    assert (operation, output) == ("matting.matte", "alpha")
    maker = step_that_makes(step, "alpha", operation, DECLARATIONS[operation], 0)
    assert maker.inputs == {"video": SAMPLE_ID}
    assert maker.operation == "matting.matte"


async def test_a_service_without_a_gateway_names_the_operation_to_run_first(tmp_path: Path) -> None:
    app = create_app(Runtime(Settings(data_dir=tmp_path)), reachable_by_browsers=False)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://background") as client:
        answer = await client.post("/plate/check", json={"inputs": {"video": "pending:video", "alpha": "auto"}})
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == ["inputs.alpha"]
    assert "run matting.matte first" in answer.json()["detail"]


def test_inputs_that_cannot_be_made_are_refused_by_name() -> None:
    step = Step(id="plate", operation="background.plate", inputs={"video": "auto", "alpha": "auto"})
    with pytest.raises(Invalid, match="'video' cannot be \"auto\"") as refused:
        maker_of(step.operation, "video", DECLARATIONS)
    assert refused.value.errors[0].field == "inputs.video"
    alone = Step(id="plate", operation="background.plate", inputs={"alpha": "auto"})
    with pytest.raises(Invalid, match="needs video: give this input"):
        step_that_makes(alone, "alpha", "matting.matte", DECLARATIONS["matting.matte"], 0)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, {}),
        ({"start": 2.0}, {"start": 2.0, "keep_times": True}),
        ({"duration": 1.5}, {"duration": 1.5}),
        ({"start": 2, "duration": 1.5}, {"start": 2, "duration": 1.5, "keep_times": True}),
        ({"start": {"from": "shots.start"}}, {}),
    ],
)
def test_an_auto_input_is_made_for_the_requested_part_of_the_clip(params: dict[str, float], expected: dict[str, float]) -> None:
    step = Step(id="plate", operation="background.plate", inputs={"video": SAMPLE_ID, "alpha": "auto"}, params=params)
    assert step_that_makes(step, "alpha", "matting.matte", DECLARATIONS["matting.matte"], 0).params == expected


def test_an_auto_input_that_cannot_keep_times_is_made_from_the_first_frame() -> None:
    assert params_of_maker({"start": 2, "duration": 1.5}, ["start", "duration"]) == {"duration": 3.5}


@pytest.mark.parametrize(
    ("operation", "inputs", "params", "field"),
    [
        ("background/studio", ("video", "alpha"), {"depth": "plane"}, "params.prompt"),
        ("background/studio", ("video", "alpha", "background"), {"depth": "plane", "prompt": "a beach"}, "params.prompt"),
        ("background/composite", ("video", "alpha"), {"shadow": "keep"}, "params.shadow"),
        ("background/generate", ("video", "alpha"), {"prompt": "  "}, "params.prompt"),
        ("background/generate", ("video", "alpha"), {"prompt": "a beach", "scheduler": "lcm"}, "params"),
        ("matting/matte", ("video",), {"backend": "difference"}, "inputs.plate"),
        ("matting/matte", ("video",), {"backend": "chroma", "subject": "mask"}, "inputs.mask"),
        ("matting/mask", ("video",), {"backend": "matanyone"}, "params.backend"),
        ("aesthetics/best-frames", ("images",), {"group_by": "shot", "scorer": "technical", "shots": [{"shots": []}]}, "params.group_by"),
    ],
)
def test_requests_that_can_never_run_are_refused_before_the_queue(
    running: RunningSuite, operation: str, inputs: tuple[str, ...], params: dict[str, object], field: str
) -> None:
    media = {"video": SAMPLE_ID, "alpha": SAMPLE_MATTE_ID, "background": SAMPLE_PICTURE_ID, "images": [SAMPLE_PICTURE_ID]}
    body = {"inputs": {name: media[name] for name in inputs}, "params": params}
    for action in ("check", "jobs"):
        answer = running.client.post(f"/v1/{operation}/{action}", json=body)
        assert answer.status_code == 422, answer.text
        assert answer.json()["errors"][0]["field"] == field


def test_a_refused_request_with_an_auto_input_names_its_own_fields(running: RunningSuite) -> None:
    body = {"inputs": {"video": SAMPLE_ID, "alpha": "auto"}, "params": {"match": 7}}
    answer = running.client.post("/v1/background/composite/jobs", json=body)
    # With or without weights for the matte: what the request itself says comes first.
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "params.match"
    first = {"id": "auto-alpha-1", "operation": "media.transcode", "inputs": {"video": SAMPLE_ID}}
    second = {"id": "plate", "operation": "background.plate", "inputs": {"video": SAMPLE_ID, "alpha": "auto"}, "params": {"start": 1}}
    steps = running.client.post("/v1/pipelines/check", json={"steps": [first, second]})
    if steps.status_code == 200:
        assert [step["id"] for step in steps.json()["steps"]] == ["auto-alpha-1", "auto-alpha-2", "plate"]
        assert steps.json()["steps"][1]["params"]["keep_times"]
    unknown = running.client.post("/v1/background/nothing/jobs", json=body)
    assert unknown.status_code == 404
    assert "steps" not in unknown.text


def test_a_job_with_an_auto_input_is_checked_as_a_pipeline(running: RunningSuite) -> None:
    # Without model weights, no matte can be made: the refusal must come from the step that makes the matte, with the command to run.
    body = {"inputs": {"video": SAMPLE_ID, "alpha": "auto"}, "params": {}}
    answer = running.client.post("/v1/background/plate/check", json=body)
    if answer.status_code == 200:
        assert [step["operation"] for step in answer.json()["steps"]] == ["matting.matte", "background.plate"]
        assert answer.json()["steps"][1]["inputs"]["alpha"] == "auto-alpha-0.alpha"
    else:
        assert answer.status_code == 503
        assert "matting.matte" in answer.json()["detail"]
        assert "reelwright models pull" in answer.json()["detail"]


def test_other_inputs_are_never_auto(running: RunningSuite) -> None:
    body = {"inputs": {"video": "auto", "alpha": SAMPLE_ID}, "params": {}}
    answer = running.client.post("/v1/background/plate/jobs", json=body)
    assert answer.status_code == 422
    assert "'video' cannot be \"auto\"" in answer.json()["detail"]
    wrong = running.client.post("/v1/background/plate/jobs", json={"inputs": {"video": SAMPLE_ID, "alpha": "auto"}, "extra": 1})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["field"] == "extra"


def test_the_listing_says_which_inputs_can_be_made(running: RunningSuite) -> None:
    listed = {operation["name"]: operation for operation in running.client.get("/v1/operations").json()}
    assert listed["background.composite"]["inputs"]["alpha"]["auto"] == "matting.matte.alpha"
    assert "auto" not in listed["background.composite"]["inputs"]["video"]
