"""Params of the speed ramp: refusals, defaults and descriptions."""

import pytest
from pydantic import ValidationError

from services.speed_ramp.analyze import AnalyzeParams
from services.speed_ramp.curve.points import CurvePoint
from services.speed_ramp.operations import OPERATIONS
from services.speed_ramp.render import RenderParams


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"min_speed": 2, "max_speed": 1}, "swap them"),
        ({"min_speed": 0.05}, "greater than or equal to 0.1"),
        ({"max_speed": 17}, "less than or equal to 16"),
        ({"curve": [{"t": 0, "speed": 1}], "speeds": [1]}, "curve or speeds, not both"),
        ({"curve": [{"t": 1, "speed": 1}, {"t": 1, "speed": 2}]}, "t must increase"),
        ({"curve": [{"t": 0, "speed": 0}]}, "greater than or equal to 0.1"),
        ({"curve": []}, "at least 1"),
        ({"speeds": [1, 0.01]}, "greater than or equal to 0.1"),
        ({"interpolation": "magic"}, "nearest"),
        ({"segment_length": 1}, "Extra inputs"),
    ],
)
def test_invalid_params_are_refused(params: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        RenderParams.model_validate(params)


def test_the_defaults_are_those_of_the_contract() -> None:
    params = AnalyzeParams()
    assert (params.segment_duration, params.min_speed, params.max_speed, params.mode) == (0.5, 0.5, 2.0, "slow_action")


def test_every_field_is_described() -> None:
    for model in [CurvePoint, *(m for operation in OPERATIONS for m in (operation.params, operation.result))]:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
