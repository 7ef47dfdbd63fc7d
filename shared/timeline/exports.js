// Export of the current shots for other programs, in the formats of services/keyframes/output/cutlists/.

import { ratio, timecode } from "./timecode.js";

const MOST_EVENTS = 999; // most events of an EDL, which numbers them with three digits
const LINE = "\n";

/** Convert a video frame's number to a frame number of the timeline. They differ only at a variable frame rate: the nearest time counts. */
export function gridFrame(video, frame, time) {
  return video.varies ? Math.round(time * ratio(video.grid.rate)) : frame;
}

/** Return the timecode of a video frame. */
export function timecodeAt(video, frame, time) {
  return timecode(video.grid.start + gridFrame(video, frame, time), video.grid.whole, video.grid.drop);
}

/** Write the shots as CSV, one row each. */
export function csv(video, shots) {
  const header = "shot,kind,start_frame,end_frame,start_s,end_s,duration_s,start_timecode,end_timecode";
  const rows = shots.map((shot) =>
    [
      shot.index + 1,
      shot.kind,
      shot.startFrame,
      shot.endFrame,
      ...[shot.start, shot.end, shot.end - shot.start].map((seconds) => seconds.toFixed(6)),
      timecodeAt(video, shot.startFrame, shot.start),
      timecodeAt(video, shot.endFrame, shot.end),
    ].join(","),
  );
  return [header, ...rows, ""].join("\r\n");
}

/** Write CMX3600 edit decision lists of up to 999 events each. */
export function edls(video, shots) {
  const name = [...video.name.replace(/(?![\u200c\u200d])[\p{C}\u2028\u2029]/gu, " ").trim()];
  const events = shots
    .map((shot) => [gridFrame(video, shot.startFrame, shot.start), gridFrame(video, shot.endFrame, shot.end)])
    .filter(([start, end]) => end > start);
  const parts = [];
  for (let first = 0; first < events.length; first += MOST_EVENTS) parts.push(events.slice(first, first + MOST_EVENTS));
  return parts.map((part, index) => {
    const title = `TITLE: ${name.slice(0, 60).join("")}${parts.length > 1 ? ` ${index + 1} of ${parts.length}` : ""}`;
    const lines = [title, `FCM: ${video.grid.drop ? "DROP FRAME" : "NON-DROP FRAME"}`, ""];
    part.forEach((edges, number) => {
      const [start, end] = edges.map((frame) => timecode(video.grid.start + frame, video.grid.whole, video.grid.drop));
      lines.push(`${String(number + 1).padStart(3, "0")}  AX       V     C        ${start} ${end} ${start} ${end}`);
      lines.push(`* FROM CLIP NAME: ${name.slice(0, 120).join("")}`);
    });
    return lines.join(LINE) + LINE;
  });
}

/** Write a QP file for x264. Each shot starts with an IDR frame. */
export function qpfile(video, shots) {
  return shots.map((shot) => `${shot.startFrame} I -1${LINE}`).join("");
}

/** Write the shots as JSON, with the field names of the API. */
export function json(video, shots, { method, threshold }) {
  const list = shots.map((shot) => ({
    index: shot.index,
    start_s: shot.start,
    end_s: shot.end,
    start_frame: shot.startFrame,
    end_frame: shot.endFrame,
    kind: shot.kind,
    transition_start_frame: shot.transition[0],
    transition_end_frame: shot.transition[1],
    confidence: shot.confidence,
  }));
  return `${JSON.stringify({ name: video.name, frame_rate: video.rate, method, threshold, shots: list }, null, 1)}${LINE}`;
}
