"""Presets and basic settings of the tools that the studio lists."""

import pytest

from reelwright import ROOMS
from shared.http.operations.description import describe, example_body
from shared.testing import RunningSuite

OPERATIONS = [operation for room in ROOMS for operation in room.service.operations]
TOOLS = [operation for operation in OPERATIONS if operation.is_tool]
WITHOUT_PRESETS = {
    "matting.compare": "The backends to compare are the user's question.",
    "matting.mask": "The user's clicks choose the object.",
}
"""Tools without presets, with the reason."""

MANY_SETTINGS = 3
PRESETS = [(operation, preset) for operation in OPERATIONS for preset in operation.presets]
each_preset = pytest.mark.parametrize(
    ("operation", "preset"), PRESETS, ids=[f"{operation.name}-{preset.name}" for operation, preset in PRESETS]
)


def test_every_tool_has_presets_or_a_reason():
    assert {tool.name for tool in TOOLS if not tool.presets} == set(WITHOUT_PRESETS)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_presets_differ_from_each_other(operation):
    presets = describe(operation).presets
    assert len(presets) in {0, 2, 3, 4}
    assert len({preset.name for preset in presets}) == len({preset.title for preset in presets}) == len(presets)
    results = [preset.params for preset in presets]
    assert all(params not in results[:place] for place, params in enumerate(results))


@each_preset
def test_a_preset_is_declared_in_words(operation, preset):
    assert len(preset.title) <= 22
    assert preset.sentence.endswith(".")
    assert issubclass(operation.params, type(preset.params))


@each_preset
def test_the_server_takes_each_preset(operation, preset, running: RunningSuite):
    """With the user's values for what the preset leaves open; some presets exclude an optional input, others need it."""
    about = describe(operation)
    example = example_body(operation)
    given = preset.params.model_dump(mode="json", exclude_defaults=True)
    params = {name: example["params"][name] for name in about.params.get("required", []) if name not in given} | given
    needed = {name: medium for name, medium in example["inputs"].items() if not about.inputs[name].optional or name in about.needs}
    answers = [
        running.client.post(about.urls["check"], json={"inputs": inputs, "params": params}) for inputs in (needed, example["inputs"])
    ]
    install = operation.unavailable(preset.params)
    if install:
        assert any(answer.status_code == 503 and install in answer.json()["detail"] for answer in answers), [
            answer.text for answer in answers
        ]
    else:
        taken = [answer.json()["params"] for answer in answers if answer.status_code == 200]
        assert taken, [answer.text for answer in answers]
        assert taken[0].items() >= given.items()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_a_form_begins_with_three_to_five_settings(operation):
    groups = [schema["group"] for schema in describe(operation).params["properties"].values()]
    assert min(MANY_SETTINGS, len(groups)) <= groups.count("basics") <= 5
