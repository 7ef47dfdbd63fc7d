// Shots from scores and a threshold, by the rules of detectors/transition.py and selection/shots.py in services/keyframes.

/** Place a cut at each peak of `values`. A peak is the highest of consecutive values that reach `threshold`. `frames`, `times`: of each value. */
export function cutsOf(values, threshold, { frames, times }) {
  const least = Math.fround(threshold); // compared in 32 bits, as the scores are stored
  const cuts = [];
  let index = 0;
  while (index < values.length) {
    if (values[index] < least) {
      index += 1;
      continue;
    }
    let best = index;
    for (; index < values.length && values[index] >= least; index += 1) if (values[index] > values[best]) best = index;
    const confidence = Math.min(values[best] / threshold / 2, 1);
    cuts.push({ frame: frames[best], time: times[best], kind: "cut", transition: [frames[best], frames[best]], confidence });
  }
  return cuts;
}

/** Select the candidates whose confidence reaches `threshold`. */
export function likely(candidates, threshold) {
  return candidates.filter((candidate) => candidate.confidence >= threshold);
}

/** Divide a video at `cuts` into shots of at least `minShot` seconds. It has `total` frames. `first`: time of its first frame. */
export function shotsOf(cuts, { total, first, duration, minShot }) {
  const kept = [];
  for (const cut of cuts) {
    const last = kept[kept.length - 1] ?? { frame: 0, time: 0 };
    if (cut.frame > last.frame && cut.frame < total && cut.time - last.time >= minShot) kept.push(cut);
  }
  while (kept.length && duration - kept[kept.length - 1].time < minShot) kept.pop();
  const edges = [{ frame: 0, time: first, kind: "start", transition: [0, 0], confidence: 1 }, ...kept, { frame: total, time: duration }];
  return edges.slice(0, -1).map((edge, index) => ({
    index,
    startFrame: edge.frame,
    endFrame: edges[index + 1].frame,
    start: edge.time,
    end: edges[index + 1].time,
    kind: edge.kind,
    transition: edge.transition,
    confidence: edge.confidence,
  }));
}

/** Give `shots` the kinds and transitions of the server's shots. A cut within a transition is that transition. */
export function withKinds(shots, serverShots) {
  let next = 0;
  return shots.map((shot) => {
    while (next < serverShots.length - 1 && transitionEnd(serverShots[next]) < shot.startFrame) next += 1;
    const { kind, transition, startFrame } = serverShots[next] ?? shot;
    const same = startFrame === shot.startFrame || (transition[0] <= shot.startFrame && shot.startFrame <= transition[1]);
    return same && shot.index ? { ...shot, kind, transition } : shot;
  });
}

function transitionEnd({ startFrame, transition }) {
  return Math.max(startFrame, transition[1]);
}

/** Find the index of the shot at a time, by binary search. */
export function shotAt(shots, time) {
  let low = 0;
  let high = shots.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (shots[middle].start <= time) low = middle;
    else high = middle - 1;
  }
  return low;
}
