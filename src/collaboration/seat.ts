import { misuse } from '../kernel/errors.ts';
import { refuseUnknown } from '../kernel/unknown-option.ts';
import { checkText, type Participant } from './options.ts';

const KNOWN: ReadonlySet<string> = new Set<keyof Participant>([
  'name',
  'agent',
  'capability',
  'topic',
]);

/** A participant, and which agent sits there now. */
export class Seat {
  readonly name: string;
  readonly topic: string;
  readonly capability: string | undefined;
  agent: string | undefined;

  constructor(given: string | Participant, topic: string) {
    const participant = readParticipant(given);
    const { name, capability } = participant;
    this.name = name;
    this.topic = participant.topic ?? topic;
    this.capability = capability;
    this.agent = participant.agent ?? (capability === undefined ? name : undefined);
  }
}

/** @throws TypeError for what is no list of participants, and for two of one name. */
export function readSeats(given: unknown, topic: string, min: number): readonly Seat[] {
  if (!Array.isArray(given) || given.length < min) {
    throw misuse('participants', `a list of ${min} or more`, given);
  }
  const seats = given.map((one: string | Participant) => new Seat(one, topic));
  refuseTwins(seats);
  return seats;
}

/** @throws TypeError for two of one name: nobody could tell them apart. */
export function refuseTwins(seats: readonly Seat[]): void {
  const names = seats.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new TypeError(`Two participants are named ${twice}`);
}

function readParticipant(given: string | Participant): Participant {
  if (typeof given === 'string') {
    checkText('A participant', given);
    return { name: given };
  }
  if (typeof given !== 'object' || given === null) {
    throw misuse('A participant', 'the name of an agent, or an object with a name', given);
  }
  refuseUnknown(given, KNOWN, 'A participant');
  checkText('The name of a participant', given.name);
  for (const field of ['agent', 'capability', 'topic'] as const) {
    if (given[field] !== undefined) checkText(`${field} of ${given.name}`, given[field]);
  }
  return given;
}
