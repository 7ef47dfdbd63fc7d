"""Messages between the server and a worker process: size limits."""

import pytest

from shared.errors import FieldError
from shared.worker.child import MAX_DETAIL_CHARS, MAX_FIELD_CHARS, MAX_FIELD_ERRORS
from shared.worker.protocol import HEADER, Call, Done, Failed, JobWarning, Message, ProgressUpdate, pack, unpack

LONG = "x" * 65_536


@pytest.mark.parametrize(
    "message",
    [JobWarning(LONG), ProgressUpdate(stage=LONG, done=0, total=1, fraction=0), Failed(error="OperationFailed", detail=LONG)],
)
def test_only_a_result_may_be_long(message: Message) -> None:
    with pytest.raises(ValueError, match=r"a message of 65\d\d\d bytes that is no result"):
        unpack(pack(1, message)[HEADER.size :])


def test_results_calls_and_the_longest_error_are_accepted() -> None:
    errors = (FieldError(field="params.start", detail="x" * MAX_FIELD_CHARS),) * MAX_FIELD_ERRORS
    longest = Failed(error="Invalid", detail="x" * MAX_DETAIL_CHARS, errors=errors)
    for message in (Done({"text": LONG}), Call(target="a:b", args={"text": LONG}), longest):
        assert unpack(pack(3, message)[HEADER.size :]) == (3, message)
