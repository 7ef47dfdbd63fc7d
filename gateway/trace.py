"""W3C trace context (https://www.w3.org/TR/trace-context/): handed on with the requests that a request causes."""

import re
from collections.abc import Mapping

TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
MAX_STATE_CHARS = 512


def trace_of(headers: Mapping[str, str]) -> dict[str, str]:
    """`traceparent` and `tracestate` of a request as it may be handed on; empty where it has none, or none that is in order."""
    parent, state = headers.get("traceparent", "").strip(), headers.get("tracestate", "").strip()
    if not TRACEPARENT.fullmatch(parent):
        return {}
    known = state and len(state) <= MAX_STATE_CHARS and state.isascii() and state.isprintable()
    return {"traceparent": parent} | ({"tracestate": state} if known else {})
