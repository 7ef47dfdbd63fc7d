"""Forms of the studio: controls, edits of rows, and problems at their row."""

from typing import Any

import pytest

from gateway.pipelines.references import check_reference
from reelwright import ROOMS
from shared.http.operations.description import describe
from shared.operation import Operation
from tests.gateway.web.studio_script import Script

OPERATIONS = {operation.name: operation for room in ROOMS for operation in room.service.operations}
NO_CONTROL: dict[str, str] = {}
"""Parameters that forms cannot set, as service.operation.parameter, each with the reason."""
CONTROLS = {"switch", "choice", "choices", "number", "text", "colour", "curve", "points", "box", "list", "row"}

each = pytest.mark.parametrize("operation", OPERATIONS.values(), ids=list(OPERATIONS))
MOMENTS = "parametersOf(schema).find(({ name }) => name === 'moments')"


@pytest.fixture(scope="module")
def script() -> Script:
    return Script("form/schema.js", "form/rows.js", "form/problems.js", "pipelines/model.js")


@pytest.fixture
def reel() -> dict[str, Any]:
    return describe(OPERATIONS["media.reel"]).params


@each
def test_every_parameter_has_a_control(script: Script, operation: Operation) -> None:
    controls = script("parametersOf(schema).map((parameter) => [parameter.name, controlOf(parameter)])", schema=describe(operation).params)
    assert [name for name, _ in controls] == list(operation.params.model_fields)
    without = {name for name, control in controls if control not in CONTROLS}
    assert without == {name for name in operation.params.model_fields if f"{operation.name}.{name}" in NO_CONTROL}


def test_a_parameter_without_control_is_noticed(script: Script) -> None:
    schemas = [{"type": "object"}, {"anyOf": [{"type": "number"}, {"type": "string"}]}, {"type": "array", "items": {"type": "object"}}]
    schema = {"properties": {f"p{number}": given for number, given in enumerate(schemas)}}
    assert script("parametersOf(schema).map(controlOf)", schema=schema) == ["", "", ""]


@each
def test_a_new_row_is_valid_and_its_cells_have_labels(script: Script, operation: Operation) -> None:
    rows = (
        "parametersOf(schema).filter(({ type }) => type === 'list' || type === 'row').map((parameter) =>"
        " [parameter.name, parameter.type === 'list' ? [newRow(parameter.items, [])] : newRow(parameter, []),"
        "  cellsOf(parameter.items ?? parameter).map(({ label }) => label)])"
    )
    for name, value, labels in script(rows, schema=describe(operation).params):
        operation.params.model_validate(operation.example.model_dump(exclude_defaults=True) | {name: value})
        assert all(labels), name


@each
def test_results_to_take_over_exist_and_fit(script: Script, operation: Operation) -> None:
    schema = describe(operation).params
    for parameter in script("parametersOf(schema)", schema=schema):
        for source in parameter["sources"]:
            result = describe(OPERATIONS[source["operation"]]).result
            check_reference(parameter["name"], [source["field"]], "step", result, schema["properties"][parameter["name"]], schema)


def test_rows_begin_at_the_playhead_or_after_the_last(script: Script, reel: dict[str, Any]) -> None:
    rows = [{"timestamp_s": 2.5, "score": 3.0}]
    assert script(f"newRow({MOMENTS}.items, rows, 4.25)", schema=reel, rows=rows) == {"timestamp_s": 4.25}
    assert script(f"newRow({MOMENTS}.items, rows)", schema=reel, rows=rows) == {"timestamp_s": 3.5}
    spans = "parametersOf(schema).find(({ name }) => name === 'shots').items.cells[0].items"
    assert script(f"newRow({spans}, [], 1.5)", schema=reel) == {"start_s": 1.5, "end_s": 2.5}
    assert script("withValue(withValue(row, 'score', 2), 'timestamp_s', undefined)", row=rows[0]) == {"score": 2}
    assert script("withValue([0.5, 0.4, 1], 2, -1)") == [0.5, 0.4, -1]


def test_pasted_numbers_are_told_from_text(script: Script) -> None:
    assert script("['0.5, 1 2', '1\\n2.5', '3', 'a, b', ''].map(numbersIn)") == [[0.5, 1, 2], [1, 2.5], None, None, None]


def test_a_result_is_taken_over_without_fields_that_the_parameter_lacks(script: Script, reel: dict[str, Any]) -> None:
    items = [{"timestamp_s": 1.0, "score": 2.0, "path": "a.jpg", "reasons": ["sharp"]}]
    assert script(f"declaredOnly(items, {MOMENTS})", schema=reel, items=items) == [{"timestamp_s": 1.0, "score": 2.0}]


def test_problems_are_shown_at_the_row_they_name(script: Script, reel: dict[str, Any]) -> None:
    errors = [
        {"field": "params.moments.1.timestamp_s", "detail": "must be at least 0"},
        {"field": "params.most", "detail": "must be at most 1000"},
        {"field": "inputs.video.0", "detail": "unknown"},
        {"field": "", "detail": "too long"},
    ]
    sorted_ = script("sorted({ errors })", errors=errors)
    assert sorted_["inputs"] == {"video": "At 0: unknown"}
    assert sorted_["general"] == "too long"
    assert sorted_["params"]["most"] == [{"path": [], "detail": "must be at most 1000"}]
    assert script("within(problems, 1)", problems=sorted_["params"]["moments"]) == [
        {"path": ["timestamp_s"], "detail": "must be at least 0"}
    ]
    text = script(f"problemText(problems[0], {MOMENTS})", schema=reel, problems=sorted_["params"]["moments"])
    assert text == "Row 2, time: must be at least 0"


def test_problems_of_a_pipeline_are_sorted_by_step_and_field(script: Script) -> None:
    steps = [{"id": "ramp"}, {"id": "reel"}]
    errors = [{"field": "steps.reel.params.moments.0.score", "detail": "no"}, {"field": "steps.0.inputs.video", "detail": "missing"}]
    refused = script("refusals({ errors }, steps)", errors=errors, steps=steps)
    assert refused["reel"]["params"] == {"moments": [{"path": ["0", "score"], "detail": "no"}]}
    assert refused["ramp"]["inputs"] == {"video": "missing"}
    assert script("refusals({ message: 'Offline.' }, [])")[""]["general"] == "Offline."


def test_a_new_step_takes_what_earlier_steps_found(script: Script) -> None:
    operations = [
        describe(OPERATIONS[name]).model_dump(mode="json") for name in ("aesthetics.best-frames", "media.reel", "speed-ramp.render")
    ]
    best = {"id": "best_frames", "operation": "aesthetics.best-frames", "inputs": {"video": "<video>"}, "params": {}}
    reel = script("newStep(operations[1], [best], operations)", operations=operations, best=best)
    assert reel["params"] == {"moments": {"from": "best_frames.items"}}
    assert script("newStep(operations[1], [], operations).params", operations=operations) == {}


def test_the_clip_of_a_step_is_known_unless_a_step_makes_it(script: Script) -> None:
    operation = {"inputs": {"alpha": {"kinds": ["image"]}, "video": {"kinds": ["video"]}}}
    inputs = ["<video>", "0a1b", "ramp.video", "auto", None, ["<video>", "0c"]]
    ids = "inputs.map((video) => clipIdOf({ inputs: { video } }, operation, { video: 'clip' }))"
    assert script(ids, inputs=inputs, operation=operation) == ["clip", "0a1b", None, None, None, "clip"]


def test_steps_are_compared_without_the_order_of_their_settings(script: Script) -> None:
    first = [{"id": "a", "operation": "b", "inputs": {"video": "<video>", "matte": None}, "params": {"x": 1, "y": 2}}]
    second = [{"id": "a", "operation": "b", "inputs": {"video": "<video>"}, "params": {"y": 2, "x": 1}}]
    assert script("sameSteps(first, second)", first=first, second=second)
    assert not script("sameSteps(first, second)", first=first, second=[second[0] | {"params": {"x": 1}}])


def test_a_switch_that_may_be_automatic_is_a_choice(script: Script) -> None:
    schema = {"properties": {"refine": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None}, "grain": {"type": "boolean"}}}
    refine, grain = script("parametersOf(schema)", schema=schema)
    assert (refine["type"], refine["options"], refine["nullable"]) == ("choice", [True, False], True)
    assert grain["type"] == "switch"


@each
def test_labels_are_the_declared_titles(script: Script, operation: Operation) -> None:
    schema = describe(operation).params
    labels = dict(script("parametersOf(schema).map(({ name, label }) => [name, label])", schema=schema))
    assert labels == {name: declared["title"] for name, declared in schema["properties"].items()}
