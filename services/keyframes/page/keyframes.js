// Keyframes of each shot and their pictures, also for shots found at a moved threshold.

/** Lookup of keyframes by shot. `onPicture()`: called when a picture has loaded. */
export class Keyframes {
  #video;
  #images = new Map(); // keyframe -> image
  #onPicture;

  constructor(video, onPicture) {
    this.#video = video;
    this.#onPicture = onPicture;
  }

  /** Find a shot's keyframes: {own, substitute}. `own`: best first. `substitute`: a similar keyframe or null if `own` is empty. */
  of(shot) {
    const own = this.#between(shot.startFrame, shot.endFrame).sort((first, second) => second.score - first.score);
    return { own, substitute: own.length ? null : this.#substitute(shot) };
  }

  /** Return the picture of a shot; null until it has loaded. */
  image(shot) {
    const { own, substitute } = this.of(shot);
    const keyframe = own[0] ?? substitute;
    if (!keyframe?.picture) return null;
    const cached = this.#images.get(keyframe);
    if (cached) return cached.complete && cached.naturalWidth ? cached : null;
    const image = new Image();
    image.onload = () => this.#onPicture();
    image.src = keyframe.picture;
    this.#images.set(keyframe, image);
    return null;
  }

  /** Return the keyframes from frame `from` up to, but not including, `to`. */
  #between(from, to) {
    const all = this.#video.keyframes;
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (all[middle].frame < from) low = middle + 1;
      else high = middle;
    }
    const keyframes = [];
    for (; low < all.length && all[low].frame < to; low += 1) keyframes.push(all[low]);
    return keyframes;
  }

  /**
   * Find the server's keyframe for the start of `shot`. It is that of the server's shot that contains the start, or a similar shot's
   * keyframe (`like`).
   */
  #substitute(shot) {
    const around = this.#video.shots.find((other) => other.startFrame <= shot.startFrame && shot.startFrame < other.endFrame);
    if (!around) return null;
    const all = this.#video.keyframes;
    return all.find(({ shot }) => shot === around.index) ?? all.find(({ like }) => like.includes(around.index)) ?? null;
  }
}
