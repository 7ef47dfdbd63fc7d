// Look-up of an operation's inputs and parameters by their declarations, so that the page needs no names.

/** The name of the first input that takes media of a kind. */
export function inputOf(operation, kind = "video") {
  return Object.entries(operation.inputs).find(([, port]) => port.kinds.includes(kind))?.[0];
}

/** The name of the first input of a role: matte, plate, mask, backdrop. */
export function inputOfRole(operation, role) {
  return Object.entries(operation.inputs).find(([, port]) => port.role === role)?.[0];
}

/** The name of the parameter with a value in its declaration's field. Such a field is `role` or `widget`. */
export function paramOf(operation, field, value) {
  return Object.entries(operation.params.properties ?? {}).find(([, declared]) => declared[field] === value)?.[0];
}

/** The value of the parameter of a role, or its default. It is undefined if the operation has no such parameter. */
export function valueOfRole(operation, params, role) {
  const name = paramOf(operation, "role", role);
  return name && (params[name] ?? operation.params.properties[name].default);
}
