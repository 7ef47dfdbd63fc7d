// The plan of a render that the browser makes itself, without the server.

import { operationOfRole, paramOf } from "../base/declared.js";
import { begunAt, Ramp } from "./ramp.js";

/**
 * Plan a ramp along `points` without the server. Null if the service is not installed. The plan is {curve, start_s, end_s, duration_s, frame_rate,
 * has_sound, keeps_pitch, kept, isExact}. `isExact`: whether the server's is the same. It is not if a setting is given that only the server can
 * apply, such as a target length. `params`: of the render.
 */
export function ownPlan(points, { record, params, operations }) {
  const planner = operationOfRole(operations, "ramp_plan");
  if (!planner) return null;
  const nameOf = (role) => paramOf(planner, "role", role);
  const numberOf = (role, missing) => (typeof params[nameOf(role)] === "number" ? params[nameOf(role)] : missing);
  const { media } = record;
  const start = numberOf("part_start", 0);
  const end = Math.min(start + numberOf("part_length", Infinity), media.duration_s);
  const rate = params[nameOf("output_rate")];
  const isRate = /^\d+(\/\d+)?$/.test(rate ?? "");
  const known = new Set([paramOf(planner, "widget", "curve"), ...["part_start", "part_length", "output_rate"].map(nameOf)]);
  const declared = planner.params.properties;
  const isReference = (value) => value !== null && typeof value === "object" && !Array.isArray(value); // to another step's result
  const isUsual = ([name, value]) => (known.has(name) && !isReference(value)) || !(name in declared) || JSON.stringify(value) === JSON.stringify(declared[name].default);
  const curve = begunAt(points, start);
  return {
    curve, start_s: start, end_s: end, duration_s: end > start ? new Ramp(curve, end, start).duration : 0,
    frame_rate: isRate ? rate : media.constant_rate || media.frame_rate, has_sound: media.audio?.length > 0, keeps_pitch: true, kept: null,
    isExact: Object.entries(params).every(isUsual),
  };
}
