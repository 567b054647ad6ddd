/**
 * What a message is meant as: one of the library's words, or the user's own. `publish` says
 * `event` and `send` says `task` unless told otherwise.
 */
export type MessageType =
  | 'event'
  | 'task'
  | 'result'
  | 'status'
  | 'error'
  | 'feedback'
  | 'control'
  | 'request'
  | 'reply'
  | (string & {});

/** What was said, as handlers see it: immutable, the same for everyone who hears it. */
export interface Message<
  Payload = unknown,
  Family extends string = string,
  Params = Readonly<Record<string, string>>,
> {
  readonly id: string;
  /** Position among all messages of its bus: greater was said later. */
  readonly seq: number;
  readonly type: MessageType;
  readonly topic: string;
  /** The contract's key for the topic, which tells a union of messages apart; else the topic. */
  readonly family: Family;
  /** The decoded segments that the family names: `{ id: 'src/a.md' }`. */
  readonly params: Params;
  /** The agent that said it; the host is `$host`. */
  readonly from: string;
  /** The one recipient of what was sent; `undefined` for what was published. */
  readonly to: string | undefined;
  readonly payload: Payload;
  /** 0 to 10, greater is sooner. */
  readonly priority: number;
  /** The conversation: the id of the message that began it. */
  readonly correlationId: string;
  /** The message whose handling caused this one. */
  readonly causationId: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Epoch milliseconds: a label, not a clock to compute with. */
  readonly sentAt: number;
  /** Epoch milliseconds after which no handler begins with it. */
  readonly expiresAt: number | undefined;
}
