type Container = Readonly<Record<string, unknown>>;

/** Whether two JSON values say the same; what they share is not looked at. */
export function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isContainer(one) || !isContainer(other)) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const keys = Object.keys(one);
  if (keys.length !== Object.keys(other).length) return false;
  return keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]));
}

/** An array or an object. */
export function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null;
}

/** An object that is no array. */
export function isObject(value: unknown): value is Container {
  return isContainer(value) && !Array.isArray(value);
}
