"""Settings of a tool in the studio: params that exclude each other, and params that come with an input."""

from typing import Any

import pytest

from reelwright import ROOMS
from shared.http.operations.description import describe
from shared.operation import Operation
from tests.gateway.web.studio_script import Script

OPERATIONS = {operation.name: operation for room in ROOMS for operation in room.service.operations}
NEEDS = {
    f"{name}.{field}": needed
    for name, operation in OPERATIONS.items()
    for field, declared in describe(operation).params["properties"].items()
    if (needed := declared.get("only_with"))
}
"""Parameters that need values of others, as service.operation.parameter."""
LATE = {"subject": "mask", "start": 2.0, "keep_times": True}
"""Params that come with a mask of a late frame."""


@pytest.fixture(scope="module")
def script() -> Script:
    return Script("base/declared.js", "tool/settings.js", "form/schema.js")


@pytest.fixture(scope="module")
def matte() -> dict[str, Any]:
    return describe(OPERATIONS["matting.matte"]).model_dump(mode="json")


def given(script: Script, operation: dict[str, Any], before: dict[str, Any], mask: str | None, **params: Any) -> dict[str, Any]:
    """Give a mask to a tool; return its settings then."""
    call = "withInput(operation, before, 'mask', mask, own)"
    settings: dict[str, Any] = script(call, operation=operation, before=before, mask=mask, own=params)
    return settings


def test_some_parameter_needs_a_value_of_another() -> None:
    assert NEEDS["matting.matte.keep_times"] == {"alpha_format": "gray"}


@pytest.mark.parametrize("name", NEEDS)
def test_params_beside_values_that_they_need_are_declared(name: str) -> None:
    operation: Operation = OPERATIONS[name.rpartition(".")[0]]
    properties = describe(operation).params["properties"]
    for other, value in NEEDS[name].items():
        assert value in properties[other]["enum"]


@pytest.mark.parametrize(("alpha_format", "allowed"), [("gray", True), ("prores", False), ("vp9", False), ("png", False)])
def test_the_studio_keeps_params_that_the_server_accepts(script: Script, matte: dict[str, Any], alpha_format: str, allowed: bool) -> None:
    params = script("changedParams(operation, params, changes)", operation=matte, params=LATE, changes={"alpha_format": alpha_format})
    assert params == {name: value for name, value in LATE.items() if allowed or name != "keep_times"} | {"alpha_format": alpha_format}
    OPERATIONS["matting.matte"].params.model_validate(params)


@pytest.mark.parametrize("alpha_format", ["gray", "png"])
def test_a_field_names_the_value_that_it_lacks(script: Script, matte: dict[str, Any], alpha_format: str) -> None:
    call = "parametersOf(schema).map((parameter) => lackOf(parameter, parametersOf(schema), values)).filter(Boolean)"
    sentences = script(call, schema=matte["params"], values={"alpha_format": alpha_format})
    assert sentences == ([] if alpha_format == "gray" else ["Only with Matte format: Gray video."])


def test_a_mask_takes_its_params_along(script: Script, matte: dict[str, Any]) -> None:
    before = {"inputs": {}, "params": {"quality": 80, "duration": 1}, "brought": {}}
    late = given(script, matte, before, "01", **LATE)
    assert late["params"] == {"quality": 80, "duration": 1} | LATE
    first = given(script, matte, late, "02", subject="mask")
    assert first["params"] == {"quality": 80, "duration": 1, "subject": "mask"}
    none = given(script, matte, late, None)
    assert none["params"] == before["params"]
    changed = given(script, matte, late | {"params": late["params"] | {"start": 3}}, None)
    assert changed["params"] == before["params"] | {"start": 3}  # the user's own


def test_a_preset_keeps_what_belongs_to_the_mask(script: Script, matte: dict[str, Any]) -> None:
    presets = {preset.name: preset.params.model_dump(exclude_defaults=True) for preset in OPERATIONS["matting.matte"].presets}
    for name, expected in (
        ("subject", LATE),
        ("main", LATE | presets["main"]),
        ("editing", {"subject": "mask", "start": 2.0} | presets["editing"]),
    ):
        params = script("withPreset(operation, {}, preset, { brought })", operation=matte, preset=presets[name], brought=LATE)
        assert params == expected
        OPERATIONS["matting.matte"].params.model_validate(params)


def test_a_preset_keeps_required_values_that_it_leaves_open(script: Script) -> None:
    reel = describe(OPERATIONS["media.reel"]).model_dump()
    presets = {preset["name"]: preset["params"] for preset in reel["presets"]}
    moments = [{"timestamp_s": 1, "score": 2}]
    params = {"moments": moments, "quality": 50}
    for name, before in (("teaser", ""), ("fast", "teaser"), ("", "fast")):
        values = {"preset": presets.get(name, {}), "before": presets.get(before, {})}
        params = script("withPreset(operation, params, preset, { before })", operation=reel, params=params, **values)
        assert params == {"moments": moments} | values["preset"]


def test_a_required_value_of_a_preset_goes_with_it(script: Script) -> None:
    painting = describe(OPERATIONS["background.generate"]).model_dump()
    beach, city = (next(preset["params"] for preset in painting["presets"] if preset["name"] == name) for name in ("beach", "city"))
    call = "withPreset(operation, params, preset, { before })"
    assert script(call, operation=painting, params=beach, preset=city, before=beach) == city
    assert script(call, operation=painting, params=beach, preset={}, before=beach) == {}
    own = {"prompt": "a forest"}
    assert script(call, operation=painting, params=own, preset={}, before={}) == own
