const SRC = new URL('../src/', import.meta.url).pathname;
const OWN_FILE = new URL(import.meta.url).pathname;
/** The only sources that may use what is trapped. */
const ALLOWED = [`${SRC}kernel/real-env.ts`, `${SRC}testing/sim-env.ts`];
const FRAMES = 6;

type Fn = (...args: unknown[]) => unknown;

/** What is patched: everything the Env stands for, and what hides a timer of its own. */
const TRAPPED: readonly (readonly [label: string, owner: object])[] = [
  ['setTimeout', globalThis],
  ['setInterval', globalThis],
  ['setImmediate', globalThis],
  ['queueMicrotask', globalThis],
  ['process.nextTick', process],
  ['Date.now', Date],
  ['performance.now', performance],
  ['Math.random', Math],
  ['crypto.randomUUID', crypto],
  ['AbortSignal.timeout', AbortSignal],
  ['AbortSignal.any', AbortSignal],
  ['Promise.race', Promise],
];

/**
 * Makes every call of time, order, chance or names throw when it comes from a file of `src` other
 * than the two Envs, for as long as a simulated suite runs. Calls from tests and packages pass.
 *
 * @returns the function that takes the traps out again.
 */
export function installEnvTrap(): () => void {
  const undo = [...TRAPPED.map(([label, owner]) => trap(label, owner)), trapNewDate()];
  return () => {
    for (const restore of undo.toReversed()) restore();
  };
}

function trap(label: string, owner: object): () => void {
  const name = label.slice(label.indexOf('.') + 1);
  const original = Reflect.get(owner, name) as Fn;
  const trapped: Fn = function trapped(this: unknown, ...args) {
    refuseSources(label, trapped);
    return original.apply(this, args);
  };
  return replace(owner, name, Object.assign(trapped, original));
}

function trapNewDate(): () => void {
  const trapped = new Proxy(Date, {
    construct(target, args, newTarget) {
      if (args.length === 0) refuseSources('new Date()', refuseSources);
      return Reflect.construct(target, args, newTarget) as Date;
    },
  });
  return replace(globalThis, 'Date', trapped);
}

function replace(owner: object, name: string, value: unknown): () => void {
  const own = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { value, writable: true, configurable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}

function refuseSources(label: string, below: (...args: never[]) => unknown): void {
  const caller = nearestCaller(below);
  if (caller === undefined || !caller.startsWith(SRC) || ALLOWED.includes(caller)) return;
  throw new Error(`${caller} used ${label}: only the Env gives time, order, chance and names`);
}

/** The file of the nearest frame that is neither Node's own nor this one. */
function nearestCaller(below: (...args: never[]) => unknown): string | undefined {
  const { prepareStackTrace, stackTraceLimit } = Error;
  // The bare frames: formatting a stack costs a hundred times as much.
  Error.prepareStackTrace = (_, frames) => frames;
  Error.stackTraceLimit = FRAMES;
  const holder: { stack?: unknown } = {};
  Error.captureStackTrace(holder, below);
  const frames = holder.stack as NodeJS.CallSite[];
  Error.stackTraceLimit = stackTraceLimit;
  Error.prepareStackTrace = prepareStackTrace;
  const files = frames.map((frame) => frame.getFileName()?.replace(/^file:\/\//, ''));
  return files.find((file) => file && !file.startsWith('node:') && file !== OWN_FILE);
}
