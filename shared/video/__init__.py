"""Reading and writing video: exact times, constant memory, untrusted files."""

from shared.video.audio import AudioBlock, read_audio
from shared.video.changes import changes_of
from shared.video.encoders import encoders, ffmpeg_path
from shared.video.frame import Frame
from shared.video.info import AudioTrackInfo, ColorInfo, ImageInfo, MediaInfo, PicturesInfo, VideoInfo
from shared.video.limits import Limits
from shared.video.mapping import map_ordered
from shared.video.preview import preview
from shared.video.probe import inspect, probe
from shared.video.reader import read_frames
from shared.video.remux import remux
from shared.video.sequence import PngWriter
from shared.video.still import Picture, as_seen, pictures_of
from shared.video.thumbnail import thumbnail
from shared.video.timeline import Timeline, timeline
from shared.video.together import Together, read_together
from shared.video.tracks import AudioTrack
from shared.video.writer import VideoWriter

__all__ = [
    "AudioBlock",
    "AudioTrack",
    "AudioTrackInfo",
    "ColorInfo",
    "Frame",
    "ImageInfo",
    "Limits",
    "MediaInfo",
    "Picture",
    "PicturesInfo",
    "PngWriter",
    "Timeline",
    "Together",
    "VideoInfo",
    "VideoWriter",
    "as_seen",
    "changes_of",
    "encoders",
    "ffmpeg_path",
    "inspect",
    "map_ordered",
    "pictures_of",
    "preview",
    "probe",
    "read_audio",
    "read_frames",
    "read_together",
    "remux",
    "thumbnail",
    "timeline",
]
