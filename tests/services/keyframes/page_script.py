"""The gallery's own script, run by QuickJS: what it computes is held against what the server computes."""

import json
from typing import Any

import quickjs

from services.keyframes.output.gallery import bundle

PURE = ("timecode.js", "shots.js", "exports.js", "data.js")
"""The modules that can be called without a page."""


class Script:
    """The modules, ready to be called."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        self._context.eval(bundle(PURE))

    def __call__(self, expression: str, **given: Any) -> Any:
        """The value of an expression in which the names of `given` stand for their values."""
        names = "".join(f"const {name} = {json.dumps(value)};" for name, value in given.items())
        return json.loads(self._context.eval(f"(() => {{ {names} return JSON.stringify({expression}); }})()"))
