import type { Family } from '../message/family-index.ts';
import type { MessageType } from '../message/message.ts';
import type { Series } from '../observe/metrics.ts';
import { DispatchList } from './dispatch-list.ts';
import { Group } from './group.ts';
import type { Subscription } from './subscription.ts';

/** More speakers than this on one topic share no prepared list. */
const MAX_LISTS = 64;

/** Whether a subscription may get what somebody says on the topic of a route. */
export type Reaches = (subscription: Subscription, from: string) => boolean;

/**
 * Everything about one topic that does not change between two messages: its family, and for each
 * speaker the list of those who get a copy.
 */
export class Route {
  readonly family: Family | undefined;
  /** All who listen, of whatever type, in the order of registration. */
  readonly matches: readonly Subscription[];
  /** Nothing stands in the way of what is said here: no schema, and no rule against the topic. */
  readonly plain: boolean;
  readonly #typed: boolean;
  readonly #reaches: Reaches | undefined;
  #lists: Map<string, DispatchList> | undefined;
  #lastFrom: string | undefined;
  #lastList: DispatchList | undefined;

  readonly #series: Series | undefined;

  constructor(
    family: Family | undefined,
    matches: readonly Subscription[],
    series: Series | undefined,
    known: boolean,
    reaches?: Reaches,
  ) {
    this.#reaches = reaches;
    this.#series = series;
    this.family = family;
    this.plain = known && family?.input === undefined;
    this.matches = matches;
    this.#typed = matches.some((subscription) => subscription.types !== undefined);
  }

  /** Who gets a copy of what `from` says: everyone but the speaker, unless he wants his echo. */
  listFor(from: string, type: MessageType): DispatchList {
    if (from === this.#lastFrom && !this.#typed) return this.#lastList as DispatchList;
    return this.#find(from, type);
  }

  #find(from: string, type: MessageType): DispatchList {
    const key = this.#typed ? `${from} ${type}` : from;
    const list = this.#lists?.get(key) ?? this.#make(from, type);
    // Most topics have one speaker: the map is made for the second.
    if (this.#lastFrom !== undefined || this.#typed) this.#lists ??= new Map();
    if (this.#lists !== undefined && this.#lists.size < MAX_LISTS) this.#lists.set(key, list);
    this.#lastFrom = from;
    this.#lastList = list;
    return list;
  }

  #make(from: string, type: MessageType): DispatchList {
    const reaches = this.#reaches;
    const hearing = this.matches.filter(
      (one) => one.accepts(type) && hears(one, from) && reaches?.(one, from) !== false,
    );
    return new DispatchList(hearing, this.#series);
  }
}

function hears({ home, owner, echo }: Subscription, from: string): boolean {
  if (echo || from === '$host') return true;
  // A group is not its speaking member: the others are to hear him, and `headFor` skips himself.
  if (home instanceof Group)
    return home.members.some((member) => member.subscription.owner !== from);
  return owner !== from;
}
