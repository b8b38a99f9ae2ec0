/** Makes one call, or does not. */
export type Around = (name: string, call: () => unknown) => unknown;

/** The same port, with something around each call of these methods; the others are as they were. */
export function around<Port extends object>(
  port: Port,
  methods: readonly (keyof Port & string)[],
  wrap: Around,
): Port {
  const wrapped = methods.map((name) => {
    const method = port[name];
    if (typeof method !== "function") throw new TypeError(`${name} is no method.`);
    return [name, (...args: readonly unknown[]) => wrap(name, () => method.apply(port, args))];
  });
  return { ...port, ...Object.fromEntries(wrapped) };
}
