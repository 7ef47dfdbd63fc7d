// Look-up of an operation's inputs, parameters, outputs and results by their declarations, so that the page needs no names.

/** The name of the first input that takes media of a kind. */
export function inputOf(operation, kind = "video") {
  return Object.entries(operation.inputs).find(([, port]) => port.kinds.includes(kind))?.[0];
}

/** The name of the first input of a role: matte, plate, mask, backdrop. */
export function inputOfRole(operation, role) {
  return Object.entries(operation.inputs).find(([, port]) => port.role === role)?.[0];
}

/** The name of the first parameter with a role or widget. `field`: "role" or "widget"; `value`: the role or widget. */
export function paramOf(operation, field, value) {
  return Object.entries(operation.params.properties ?? {}).find(([, declared]) => declared[field] === value)?.[0];
}

/** The value of the parameter of a role, or its default. It is undefined if the operation has no such parameter. */
export function valueOfRole(operation, params, role) {
  const name = paramOf(operation, "role", role);
  return name && (params?.[name] ?? operation.params.properties[name].default);
}

/** Whether a parameter may be set, given the other `params`. Its declaration names the values of others that it needs. */
export function mayBeSet(operation, params, name) {
  const { properties } = operation.params;
  return Object.entries(properties[name]?.only_with ?? {}).every(([other, value]) => (params[other] ?? properties[other].default) === value);
}

/** The `params` after `changes`, without those that the new values exclude. A change to undefined removes a param. */
export function changedParams(operation, params, changes) {
  const changed = Object.fromEntries(Object.entries({ ...params, ...changes }).filter(([, value]) => value !== undefined));
  return Object.fromEntries(Object.entries(changed).filter(([name]) => mayBeSet(operation, changed, name)));
}

/** Whether an output keeps the times of its clip. Only mattes of a part can. `output`: its name. */
export function keepsTimes(operation, params, output) {
  return valueOfRole(operation, params, "keeps_times") === true && operation.output_roles[output] === "matte";
}

/** The value of a result's field of a role; undefined without one. `result`: of a job of the operation. */
export function resultOfRole(operation, result, role) {
  const [name] = Object.entries(operation?.result.properties ?? {}).find(([, declared]) => declared.role === role) ?? [];
  return name && result?.[name];
}

/** The names of all fields of a role, in the results of all operations. */
export function namesOfRole(operations, role) {
  const models = operations.flatMap(({ result }) => [result, ...Object.values(result.$defs ?? {})]);
  const fields = models.flatMap(({ properties = {} }) => Object.entries(properties));
  return [...new Set(fields.filter(([, declared]) => declared.role === role).map(([name]) => name))];
}

/** The operation of a role, such as `ramp_plan`. It is undefined if no service has it. */
export function operationOfRole(operations, role) {
  return operations.find((operation) => operation.role === role);
}

/** The required inputs that the server can make first: {name: "auto"}. */
export function madeFirst(operation) {
  const clip = inputOf(operation);
  const needed = Object.entries(operation.inputs).filter(([name, port]) => port.auto && !port.optional && name !== clip);
  return Object.fromEntries(needed.map(([name]) => [name, "auto"]));
}
