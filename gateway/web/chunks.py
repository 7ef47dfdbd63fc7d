"""Bundler that joins the studio's JavaScript modules into chunks.

A chunk is one file with several modules, so that a screen takes few requests.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

SHARED = "shared.js"
STATIC = re.compile(r"""^import (?:\{(?P<names>[^}]+)\} from )?"(?P<address>\.[^"]+)";\n?""", re.MULTILINE)
LATER = re.compile(r"""(?P<before>import\(|new URL\()"(?P<address>\.[^"]+)"(?P<after>\)|, import\.meta\.url\))""")
"""Matches an import on demand, and the address of a worker's module."""

EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)


@dataclass(frozen=True)
class Chunk:
    """A file of modules that load together, each after the modules it imports."""

    name: str
    modules: tuple[str, ...]


def joined_modules(first: str, texts: Mapping[str, str]) -> dict[str, str]:
    """Join modules into chunks, and return the chunks' texts by path.

    The file of the first screen is named `first`. Modules that are imported on demand keep their paths; such an import is for its effect
    and gets no exports. Every module becomes a function that returns its exports, so its other names stay its own. Raises ValueError for
    modules that import each other.
    """
    chunks = chunks_from(first, texts)
    home = {name: chunk.name for chunk in chunks for name in chunk.modules}
    return {chunk.name: _text(chunk, home, texts) for chunk in chunks}


def chunks_from(first: str, texts: Mapping[str, str]) -> list[Chunk]:
    """Group modules by the screens that import them.

    Groups: those of the first screen, those that several later screens need, and the rest of each later screen.
    """
    begun = order_from(first, texts)
    entries = sorted({entry for name, text in texts.items() for entry in later_imports(name, text)})
    later = {entry: [name for name in order_from(entry, texts) if name not in begun] for entry in entries}
    uses = Counter(name for names in later.values() for name in names)
    shared = tuple(dict.fromkeys(name for names in later.values() for name in names if uses[name] > 1))
    own = [Chunk(entry, tuple(name for name in names if uses[name] == 1)) for entry, names in later.items()]
    return [Chunk(first, tuple(begun)), *([Chunk(SHARED, shared)] if shared else []), *own]


def order_from(first: str, texts: Mapping[str, str]) -> list[str]:
    """Return `first` and the modules it imports, each after its own imports.

    Indirect imports are included, dynamic ones are not. Raises ValueError for modules that import each other.
    """
    ordered: list[str] = []
    open_modules: list[str] = []

    def visit(name: str) -> None:
        if name in ordered:
            return
        if name in open_modules:
            raise ValueError(f"modules import each other: {' -> '.join([*open_modules, name])}")
        open_modules.append(name)
        for match in STATIC.finditer(texts[name]):
            visit(joined_path(name, match["address"]))
        open_modules.pop()
        ordered.append(name)

    visit(first)
    return ordered


def later_imports(name: str, text: str) -> list[str]:
    """Return the modules that a module imports dynamically or runs as workers."""
    return [joined_path(name, match["address"]) for match in LATER.finditer(text)]


def joined_path(importer: str, address: str) -> str:
    """Return the path of the module that `importer` imports as `address`.

    `address`: a relative path such as `../base/html.js`.
    """
    parts = importer.split("/")[:-1]
    for part in address.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _text(chunk: Chunk, home: Mapping[str, str], texts: Mapping[str, str]) -> str:
    """Return a chunk's text: imports, modules and exports.

    `home`: module -> name of its chunk. `texts`: module -> text.
    """
    depth = chunk.name.count("/")
    imported: dict[str, list[str]] = {}
    bodies = []
    for name in chunk.modules:
        for match in STATIC.finditer(texts[name]):
            target = joined_path(name, match["address"])
            names = imported.setdefault(home[target], [])
            if _variable(target) not in names:
                names.append(_variable(target))
        bodies.append(_body(name, texts[name], depth))
    imports = [
        f'import {{ {", ".join(names)} }} from "{"../" * depth or "./"}{chunk_name}";'
        for chunk_name, names in imported.items()
        if chunk_name != chunk.name
    ]
    exports = f"export {{ {', '.join(map(_variable, chunk.modules))} }};"
    return "\n".join([*imports, *bodies, exports, ""])


def _body(name: str, text: str, depth: int) -> str:
    """Wrap a module in a function that is called once and returns its exports.

    A constant holds these exports. `depth`: number of folders above the chunk, for the paths of dynamic imports.
    """

    def replacement(match: re.Match[str]) -> str:
        if not match["names"]:
            return ""
        names = ", ".join(part.strip().replace(" as ", ": ") for part in match["names"].split(",") if part.strip())
        return f"const {{ {names} }} = {_variable(joined_path(name, match['address']))};\n"

    def moved(match: re.Match[str]) -> str:
        return f'{match["before"]}"{"../" * depth or "./"}{joined_path(name, match["address"])}"{match["after"]}'

    exports = EXPORT.findall(text)
    code = LATER.sub(moved, EXPORT.sub("", STATIC.sub(replacement, text)))
    return f"// {name}\nconst {_variable(name)} = (() => {{\n{code}return {{ {', '.join(exports)} }};\n}})();"


def _variable(name: str) -> str:
    """Return the name of the JavaScript constant that holds a module's exports."""
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
