// Look-up of an operation's inputs, parameters, outputs and results by kind, role or widget, so that the page needs no names.

/** Return the name of the first input that takes media of a kind. */
export function inputOf(operation, kind = "video") {
  return Object.entries(operation.inputs).find(([, port]) => port.kinds.includes(kind))?.[0];
}

/** Return the name of the first input with a role: matte, plate, mask, backdrop. */
export function inputOfRole(operation, role) {
  return Object.entries(operation.inputs).find(([, port]) => port.role === role)?.[0];
}

/** Return the name of the first parameter with a role or widget. `field`: "role" or "widget"; `value`: the role or widget. */
export function paramOf(operation, field, value) {
  return Object.entries(operation.params.properties ?? {}).find(([, declared]) => declared[field] === value)?.[0];
}

/** Return the value, or else the default, of the parameter with a role. Undefined if the operation has no such parameter. */
export function valueOfRole(operation, params, role) {
  const name = paramOf(operation, "role", role);
  return name && (params?.[name] ?? operation.params.properties[name].default);
}

/** Return whether a parameter may be set, given the other `params`. Its declaration names the values that other params must have. */
export function mayBeSet(operation, params, name) {
  const { properties } = operation.params;
  return Object.entries(properties[name]?.only_with ?? {}).every(([other, value]) => (params[other] ?? properties[other].default) === value);
}

/** Apply `changes` to `params`, and drop params that the new values exclude. A change to undefined removes a param. */
export function changedParams(operation, params, changes) {
  const changed = Object.fromEntries(Object.entries({ ...params, ...changes }).filter(([, value]) => value !== undefined));
  return Object.fromEntries(Object.entries(changed).filter(([name]) => mayBeSet(operation, changed, name)));
}

/**
 * Return the params of a preset with the user's required values. These are values of required parameters that the preset leaves open.
 * `params`: the present ones; `preset`: {} for none; `before`: the params of the preset chosen until now, which are dropped; `brought`: params
 * that came with inputs. The preset's own values win.
 */
export function withPreset(operation, params, preset, { before = {}, brought = {} } = {}) {
  const isEntered = (name) => name in params && !(name in before);
  const entered = Object.fromEntries((operation.params.required ?? []).filter(isEntered).map((name) => [name, params[name]]));
  return changedParams(operation, { ...entered, ...brought }, preset);
}

/** Return whether an output keeps the times of its clip. Only the matte of a part of a clip can. `output`: its name. */
export function keepsTimes(operation, params, output) {
  return valueOfRole(operation, params, "keeps_times") === true && operation.output_roles[output] === "matte";
}

/** Return the value of the result's field with a role; undefined without one. `result`: of a job of the operation. */
export function resultOfRole(operation, result, role) {
  const [name] = Object.entries(operation?.result.properties ?? {}).find(([, declared]) => declared.role === role) ?? [];
  return name && result?.[name];
}

/** Return the names of all result fields with a role, over all operations. */
export function namesOfRole(operations, role) {
  const models = operations.flatMap(({ result }) => [result, ...Object.values(result.$defs ?? {})]);
  const fields = models.flatMap(({ properties = {} }) => Object.entries(properties));
  return [...new Set(fields.filter(([, declared]) => declared.role === role).map(([name]) => name))];
}

/** Return the operation with a role, such as `ramp_plan`. Undefined if no installed service has one. */
export function operationOfRole(operations, role) {
  return operations.find((operation) => operation.role === role);
}

/** Return "auto" for each required input that the server can make: {name: "auto"}. */
export function madeFirst(operation) {
  const clip = inputOf(operation);
  const needed = Object.entries(operation.inputs).filter(([name, port]) => port.auto && !port.optional && name !== clip);
  return Object.fromEntries(needed.map(([name]) => [name, "auto"]));
}
