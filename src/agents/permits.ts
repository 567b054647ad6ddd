import { DeniedError } from '../access/errors.ts';
import { RevokedError, type WhyRevoked } from '../delivery/bound-errors.ts';
import type { Permits } from '../delivery/subscription.ts';
import { compilePattern, type Pattern } from '../message/pattern.ts';

/** What a handle may still do; what is left out is not restricted. */
export interface Restriction {
  /** Patterns of the topics it may publish. */
  readonly publish?: readonly string[];
  /** Patterns of the topics it may send. */
  readonly send?: readonly string[];
  /** Patterns of the topics it may ask. */
  readonly request?: readonly string[];
  /**
   * Patterns of the topics it may hear; a subscription's own pattern must be one of them. What was
   * sent to the agent on other topics it cannot pull.
   */
  readonly subscribe?: readonly string[];
  /** Patterns of the topics it may answer. */
  readonly serve?: readonly string[];
  /** Patterns of the keys of the state that it may read. */
  readonly read?: readonly string[];
  /** Patterns of the keys of the state that it may write. */
  readonly write?: readonly string[];
}

/** What a topic cannot hold and a pattern needs. */
const PATTERN_SIGNS = /[*?[\]{}()!\\]/;

const ACTIONS = ['publish', 'send', 'request', 'subscribe', 'serve', 'read', 'write'] as const;

/**
 * What one handle may do: never more than the handle it was made from, and nothing once it or one
 * of those was revoked.
 */
export class HandlePermits implements Permits {
  readonly #agent: string;
  readonly #above: HandlePermits | undefined;
  readonly #allowed: ReadonlyMap<string, readonly Pattern[]>;
  readonly #onDenied: ((refusal: DeniedError) => void) | undefined;
  #revoked: WhyRevoked | undefined;

  constructor(
    agent: string,
    above?: HandlePermits,
    restriction: Restriction = {},
    onDenied?: (refusal: DeniedError) => void,
  ) {
    this.#onDenied = above === undefined ? onDenied : above.#onDenied;
    this.#agent = agent;
    this.#above = above;
    this.#allowed = compile(restriction);
  }

  /** @throws RevokedError `TELLASK_REVOKED`, DeniedError `TELLASK_DENIED` */
  check(action: string, target: string): void {
    this.checkAlive();
    if (this.allows(action, target)) return;
    const refusal = new DeniedError(this.#agent, action, target);
    this.#onDenied?.(refusal);
    throw refusal;
  }

  /** As far as the restrictions go, its own and those above. */
  allows(action: string, target: string): boolean {
    for (let permits: HandlePermits | undefined = this; permits; permits = permits.#above) {
      const patterns = permits.#allowed.get(action);
      if (patterns?.some((one) => covers(one, target)) === false) return false;
    }
    return true;
  }

  get guardsState(): boolean {
    return this.#restricts('read') || this.#restricts('write');
  }

  /** It, or what it was made from, may not hear everything. */
  get guardsHearing(): boolean {
    return this.#restricts('subscribe');
  }

  #restricts(action: string): boolean {
    for (let permits: HandlePermits | undefined = this; permits; permits = permits.#above) {
      if (permits.#allowed.has(action)) return true;
    }
    return false;
  }

  checkAlive(): void {
    const why = this.#whyNot();
    if (why !== undefined) throw new RevokedError(this.#agent, why);
  }

  get alive(): boolean {
    return this.#whyNot() === undefined;
  }

  /** Whoever was lent a handle cannot end the agent with it once it was revoked. */
  get mayLeave(): boolean {
    const why = this.#above === undefined ? undefined : this.#whyNot();
    return why === undefined || why === 'left';
  }

  /** It is these permits, or was made from them. */
  isUnder(other: HandlePermits): boolean {
    for (let permits: HandlePermits | undefined = this; permits; permits = permits.#above) {
      if (permits === other) return true;
    }
    return false;
  }

  /** @throws RevokedError `TELLASK_REVOKED` */
  checkMayLeave(): void {
    if (!this.mayLeave) throw new RevokedError(this.#agent, this.#whyNot() ?? 'revoked');
  }

  revoke(why: WhyRevoked): void {
    this.#revoked ??= why;
  }

  #whyNot(): WhyRevoked | undefined {
    if (this.#revoked !== undefined || this.#above === undefined) return this.#revoked;
    return this.#above.#whyNot();
  }
}

/** A topic is allowed when the pattern matches it; a pattern only when it is the allowed one. */
function covers(allowed: Pattern, target: string): boolean {
  if (allowed.source === target || allowed.source === '**') return true;
  // As a topic, `report.**` would fit `report.*`: it reaches further than what is allowed.
  return !PATTERN_SIGNS.test(target) && allowed.matches(target);
}

function compile(restriction: Restriction): ReadonlyMap<string, readonly Pattern[]> {
  const allowed = new Map<string, readonly Pattern[]>();
  for (const action of ACTIONS) {
    const patterns = restriction[action];
    if (patterns === undefined) continue;
    if (!Array.isArray(patterns)) throw new TypeError(`${action} must be a list of patterns`);
    allowed.set(
      action,
      patterns.map((pattern: string) => compilePattern(pattern)),
    );
  }
  return allowed;
}
