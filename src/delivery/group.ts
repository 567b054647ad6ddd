import { Mailbox, type MailboxOptions } from '../mailbox/mailbox.ts';
import type { Delivery, Recipient } from './delivery.ts';
import type { Subscription } from './subscription.ts';
import type { Worker } from './worker.ts';

/** Who takes part in a group, and with which handler. */
export interface Member {
  readonly worker: Worker;
  readonly subscription: Subscription;
}

/** Whether a member may get what is said on a topic. */
export type MemberReaches = (member: Subscription, topic: string) => boolean;

/** What decides who hears a message. */
export type Heard = Pick<Delivery['message'], 'topic' | 'from'> & {
  readonly to?: string | undefined;
};

/** One subscription with one mailbox, whose members take the next message when they are free. */
export class Group implements Recipient {
  readonly label: string;
  readonly mailbox: Mailbox<Delivery>;
  readonly #members: Member[] = [];
  readonly #reaches: MemberReaches | undefined;
  #turn = 0;

  constructor(label: string, options: MailboxOptions, reaches?: MemberReaches) {
    this.label = label;
    this.#reaches = reaches;
    this.mailbox = new Mailbox<Delivery>(options);
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  join(member: Member): void {
    this.#members.push(member);
    member.worker.groups = [...member.worker.groups, this];
    member.worker.wake();
  }

  /** Returns whether anybody is left. */
  leave(subscription: Subscription): boolean {
    const at = this.#members.findIndex((member) => member.subscription === subscription);
    const [member] = this.#members.splice(at, at < 0 ? 0 : 1);
    if (member !== undefined) {
      const { worker } = member;
      const one = worker.groups.indexOf(this);
      // An agent may take part twice for a while: its next life comes before the last one goes.
      worker.groups = worker.groups.filter((_, other) => other !== one);
    }
    this.wake();
    return this.#members.length > 0;
  }

  workerOf(subscription: Subscription): Worker | undefined {
    return this.#members.find((member) => member.subscription === subscription)?.worker;
  }

  /** Free members are woken in rotation: the first of them whose lane runs takes the message. */
  wake(): void {
    const count = this.#members.length;
    for (let i = 0; i < count; i++) this.#members[(this.#turn + i) % count]?.worker.wake();
  }

  /** What stands for all of them in the routes, and is none of them. */
  isFace(subscription: Subscription): boolean {
    return this.#members.every((member) => member.subscription !== subscription);
  }

  /**
   * What the worker may take next. An agent does not hear itself, nor what it may not hear: that
   * waits for another.
   */
  headFor(worker: Worker): Delivery | undefined {
    const head = this.mailbox.lanes.peek();
    if (head === undefined) return undefined;
    const member = this.#memberOf(worker);
    if (member === undefined) return undefined;
    return this.#takes(member, head.message) ? head : undefined;
  }

  /** Whether any member may take what `from` says. */
  hears(message: Heard): boolean {
    return this.#members.some((member) => this.#takes(member, message));
  }

  assign(delivery: Delivery, worker: Worker): void {
    const member = this.#memberOf(worker);
    if (member !== undefined) delivery.subscription = member.subscription;
    this.#turn++;
    // What comes next may be for another, whom nothing has woken for it.
    if (this.headFor(worker) === undefined) this.wake();
  }

  #takes(member: Member, message: Heard): boolean {
    if (isOwnWord(message, member)) return false;
    return this.#reaches?.(member.subscription, message.topic) !== false;
  }

  #memberOf(worker: Worker): Member | undefined {
    return this.#members.find((member) => member.worker === worker);
  }
}

/** What an agent sends to itself it wants to hear. */
function isOwnWord({ from, to }: Heard, { subscription }: Member): boolean {
  const { owner, echo } = subscription;
  return from === owner && to !== owner && !echo && owner !== '$host';
}
