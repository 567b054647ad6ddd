import type {
  CircuitBreaker,
  CircuitBreakerOptions,
  CircuitControl,
  Permit,
} from '../../src/index.ts';
import type { SimEnv } from '../../src/testing/sim-env.ts';
import { CircuitSpec, type SpecCall, type SpecOptions } from './circuit-spec.ts';

/** What the enumeration needs of a library: the one here, or a mutant of it. */
export interface CircuitLibrary {
  circuitBreaker(options: CircuitBreakerOptions): CircuitBreaker;
  SimEnv: typeof SimEnv;
}

/** Something that may happen to a circuit. */
export type Happening =
  | 'call'
  | 'a millisecond'
  | 'almost the open time'
  | 'a lease'
  | 'a long silence'
  | `${'first' | 'last'} ${'succeeds' | 'fails' | 'is neutral'}`
  | 'isolate'
  | 'release first'
  | 'release last'
  | 'reset';

/** What differs, and after what. */
export interface Difference {
  readonly after: readonly Happening[];
  readonly what: string;
}

const WAITS: readonly Happening[] = [
  ...(['a millisecond', 'almost the open time', 'a lease', 'a long silence'] as const),
];
const EVERY: readonly Happening[] = [
  ...(['call', ...WAITS] as const),
  ...([
    'first succeeds',
    'first fails',
    'first is neutral',
    'last succeeds',
    'last fails',
  ] as const),
  ...(['isolate', 'release first', 'release last', 'reset'] as const),
];

/**
 * Tries every sequence of so many happenings after a beginning, and compares the circuit with the
 * specification after each: who gets through, the status, how many probes run, the way back.
 */
export function findDifference(
  library: CircuitLibrary,
  options: SpecOptions,
  { beginning, length }: { readonly beginning: readonly Happening[]; readonly length: number },
): { sequences: number; difference: Difference | undefined } {
  let sequences = 0;
  const longest = beginning.length + length;
  const world = new World(library, options);
  const search = (path: readonly Happening[]): Difference | undefined => {
    sequences += 1;
    const pair = new Pair(options, world, `${sequences}`);
    for (const happening of path) pair.happen(happening);
    const nexts = path.length === longest ? [] : pair.possible(path.at(-1));
    const what = pair.difference() ?? pair.wayBack();
    if (what !== undefined) return { after: path, what };
    for (const next of nexts) {
      const difference = search([...path, next]);
      if (difference !== undefined) return difference;
    }
    return undefined;
  };
  return { difference: search(beginning), sequences };
}

/** One Env, set back for each sequence, and one breaker, with a circuit for each. */
class World {
  readonly breaker: CircuitBreaker;
  ms = 0;

  constructor({ circuitBreaker, SimEnv }: CircuitLibrary, options: SpecOptions) {
    const env = new SimEnv();
    env.now = () => this.ms;
    this.breaker = circuitBreaker({ ...options, maxCircuits: Number.POSITIVE_INFINITY, env });
  }
}

interface Running {
  readonly permit: Permit;
  readonly call: SpecCall;
}

/** A circuit and its specification, to which the same things happen. */
class Pair {
  readonly #options: SpecOptions;
  readonly #spec: CircuitSpec;
  readonly #circuit: CircuitControl;
  readonly #world: World;
  readonly #running: Running[] = [];
  readonly #holds: { readonly hold: Disposable; readonly spec: object }[] = [];
  #difference: string | undefined;

  constructor(options: SpecOptions, world: World, key: string) {
    this.#options = options;
    this.#spec = new CircuitSpec(options);
    this.#world = world;
    world.ms = 0;
    this.#circuit = world.breaker.for(key);
  }

  difference(): string | undefined {
    const { status } = this.#circuit;
    if (this.#difference !== undefined) return this.#difference;
    if (status !== this.#spec.status) return `${status} and not ${this.#spec.status}`;
    return this.#tooMany();
  }

  /** Happenings that can make a difference now. */
  possible(last: Happening | undefined): Happening[] {
    const { length } = this.#running;
    const waited = last !== undefined && WAITS.includes(last);
    return EVERY.filter((happening) => {
      // Two waits are one, but for the milliseconds before and after an end.
      if (waited && WAITS.includes(happening)) return happening === 'a millisecond';
      if (happening.startsWith('first')) return length > 0;
      if (happening.startsWith('last')) return length > 1;
      if (happening === 'release first') return this.#holds.length > 0;
      if (happening === 'release last') return this.#holds.length > 1;
      return true;
    });
  }

  happen(happening: Happening): void {
    const { openMs, probeLeaseMs, forgetMs } = this.#options;
    if (happening === 'call') this.#call();
    else if (happening === 'a millisecond') this.#advance(1);
    else if (happening === 'almost the open time') this.#advance(openMs - 1);
    else if (happening === 'a lease') this.#advance(probeLeaseMs);
    else if (happening === 'a long silence') this.#advance(forgetMs - 1);
    else if (happening === 'isolate') this.#isolate();
    else if (happening === 'release first') this.#release(this.#holds.shift());
    else if (happening === 'release last') this.#release(this.#holds.pop());
    else if (happening === 'reset') this.#reset();
    else this.#end(happening);
  }

  #reset(): void {
    this.#circuit.reset();
    this.#spec.reset();
  }

  #isolate(): void {
    this.#holds.push({ hold: this.#circuit.isolate(), spec: this.#spec.isolate() });
  }

  #advance(ms: number): void {
    this.#world.ms += ms;
    this.#spec.advance(ms);
  }

  #call(): void {
    const admits = this.#circuit.admits();
    const permit = this.#circuit.tryAcquire();
    const call = this.#spec.call();
    if ((permit === undefined) !== (call === undefined)) {
      this.#difference = `a call ${permit ? 'gets' : 'does not get'} through`;
    } else if (admits !== (permit !== undefined)) {
      this.#difference = `admits() says ${admits}`;
    } else if (permit !== undefined && call !== undefined) {
      this.#running.push({ permit, call });
    }
  }

  #end(happening: Happening): void {
    const [which, ...how] = happening.split(' ');
    const running = which === 'first' ? this.#running.shift() : this.#running.pop();
    if (running === undefined) return;
    const { permit, call } = running;
    if (how.at(-1) === 'succeeds') {
      permit.succeed();
      this.#spec.end(call, 'success');
    } else if (how.at(-1) === 'fails') {
      permit.fail();
      this.#spec.end(call, 'failure');
    } else {
      permit.release();
      this.#spec.end(call, 'neutral');
    }
  }

  #release(held: { readonly hold: Disposable; readonly spec: object } | undefined): void {
    if (held === undefined) return;
    held.hold[Symbol.dispose]();
    this.#spec.release(held.spec);
  }

  /** Safety: of those who were let in since it is half open, no more run than there are permits. */
  #tooMany(): string | undefined {
    if (this.#circuit.status !== 'half-open') return undefined;
    const { ms } = this.#world;
    const leased = ({ call }: Running): boolean => ms < call.at + this.#options.probeLeaseMs;
    const probes = this.#running.filter((one) => one.call.era === this.#spec.era && leased(one));
    return probes.length > this.#options.permits ? `${probes.length} probes run` : undefined;
  }

  /** Liveness: released and left alone for the longest of its times, good calls alone close it. */
  wayBack(): string | undefined {
    for (const { hold } of this.#holds.splice(0)) hold[Symbol.dispose]();
    this.#world.ms += Math.max(this.#options.openMs, this.#options.probeLeaseMs);
    for (let call = 0; call < this.#options.successes; call += 1) {
      this.#circuit.tryAcquire()?.succeed();
    }
    const { status } = this.#circuit;
    return status === 'closed' ? undefined : `stays ${status}`;
  }
}
