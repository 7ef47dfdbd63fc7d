"""Everything this service can do."""

from services.speed_ramp.analyze import analyze
from services.speed_ramp.export import export
from services.speed_ramp.params import AnalyzeParams, AnalyzeResult, ExportParams, ExportResult, RenderParams, RenderResult
from services.speed_ramp.render import render
from shared.operation import Kind, Operation, Service

ANALYZE = Operation(
    name="speed-ramp.analyze",
    summary="Measure a video's motion and make a speed curve from it",
    params=AnalyzeParams,
    result=AnalyzeResult,
    inputs={"video": Kind.VIDEO},
    run=analyze,
    example=AnalyzeParams(min_speed=0.5, max_speed=2.0),
)

RENDER = Operation(
    name="speed-ramp.render",
    summary="Retime a video, and its sound, along a speed curve",
    params=RenderParams,
    result=RenderResult,
    inputs={"video": Kind.VIDEO},
    outputs={"video": Kind.VIDEO},
    run=render,
    example=RenderParams(min_speed=0.5, max_speed=2.0),
)

EXPORT = Operation(
    name="speed-ramp.export",
    summary="Hand a speed curve over to editing programs, and draw it",
    params=ExportParams,
    result=ExportResult,
    inputs={"video": Kind.VIDEO},
    outputs={"plot": Kind.IMAGE, "files": Kind.ARCHIVE},
    run=export,
    example=ExportParams(min_speed=0.5, max_speed=2.0),
)

OPERATIONS = (ANALYZE, RENDER, EXPORT)

SERVICE = Service(name="speed-ramp", title="Speed ramping", module=__name__, operations=OPERATIONS)
