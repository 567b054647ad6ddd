import { refuseUnknown } from '../kernel/unknown-option.ts';
import type {
  BroadcastOptions,
  GatherOptions,
  PublishOptions,
  RequestOptions,
  SendOptions,
  StreamOptions,
} from './speech.ts';

const TOLD = {
  type: true,
  priority: true,
  ttlMs: true,
  delayMs: true,
  deliverAt: true,
  dedupeKey: true,
  headers: true,
  signal: true,
  timeoutMs: true,
  correlationId: true,
  budget: true,
  detached: true,
} as const;

const ASKED = {
  timeoutMs: true,
  idleTimeoutMs: true,
  signal: true,
  priority: true,
  headers: true,
  idempotencyKey: true,
  correlationId: true,
  budget: true,
  detached: true,
  to: true,
  onProgress: true,
  policy: true,
} as const;

type Call = 'send' | 'publish' | 'broadcast' | 'request' | 'stream' | 'gather';

/** What each call may be told. The compiler keeps the lists as long as the types. */
const KNOWN: Readonly<Record<Call, ReadonlySet<string>>> = {
  send: namesOf<SendOptions>(TOLD),
  publish: namesOf<PublishOptions>({ ...TOLD, retain: true }),
  broadcast: namesOf<BroadcastOptions>({ ...TOLD, exclude: true, echo: true }),
  request: namesOf<RequestOptions>({ ...ASKED, fallback: true, waitForMs: true, select: true }),
  stream: namesOf<StreamOptions>({ ...ASKED, fallback: true, highWaterMark: true, select: true }),
  gather: namesOf<GatherOptions>({ ...ASKED, until: true, stragglers: true }),
};

/** A mistyped option of a call would be silently without effect. */
export function checkCallOptions(verb: Call, options: object): void {
  refuseUnknown(options, KNOWN[verb], verb);
}

function namesOf<Options>(names: Record<keyof Options, true>): ReadonlySet<string> {
  return new Set(Object.keys(names));
}
