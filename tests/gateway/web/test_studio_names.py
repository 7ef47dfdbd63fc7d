"""The studio's code contains no name of an operation or field, only roles and widgets."""

import re
from pathlib import Path
from typing import get_args

import pytest

from gateway.pipelines.presets.table import PRESETS
from reelwright import ROOMS
from shared.declarations.vocabulary import Icon, InputRole, OperationRole, OutputRole, ParamRole, ResultRole, Widget
from shared.operation import Kind

STUDIO = Path(__file__).parents[3] / "gateway" / "studio"
OPERATIONS = [operation for room in ROOMS for operation in room.service.operations]
NAMES = {name for operation in OPERATIONS for name in (*operation.params.model_fields, *operation.inputs, *operation.outputs)}
TABLES = {
    *(operation.name for operation in OPERATIONS),
    *(room.service.name for room in ROOMS),
    *(preset.name for operation in OPERATIONS for preset in operation.presets),
    *(preset.name for preset in PRESETS),
}
"""Names of operations, services, presets and pipelines."""

RESULTS = {name for operation in OPERATIONS for name in operation.result.model_fields}
DECLARED = {word for words in (Widget, InputRole, OutputRole, ParamRole, ResultRole, OperationRole, Icon) for word in get_args(words)} | {
    *Kind
}
"""Words of the declarations that the page may use. Some are also names of operations or fields."""

COMMON = {
    "blur": "an event",
    "canvas": "an element",
    "color": "a property of styles",
    "content": "a part of a document",
    "layers": "an icon",
    "light": "a colour scheme",
}
OWN_PROPERTIES = "properties of the elements themselves"
OF_JOBS = "the record of a job of a pipeline, which no operation declares"
MATTE_VIEW = "a way to look at a matte"
PAIR = "a property of the pair of clips that is compared"
ELSEWHERE = {
    "app.js": {"key": "an icon", "main": "an element"},
    "base/outputs.js": {"steps": OF_JOBS},
    "base/words.js": {"picture": "a word for people"},
    "composite/composite_bench.js": {"model": "a value of the role depth_source"},
    "form/param_field.js": {"reference": "a kind of control"},
    "jobs/job_text.js": {"steps": OF_JOBS},
    "keyframes/keyframe_picker.js": {"keyframes": "a word for people", "shots": OWN_PROPERTIES},
    "keyframes/picks.js": {"start": "a kind of cut"},
    "keyframes/shot_timeline.js": {"threshold": OWN_PROPERTIES},
    "library/library.js": {"files": "an event"},
    "pipelines/pipelines.js": {"steps": OF_JOBS},
    "ramp/ramp.js": {"start": "a field of a segment"},
    "result/compare_view.js": {"mode": OWN_PROPERTIES, "picture": MATTE_VIEW, "rate": PAIR, "samples": PAIR},
    "result/figures.js": {"steps": OF_JOBS},
    "result/mapping.js": {"steps": OF_JOBS},
    "result/paint.js": {"picture": MATTE_VIEW},
    "result/pair.js": {"duration": PAIR, "frame": PAIR, "samples": PAIR},
    "tool/tool.js": {"composite": "a kind of editor"},
    "viewer/frame_source.js": {"key": "a kind of chunk"},
    "viewer/strip.js": {"strip": "a style class"},
}
"""Words with another meaning in one file: file -> {word: meaning}."""

LITERAL = re.compile(r"""(?<![\w-]=)["']<?([a-z][a-z0-9_.-]*)>?["']""")  # not an attribute of HTML, such as type="text"
MEMBER = re.compile(r"\b(?:params|inputs|properties|outputs|result)\??\.([a-z][a-z0-9_]*)")
GIVEN = re.compile(r"\b(?:params|inputs|outputs)(?:: | = )\{([^{}]*)\}")
UNPACKED = re.compile(r"\{([^{}]*)\} = [\w.#]*\b(?:params|inputs|properties|outputs|result)\b(?!\()")
KEY = re.compile(r"(?:^|,)\s*([a-z][a-z0-9_]*)\s*(?=[,:]|$)")


def words_in(script: str) -> tuple[set[str], set[str]]:
    """Return a script's words in strings, and its words that select a field.

    Fields are parameters, inputs, outputs and fields of results.
    """
    code = re.sub(r"/\*.*?\*/|(?<=\s)//[^\n]*|^//[^\n]*", "", script, flags=re.DOTALL | re.MULTILINE)
    keys = {word for names in (*UNPACKED.findall(code), *GIVEN.findall(code)) for word in KEY.findall(names)}
    return set(LITERAL.findall(code)), {*MEMBER.findall(code), *keys}


@pytest.mark.parametrize("path", sorted(STUDIO.rglob("*.js")), ids=lambda path: str(path.relative_to(STUDIO)))
def test_a_module_names_no_operation_and_no_field(path: Path) -> None:
    literals, selected = words_in(path.read_text(encoding="utf-8"))
    allowed = ELSEWHERE.get(str(path.relative_to(STUDIO)), {}).keys()
    assert (literals & (NAMES | TABLES)) - DECLARED - COMMON.keys() - allowed == set()
    assert (selected & (NAMES | RESULTS)) - allowed == set()


def test_every_exception_is_needed() -> None:
    needless = []
    for name, meanings in ELSEWHERE.items():
        literals, selected = words_in((STUDIO / name).read_text(encoding="utf-8"))
        found = ((literals & (NAMES | TABLES)) - DECLARED - COMMON.keys()) | (selected & (NAMES | RESULTS))
        needless += [f"{name}: {word}" for word in meanings if word not in found]
    assert needless == []


def test_names_are_found() -> None:
    script = """
      if (name === "subject" || slot === "<video>") this.params.curve = 1; const { alpha } = this.inputs; // "feather"
      const CUT = "media.transcode"; const SERVICES = ["speed-ramp"]; const card = { preset: "cinematic" };
      run({ inputs: { video: id } }); const { start: _start, duration, ...params } = step.params;
      const params = { start, max_edge: 640 }; show(job.outputs.depth, job.result?.beats);
    """
    literals, selected = words_in(script)
    assert literals & (NAMES | TABLES) == {"subject", "video", "media.transcode", "speed-ramp", "cinematic"}
    assert selected & (NAMES | RESULTS) == {"curve", "alpha", "video", "start", "duration", "max_edge", "depth", "beats"}


def test_roles_are_no_names() -> None:
    assert NAMES.isdisjoint(get_args(ParamRole))
