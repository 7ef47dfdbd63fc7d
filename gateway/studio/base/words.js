// The facts about a clip that a creator wants to know, in words.

import { bytes, rate, seconds } from "./format.js";

const SMOOTH_FPS = 50;

/** Return the notable properties of a clip as words. Examples: "vertical", "HDR", "no sound". */
export function tags(record) {
  const media = record.media ?? {};
  const words = [];
  if (media.width && media.height) {
    const shape = media.width / media.height;
    if (shape < 0.9) words.push("vertical");
    else if (shape < 1.1) words.push("square");
    const lines = Math.min(media.width, media.height);
    if (lines >= 2000) words.push("4K");
    else if (lines >= 1000) words.push("HD");
  }
  if (isHdr(media)) words.push("HDR");
  else if (/10|12/.test(media.pixel_format ?? "") && /p1[02]/.test(media.pixel_format)) words.push("10-bit");
  if (media.has_alpha) words.push("transparent");
  const fps = rateOf(media);
  if (fps >= SMOOTH_FPS) words.push(`${Math.round(fps)} fps`);
  if (media.variable_frame_rate) words.push("varying frame rate");
  if (record.kind === "video" && !media.audio?.length) words.push("no sound");
  return words;
}

export function isHdr(media) {
  const transfer = media?.color?.transfer ?? "";
  return transfer === "smpte2084" || transfer === "arib-std-b67";
}

/** Return the fps of a constant-rate output made from a record's `media`. */
export function constantRateOf(media) {
  return rateOf({ frame_rate: media?.constant_rate || media?.frame_rate });
}

/** Return the average frame rate of a record's `media` in fps; 30 if unknown. */
export function rateOf(media) {
  const [over, under = 1] = String(media?.frame_rate || "30").split("/").map(Number);
  return over / under || 30;
}

/** Return a record's main figure: length, number of pictures, or size. The size is in pixels or bytes. */
export function extent(record) {
  const media = record.media ?? {};
  if (media.duration_s) return seconds(media.duration_s);
  if (media.pictures) return `${media.pictures} ${media.pictures === 1 ? "picture" : "pictures"}`;
  return media.width ? `${media.width} × ${media.height}` : bytes(record.bytes);
}

/** Return a record's length, size, frame rate, codec and bytes as one line. `without`: a fact to leave out. */
export function facts(record, without = "") {
  const media = record.media ?? {};
  const parts = [];
  if (media.duration_s) parts.push(seconds(media.duration_s));
  if (media.width) parts.push(`${media.width} × ${media.height}`);
  if (media.frame_rate) parts.push(`${rate(media.frame_rate)} fps`);
  if (media.codec) parts.push(CODECS[media.codec] ?? media.codec);
  parts.push(bytes(record.bytes));
  return parts.filter((part) => part !== without).join(" · ");
}

const CODECS = { h264: "H.264", hevc: "HEVC", prores: "ProRes", vp9: "VP9", av1: "AV1", mjpeg: "MJPEG", dnxhd: "DNxHD" };

/** Return whether browsers play a clip as it is. Other clips are shown by their proxies. */
export function playsInBrowsers(record) {
  const { codec, pixel_format: pixels, color } = record.media ?? {};
  if (isHdr({ color })) return false;
  if (/p1[02]|444|422/.test(pixels ?? "")) return false;
  const isPlayable = ["h264", "vp8", "vp9", "av1"].includes(codec);
  return isPlayable && /mp4|webm|quicktime/.test(record.content_type);
}
