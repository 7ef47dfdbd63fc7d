"""Reading and writing video: exact times, constant memory, untrusted files."""

from shared.video.conversion_warnings import changes_of
from shared.video.frames.frame import Frame
from shared.video.image import Picture, as_seen, pictures_of
from shared.video.info import AudioTrackInfo, ColorInfo, ImageInfo, MediaInfo, PicturesInfo, VideoInfo
from shared.video.limits import Limits
from shared.video.parallel_map import map_ordered
from shared.video.preview import preview
from shared.video.probe import inspect, probe
from shared.video.reading.audio import AudioBlock, read_audio
from shared.video.reading.multi_reader import Together, read_together
from shared.video.reading.reader import read_frames
from shared.video.reading.timeline import Timeline, timeline
from shared.video.remux import remux
from shared.video.thumbnail import thumbnail
from shared.video.writing.encoders import encoders, ffmpeg_path
from shared.video.writing.png_writer import PngWriter
from shared.video.writing.tracks import AudioTrack
from shared.video.writing.writer import VideoWriter

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
