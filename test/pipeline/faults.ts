/** One fault among the calls of several ports. */
export interface Fault {
  /** The same port, whose counted calls may fail. */
  on<T extends object>(port: T, methods: readonly (keyof T & string)[]): T;
  /** True once it has struck. */
  hasStruck(): boolean;
}

export interface FaultOptions {
  /** Which call fails, from 1, counted over all methods named. */
  readonly nth: number;
  /** Whether the call took place. */
  readonly when: "before" | "after";
  /** The process is dead: all that follows fails too. */
  readonly isFatal: boolean;
  readonly error: () => Error;
}

/** Makes the nth call fail. */
export function faultAt({ nth, when, isFatal, error }: FaultOptions): Fault {
  let calls = 0;
  let hasStruck = false;
  const strike = () => {
    hasStruck = true;
    throw error();
  };
  return {
    hasStruck: () => hasStruck,
    on(port, methods) {
      const counted = new Set<string>(methods);
      const wrapped = Object.entries(port).map(([name, member]) => {
        if (typeof member !== "function") return [name, member];
        return [
          name,
          async (...args: readonly unknown[]) => {
            if (isFatal && hasStruck) strike();
            if (!counted.has(name)) return await member.apply(port, args);
            calls += 1;
            const isNow = calls === nth;
            if (isNow && when === "before") strike();
            const result = await member.apply(port, args);
            if (isNow) strike();
            return result;
          },
        ];
      });
      return { ...port, ...Object.fromEntries(wrapped) };
    },
  };
}
