"""Reading and writing video: exact times, constant memory, untrusted files.

Operations read and write video through this package only.
"""

from shared.media_info import AudioTrackInfo, ColorInfo, ImageInfo, MediaInfo, PicturesInfo, VideoInfo
from shared.video.conversion_warnings import conversion_warnings
from shared.video.cut_keyframes import cut_keyframes
from shared.video.frames.frame import Frame
from shared.video.limits import Limits
from shared.video.preview import preview
from shared.video.probing.probe import inspect, probe, probe_video
from shared.video.probing.track_list import text_warnings, track_warnings
from shared.video.reading.audio import AudioBlock, read_audio
from shared.video.reading.multi_reader import MultiReader, read_together
from shared.video.reading.reader import read_frames
from shared.video.reading.times.timeline import Timeline, timeline
from shared.video.remux import remux
from shared.video.seconds import Seconds, to_fraction
from shared.video.stills.image import Picture, list_pictures, upright_rgb
from shared.video.stills.numbered_frame import frame_by_number, numbered_frame
from shared.video.stills.thumbnail import thumbnail
from shared.video.threads.opencv import opencv_on_one_thread
from shared.video.threads.parallel_map import map_beside_decoding, map_ordered
from shared.video.writing.encoders import encoders, ffmpeg_path
from shared.video.writing.png_writer import PngWriter
from shared.video.writing.sound_coding import layout_of
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
    "MultiReader",
    "Picture",
    "PicturesInfo",
    "PngWriter",
    "Seconds",
    "Timeline",
    "VideoInfo",
    "VideoWriter",
    "conversion_warnings",
    "cut_keyframes",
    "encoders",
    "ffmpeg_path",
    "frame_by_number",
    "inspect",
    "layout_of",
    "list_pictures",
    "map_beside_decoding",
    "map_ordered",
    "numbered_frame",
    "opencv_on_one_thread",
    "preview",
    "probe",
    "probe_video",
    "read_audio",
    "read_frames",
    "read_together",
    "remux",
    "text_warnings",
    "thumbnail",
    "timeline",
    "to_fraction",
    "track_warnings",
    "upright_rgb",
]
