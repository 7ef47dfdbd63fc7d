// The backdrop behind the subject of a matte: a picture, or a clip whose frame follows the time.

import { FrameSource } from "../viewer/frame_source.js";

/** A picture or a clip behind a subject. A drawn picture is {picture, width, height}. */
export class Backdrop {
  #still;
  #clip;

  /** Make a backdrop from a picture file on the user's device. */
  static async ofFile(file) {
    const url = URL.createObjectURL(file);
    try {
      return new Backdrop({ still: await decoded(url) });
    } finally {
      URL.revokeObjectURL(url);
    }
  }

  /** Make a backdrop from a picture or clip of the library. Throws Problem, AbortError, or EncodingError. */
  static async ofRecord(api, record, signal) {
    if (record.kind === "video") return new Backdrop({ clip: await FrameSource.open(api, record.id, { signal }) });
    const held = await api.mediaUrl(record.urls.content, signal);
    try {
      return new Backdrop({ still: await decoded(held.url) });
    } finally {
      held.release();
    }
  }

  /** @param {{ still?: any, clip?: any }} given */
  constructor({ still = null, clip = null }) {
    this.#still = still && { picture: still, width: still.naturalWidth, height: still.naturalHeight };
    this.#clip = clip;
  }

  /** Return the number of the clip's frame at a time in seconds. The clip is repeated, as in the server's renders. */
  #number(time) {
    return this.#clip.indexAt(time % this.#clip.duration);
  }

  /** Return a promise of the picture at a time. */
  async at(time) {
    return this.#still ?? drawable(await this.#clip.frame(this.#number(time)));
  }

  /** Return the picture at a time if it is decoded already, else null. */
  peek(time) {
    if (this.#still) return this.#still;
    const frame = this.#clip.peek(this.#number(time));
    return frame && drawable(frame);
  }

  /** Decode the picture at a time, unless that has begun. */
  ask(time) {
    if (this.#clip && !this.#clip.isAsked(this.#number(time))) this.#clip.frame(this.#number(time)).catch(() => {});
  }

  close() {
    this.#clip?.close();
  }
}

function drawable(frame) {
  return { picture: frame, width: frame.displayWidth, height: frame.displayHeight };
}

async function decoded(url) {
  const image = Object.assign(new Image(), { src: url });
  await image.decode();
  return image;
}
