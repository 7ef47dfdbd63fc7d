"""Table of audio modes for retimed clips."""

from collections.abc import Callable
from dataclasses import dataclass

from services.speed_ramp.curve.clock import Clock
from services.speed_ramp.sound.freeze_silence import Sound
from services.speed_ramp.sound.source import Source
from services.speed_ramp.sound.stretch import StretchedTrack
from services.speed_ramp.sound.varispeed import Varispeed

MakeSound = Callable[[Source, Clock], Sound]
"""Function that makes a track's sound along a clock without freezes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioMode:
    """A way to retime sound, as a row of AUDIO_MODES.

    Without `make`, the output is silent.
    """

    name: str
    label: str
    """Label in a form."""
    description: str
    make: MakeSound | None
    keeps_pitch: bool = False
    """Whether the pitch stays the same where the speed changes."""


AUDIO_MODES = {
    mode.name: mode
    for mode in (
        AudioMode(
            name="keep",
            label="Keep the pitch",
            description="stretches all audio tracks and keeps their pitch",
            make=StretchedTrack,
            keeps_pitch=True,
        ),
        AudioMode(name="follow", label="Follow the speed", description="lets the pitch follow the speed, like a tape", make=Varispeed),
        AudioMode(name="drop", label="Drop", description="removes the sound", make=None),
    )
}
