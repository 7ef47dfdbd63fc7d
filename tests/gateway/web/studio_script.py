"""Studio modules that need no page, run in QuickJS."""

import json
import re
from typing import Any

import quickjs

from gateway.web.bundle import read_files
from gateway.web.chunks import EXPORT, joined_modules
from gateway.web.routes import FOLDERS

ENTRY = "entry.js"

# Functions of browsers that QuickJS lacks.
LACKING = """
Array.prototype.at ??= function (index) { return this[index < 0 ? this.length + index : index]; };
Array.prototype.findLast ??= function (test) { return [...this].reverse().find(test); };
class URLSearchParams {
  constructor(text) { this.pairs = String(text).split("&").map((pair) => pair.split("=")); }
  get(name) { return this.pairs.find((pair) => pair[0] === name)?.[1] ?? null; }
}
"""


class Script:
    """An evaluator of JavaScript with the exports of studio modules."""

    def __init__(self, *names: str) -> None:
        texts = {name: content.decode() for name, content in read_files(FOLDERS).items() if name.endswith(".js")}
        texts[ENTRY] = "".join(f'import {{ {", ".join(EXPORT.findall(texts[name]))} }} from "./{name}";\n' for name in names)
        code = re.sub(r"^(import|export) [^;]*;$", "", joined_modules(ENTRY, texts)[ENTRY], flags=re.M)
        self._context = quickjs.Context()
        self._context.eval(LACKING + code.replace("const $entry = (() => {", "").removesuffix("return {  };\n})();\n\n"))

    def __call__(self, expression: str, **values: Any) -> Any:
        """Evaluate a JavaScript expression in which each keyword in `values` is a constant."""
        names = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
        return json.loads(self._context.eval(f"(() => {{ {names} return JSON.stringify({expression}); }})()"))
