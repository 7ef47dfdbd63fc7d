"""The studio's code names no parameter or input, only roles and widgets."""

import re
from pathlib import Path
from typing import get_args

import pytest

from reelwright import ROOMS
from shared.operation import InputRole, Kind, ParamRole, Widget

STUDIO = Path(__file__).parents[3] / "gateway" / "studio"
OPERATIONS = [operation for room in ROOMS for operation in room.service.operations]
NAMES = {name for operation in OPERATIONS for name in (*operation.params.model_fields, *operation.inputs)}
DECLARED = {*get_args(Widget), *get_args(InputRole), *get_args(ParamRole), *Kind}
"""Words of the declarations by which the page goes. Some of them are names, too."""

COMMON = {
    "blur": "an event",
    "canvas": "an element",
    "color": "a property of styles",
    "content": "a part of a document",
    "layers": "an icon",
    "light": "a colour scheme",
}
OWN_PROPERTIES = "properties of the elements themselves"
OF_JOBS = "the record of a job, whose operation may no longer be installed"
CUT = "of the step with media.transcode that the preview adds"
OUTPUTS = "names of outputs, which have no roles"
ELSEWHERE = {
    "base/outputs.js": {"alpha": OUTPUTS, "video": OF_JOBS, "steps": OF_JOBS},
    "composite/composite_bench.js": {"background": OUTPUTS, "depth": OUTPUTS, "model": "a value of the role depth_source"},
    "form/param_field.js": {"reference": "a kind of control"},
    "jobs/job_text.js": {"steps": OF_JOBS},
    "keyframes/keyframe_picker.js": {"shots": OWN_PROPERTIES},
    "keyframes/picks.js": {"start": "a kind of cut"},
    "keyframes/shot_timeline.js": {"threshold": OWN_PROPERTIES},
    "pipelines/pipelines.js": {"steps": OF_JOBS},
    "pipelines/preview.js": {"start": CUT, "duration": CUT, "video": CUT},
    "ramp/ramp.js": {"start": "a field of a segment"},
    "result/compare_view.js": {"alpha": OUTPUTS, "background": OWN_PROPERTIES, "mode": OWN_PROPERTIES},
    "result/figures.js": {"frame_rate": "a field of results", "steps": OF_JOBS},
    "result/mapping.js": {"start": OF_JOBS, "steps": OF_JOBS, "video": OF_JOBS},
    "result/paint.js": {"alpha": "a way to look at a matte"},
    "viewer/frame_source.js": {"key": "a kind of chunk"},
}
"""Words with another meaning in one file: file -> {word: meaning}."""

LITERAL = re.compile(r"""(?<![\w-]=)["']([a-z][a-z0-9_]*)["']""")  # not an attribute of HTML, such as type="text"
MEMBER = re.compile(r"\b(?:params|inputs|properties)\??\.([a-z][a-z0-9_]*)")
KEY = re.compile(r"\b(?:params|inputs): \{ ([a-z][a-z0-9_]*)\b(?!\()")
UNPACKED = re.compile(r"\{([^{}]*)\} = [\w.#]*\b(?:params|inputs|properties)\b")


def words_in(script: str) -> tuple[set[str], set[str]]:
    """Return a script's words in strings, and its words that select a parameter.

    Words that select an input are among the latter.
    """
    code = re.sub(r"/\*.*?\*/|(?<=\s)//[^\n]*|^//[^\n]*", "", script, flags=re.DOTALL | re.MULTILINE)
    unpacked = {word for names in UNPACKED.findall(code) for word in re.findall(r"[a-z][a-z0-9_]*", names)}
    return set(LITERAL.findall(code)), {*MEMBER.findall(code), *KEY.findall(code), *unpacked}


@pytest.mark.parametrize("path", sorted(STUDIO.rglob("*.js")), ids=lambda path: str(path.relative_to(STUDIO)))
def test_a_module_names_no_parameter_or_input(path: Path) -> None:
    literals, selected = words_in(path.read_text(encoding="utf-8"))
    allowed = ELSEWHERE.get(str(path.relative_to(STUDIO)), {}).keys()
    assert (literals & NAMES) - DECLARED - COMMON.keys() - allowed == set()
    assert (selected & NAMES) - allowed == set()


def test_names_are_found() -> None:
    script = 'if (name === "subject") this.params.curve = 1; const { alpha } = this.inputs; // "feather"\nrun({ inputs: { video: id } });'
    literals, selected = words_in(script)
    assert literals & NAMES == {"subject"}
    assert selected & NAMES == {"curve", "alpha", "video"}


def test_roles_are_no_names() -> None:
    assert NAMES.isdisjoint(get_args(ParamRole))
