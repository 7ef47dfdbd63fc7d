"""Table of matting backends."""

from functools import partial

from services.matting.backends.backend import Backend, SubjectKind, limited_size
from services.matting.backends.birefnet_models import BIREFNET_MODELS
from services.matting.backends.chroma import open_chroma, suits
from services.matting.backends.difference import open_difference
from services.matting.backends.difference import suits as plate_suits
from services.matting.backends.matanyone import MEMORY_BYTES as MATANYONE_BYTES
from services.matting.backends.matanyone import inference_size as matanyone_size
from services.matting.backends.matanyone import matanyone
from services.matting.backends.matanyone import suits as mask_suits
from services.matting.backends.per_frame import BIREFNET, RMBG2, U2NETP, chosen_birefnet, per_frame, size_for
from services.matting.backends.rvm import rvm
from services.matting.backends.rvm import suits as people_suit
from services.matting.matanyone.package import install_command

BACKENDS: tuple[Backend, ...] = (
    Backend(
        name="rvm",
        title="People, fast",
        description="Robust Video Matting, MobileNetV3: people, steady over time, fast",
        finds=SubjectKind.PEOPLE,
        open=rvm("rvm-mobilenetv3"),
        suits=partial(people_suit, "rvm-mobilenetv3"),
        inference_size=limited_size,
        models=("rvm-mobilenetv3",),
    ),
    Backend(
        name="rvm-resnet50",
        title="People, finer",
        description="Robust Video Matting, ResNet50: people, steady over time, finer edges",
        finds=SubjectKind.PEOPLE,
        open=rvm("rvm-resnet50"),
        suits=partial(people_suit, "rvm-resnet50"),
        inference_size=limited_size,
        models=("rvm-resnet50",),
    ),
    Backend(
        name="birefnet",
        title="Anything, finest",
        description="BiRefNet: foreground objects of any kind, frame by frame, slow",
        finds=SubjectKind.OBJECTS,
        open=per_frame(BIREFNET),
        inference_size=partial(size_for, BIREFNET.side),
        suits=lambda _sample: "birefnet finds foreground objects of any kind",
        models=BIREFNET_MODELS,
        chosen=chosen_birefnet,
        memory_bytes=BIREFNET.bytes_loaded + BIREFNET.bytes_a_picture,
        steady=False,
    ),
    Backend(
        name="u2netp",
        title="Anything, light",
        description="U2-Net, small: foreground objects of any kind, frame by frame, coarse edges",
        finds=SubjectKind.OBJECTS,
        open=per_frame(U2NETP),
        inference_size=partial(size_for, U2NETP.side),
        suits=lambda _sample: "of the networks for other objects only u2netp is installed",
        models=("u2netp",),
        steady=False,
    ),
    Backend(
        name="rmbg2",
        title="Anything, RMBG 2.0",
        description="RMBG 2.0: foreground objects of any kind, frame by frame, slow; not for commercial use",
        finds=SubjectKind.OBJECTS,
        open=per_frame(RMBG2),
        inference_size=partial(size_for, RMBG2.side),
        models=("rmbg-2.0",),
        memory_bytes=RMBG2.bytes_loaded + RMBG2.bytes_a_picture,
        steady=False,
    ),
    Backend(
        name="chroma",
        title="Green screen",
        description="Keyer for a green or blue screen: hair, motion blur and veils",
        finds=SubjectKind.UNLIKE_SCREEN,
        open=open_chroma,
        inference_size=limited_size,
        suits=suits,
        uses_plate=True,
        licence="Apache-2.0",
    ),
    Backend(
        name="difference",
        title="Clean plate",
        description="Difference from a picture of the empty scene: opaque subjects before a still camera",
        finds=SubjectKind.UNLIKE_PLATE,
        open=open_difference,
        inference_size=limited_size,
        suits=plate_suits,
        needs_plate=True,
        uses_plate=True,
        licence="Apache-2.0",
    ),
    Backend(
        name="matanyone",
        title="Masked subject",
        description="MatAnyone: any subject marked by a mask on the first frame, steady over time, slow; not for commercial use",
        finds=SubjectKind.MASKED,
        open=matanyone("matanyone"),
        inference_size=matanyone_size,
        models=("matanyone",),
        memory_bytes=MATANYONE_BYTES,
        missing=partial(install_command, "matanyone"),
        needs_mask=True,
    ),
    Backend(
        name="matanyone2",
        title="Masked subject, newer",
        description="MatAnyone 2: as matanyone, with finer edges; not for commercial use",
        finds=SubjectKind.MASKED,
        open=matanyone("matanyone2"),
        inference_size=matanyone_size,
        suits=mask_suits,
        models=("matanyone2",),
        memory_bytes=MATANYONE_BYTES,
        missing=partial(install_command, "matanyone2"),
        needs_mask=True,
    ),
)

BY_NAME = {backend.name: backend for backend in BACKENDS}
