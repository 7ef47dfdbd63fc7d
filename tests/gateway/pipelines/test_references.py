"""References from a step's params to an earlier step's result."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from gateway.pipelines.references import check_reference, least, references, stand_in, value_at
from services.keyframes.detect import DETECT
from services.speed_ramp.analyze import ANALYZE
from services.speed_ramp.render import RENDER
from shared.errors import Invalid
from shared.sample_ids import SAMPLE_ID
from shared.testing import RunningSuite


class Point(BaseModel):
    at: float = Field(gt=2)
    kind: Literal["cut", "fade"]
    note: str = ""


class Wanted(BaseModel):
    points: Annotated[list[Point], Field(min_length=2)] | None = None
    count: int = Field(ge=3)
    name: str = Field(min_length=4)


SCHEMA = Wanted.model_json_schema()


def test_the_smallest_value_for_a_schema_is_valid() -> None:
    value = {name: least(schema, SCHEMA) for name, schema in SCHEMA["properties"].items()}
    assert value == {"points": [{"at": 3, "kind": "cut"}] * 2, "count": 3, "name": "xxxx"}
    Wanted.model_validate(value)


class Odd(BaseModel):
    share: float = Field(gt=0, le=0.5)
    below: float = Field(le=-5)
    third: int = Field(gt=2, le=3)
    pairs: Annotated[list[tuple[float, int]], Field(min_length=2)]
    color: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")] | None = None
    speed: float = Field(4, gt=0.1)


def test_a_stand_in_value_fits_narrow_ranges_pairs_and_patterns() -> None:
    schema = Odd.model_json_schema()
    value = Odd.model_validate({name: stand_in(field, schema) for name, field in schema["properties"].items()})
    assert (value.third, value.pairs, value.color, value.speed) == (3, [(0, 0), (0, 0)], None, 4)
    check_reference("a", ["pairs", "0", "1"], "one", schema, {}, {})
    with pytest.raises(Invalid, match=r"no field 'pairs\.0\.2'"):
        check_reference("a", ["pairs", "0", "2"], "one", schema, {}, {})


def test_a_value_of_another_type_is_refused() -> None:
    schema = Odd.model_json_schema()
    check_reference("speed", ["count"], "one", SCHEMA, schema["properties"]["speed"], schema)
    check_reference("color", ["points", "0", "kind"], "one", SCHEMA, schema["properties"]["color"], schema)
    with pytest.raises(Invalid, match="points of step 'one' is array of object; this param takes array of integer or array of number"):
        check_reference(
            "pairs", ["points"], "one", SCHEMA, {"type": "array", "items": {"anyOf": [{"type": "number"}, {"type": "integer"}]}}, {}
        )
    with pytest.raises(Invalid, match="name of step 'one' is string; this param takes number"):
        check_reference("speed", ["name"], "one", SCHEMA, schema["properties"]["speed"], schema)


def test_objects_without_the_fields_of_the_param_are_refused() -> None:
    shots, curve = DETECT.result.model_json_schema(), RENDER.params.model_json_schema()
    with pytest.raises(Invalid, match=r"videos\.0\.shots of step 'k' has no t, speed, which this param needs"):
        check_reference("curve", ["videos", "0", "shots"], "k", shots, curve["properties"]["curve"], curve)
    check_reference("curve", ["curve"], "look", ANALYZE.result.model_json_schema(), curve["properties"]["curve"], curve)


def test_only_references_are_found() -> None:
    params = {"a": {"from": "one.points.0.at"}, "b": {"from": "x", "to": "y"}, "c": [{"from": "one.x"}], "d": 3}
    assert references(params) == {"a": ("one", ["points", "0", "at"])}
    for wrong in ("one", "one.", ".x", "one.a b", "One.x", "one" + ".x" * 17, 3, None):
        with pytest.raises(Invalid, match=r"params\.a: .*is not a reference"):
            references({"a": {"from": wrong}})


def test_a_path_must_exist_in_the_result_schema() -> None:
    for path in (["points"], ["points", "7", "kind"], ["count"]):
        check_reference("a", path, "one", SCHEMA, {}, {})
    with pytest.raises(Invalid, match="it has the fields count, name, points"):
        check_reference("a", ["speed"], "one", SCHEMA, {}, {})
    with pytest.raises(Invalid, match="'points' is a list with the items 0, 1 and so on"):
        check_reference("a", ["points", "first"], "one", SCHEMA, {}, {})
    with pytest.raises(Invalid, match="'count' has no fields"):
        check_reference("a", ["count", "x"], "one", SCHEMA, {}, {})


def test_values_are_taken_from_the_result() -> None:
    result = {"points": [{"at": 3.5}], "count": 1}
    assert value_at(result, ["points", "0", "at"], "one") == 3.5
    for path in (["points", "1"], ["points", "x"], ["nothing"], ["count", "x"], ["count", "0"]):
        with pytest.raises(Invalid, match="step 'one' has no value at"):
            value_at(result, path, "one")


def steps(**params: object) -> dict[str, object]:
    first = {"id": "look", "operation": "speed-ramp.analyze", "inputs": {"video": SAMPLE_ID}, "params": {"max_speed": 3}}
    second = {"id": "ramp", "operation": "speed-ramp.render", "inputs": {"video": SAMPLE_ID}, "params": {"audio": "drop"} | params}
    return {"steps": [first, second]}


def test_a_pipeline_passes_results_to_later_steps(running: RunningSuite) -> None:
    body = steps(curve={"from": "look.curve"})
    checked = running.client.post("/v1/pipelines/check", json=body).json()["steps"][1]["params"]
    assert (checked["curve"], checked["interpolation"]) == ({"from": "look.curve"}, "nearest")
    job = running.client.post("/v1/pipelines/jobs", json=body, headers={"Prefer": "wait=60"}).json()
    assert job["status"] == "succeeded", job["error"]
    look, ramp = (running.client.get(f"/v1/jobs/{step['job']}").json() for step in job["result"]["steps"])
    points = [(point["t"], point["speed"]) for point in ramp["params"]["curve"]]
    assert points == [(point["t"], point["speed"]) for point in look["result"]["curve"]]


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ("look.speed", "has no field 'speed'"),
        ("later.curve", "no earlier step 'later' (earlier steps: look)"),
        ("ramp.curve", "no earlier step 'ramp'"),
        ("curve", "is not a reference"),
    ],
)
def test_a_broken_reference_is_refused_before_the_first_step(running: RunningSuite, value: str, detail: str) -> None:
    answer = running.client.post("/v1/pipelines/check", json=steps(curve={"from": value}))
    assert answer.status_code == 422, answer.text
    assert detail in answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == "steps.1.params.curve"
