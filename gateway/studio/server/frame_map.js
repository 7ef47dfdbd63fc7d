// The frames of a clip and of its proxy, read from the answer of /proxy/frames.

/** Return the times of the source's frames in seconds. `map`: the answer of /proxy/frames. */
export function sourceTimes(map) {
  if (map.times_s) return map.times_s;
  const [over, under = 1] = map.frame_rate.split("/").map(Number);
  return Array.from({ length: map.source_frames }, (_, index) => (index * under) / over);
}

/** Return the number of the first proxy frame that shows each source frame. A source frame that the proxy leaves out gets the previous one's number. */
export function proxyFrames(map) {
  if (!map.numbers) return Array.from({ length: map.source_frames }, (_, index) => Math.min(index, map.frames - 1));
  const shown = [];
  map.numbers.forEach((source, index) => (shown[source] ??= index));
  let last = 0;
  return Array.from({ length: map.source_frames }, (_, index) => (last = shown[index] ?? last));
}
