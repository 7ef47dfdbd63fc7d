"""Rules of Apple's FCPXML 1.10 on the children, order and attributes of elements."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

TIME = re.compile(r"-?\d+(/[1-9]\d*)?s")
FLAG, NUMBER, TEXT = re.compile("[01]"), re.compile(r"[1-9]\d*"), re.compile("(?s).*")
COUNTING = re.compile("DF|NDF")
IDENTITY, REFERENCE = re.compile(r"[A-Za-z_]\S*"), re.compile(r"[A-Za-z_]\S+")

# Children as a regular expression over their names, each followed by a space.
CHILDREN = {
    "fcpxml": "(import-options )?(resources )?(library |(event )*)",
    "resources": "((asset|effect|format|media) )*",
    "format": "",
    "asset": "(media-rep )+(metadata )?",
    "media-rep": "(bookmark )?",
    "library": "(event )*(smart-collection )*",
    "event": "((clip|audition|mc-clip|ref-clip|sync-clip|asset-clip|collection-folder|keyword-collection|smart-collection|project) )*",
    "project": "sequence ",
    "sequence": "(note )?spine (metadata )?",
    "spine": "((audio|video|clip|title|mc-clip|ref-clip|sync-clip|asset-clip|audition|gap|transition) )*",
    "asset-clip": "(note )?(conform-rate )?(timeMap )?"
    "((marker|chapter-marker|rating|keyword|analysis-marker) )*(audio-channel-source )*(metadata )?",
    "conform-rate": "",
    "timeMap": "(timept )+",
    "timept": "",
    "marker": "",
}
# (pattern, required)
ATTRIBUTES: dict[str, dict[str, tuple[re.Pattern[str], bool]]] = {
    "fcpxml": {"version": (re.compile(r"1\.10"), True)},
    "format": {
        "id": (IDENTITY, True),
        "name": (TEXT, False),
        "frameDuration": (TIME, False),
        "width": (NUMBER, False),
        "height": (NUMBER, False),
    },
    "asset": {
        "id": (IDENTITY, True),
        "name": (TEXT, False),
        "start": (TIME, False),
        "duration": (TIME, False),
        "hasVideo": (FLAG, False),
        "format": (REFERENCE, False),
        "hasAudio": (FLAG, False),
        "audioSources": (NUMBER, False),
        "audioChannels": (NUMBER, False),
    },
    "media-rep": {"kind": (re.compile("original-media|proxy-media"), False), "src": (re.compile(r"\S+"), True)},
    "event": {"name": (TEXT, False)},
    "project": {"name": (TEXT, False)},
    "sequence": {"format": (REFERENCE, True), "duration": (TIME, False), "tcStart": (TIME, False), "tcFormat": (COUNTING, False)},
    "asset-clip": {
        "ref": (REFERENCE, True),
        "name": (TEXT, False),
        "offset": (TIME, False),
        "start": (TIME, False),
        "duration": (TIME, False),
        "tcFormat": (COUNTING, False),
    },
    "conform-rate": {"scaleEnabled": (FLAG, False)},
    "timeMap": {"frameSampling": (re.compile("floor|nearest-neighbor|frame-blending|optical-flow|optical-flow-classic"), False)},
    "timept": {"time": (TIME, True), "value": (TIME, True), "interp": (re.compile("smooth2|linear|smooth"), False)},
    "marker": {"start": (TIME, True), "duration": (TIME, False), "value": (TEXT, True)},
}


def broken(document: str) -> list[str]:
    """Return a sentence for each rule that an FCPXML document violates."""
    if not document.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'):
        return ["the declaration or the document type is missing"]
    root = ET.fromstring(document)
    identities = [identity for element in root.iter() if (identity := element.get("id"))]
    faults = ["fcpxml is not the root"] if root.tag != "fcpxml" else []
    faults += [f"{identity} names two elements" for identity in set(identities) if identities.count(identity) > 1]
    for element in root.iter():
        faults += _broken(element, set(identities))
    return faults


def _broken(element: ET.Element, identities: set[str]) -> Iterator[str]:
    if element.tag not in CHILDREN:
        yield f"there is no {element.tag}"
        return
    names = "".join(f"{child.tag} " for child in element)
    if not re.fullmatch(CHILDREN[element.tag], names):
        yield f"{element.tag} may not hold: {names}"
    known = ATTRIBUTES.get(element.tag, {})
    for name, value in element.attrib.items():
        if name not in known:
            yield f"{element.tag} has no {name}"
        elif not known[name][0].fullmatch(value):
            yield f"{element.tag} {name} may not be {value!r}"
        elif known[name][0] is REFERENCE and value not in identities:
            yield f"{element.tag} {name} names {value!r}, which does not exist"
    yield from (f"{element.tag} lacks {name}" for name, (_, required) in known.items() if required and name not in element.attrib)
