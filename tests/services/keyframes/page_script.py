"""The gallery page's script, run in QuickJS."""

import json
from typing import Any

import quickjs

from services.keyframes.output.gallery import bundle

PURE = ("timecode.js", "shots.js", "exports.js", "data.js")
"""Modules that work without a page."""


class Script:
    """An evaluator of JavaScript with the functions of the modules in PURE."""

    def __init__(self) -> None:
        self._context = quickjs.Context()
        self._context.eval(bundle(PURE))

    def __call__(self, expression: str, **values: Any) -> Any:
        """Evaluate a JavaScript expression in which each keyword in `values` is a constant."""
        names = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
        return json.loads(self._context.eval(f"(() => {{ {names} return JSON.stringify({expression}); }})()"))
