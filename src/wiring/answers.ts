import type { Attempt } from '../delivery/attempt.ts';
import { drive, producerOf } from '../delivery/drive.ts';
import type { PayloadKeeper } from '../delivery/payload-keeper.ts';
import type { Invoke } from '../delivery/subscription.ts';
import type { Env } from '../kernel/env.ts';
import { isThenable } from '../kernel/thenable.ts';
import type { Contract } from '../message/contract.ts';
import type { Message } from '../message/message.ts';
import { parse } from '../message/parse.ts';

/** What taking answers in needs of its bus. */
export interface AnswerParts {
  readonly env: Env;
  readonly contract: Contract | undefined;
  readonly keeper: PayloadKeeper;
}

/** What responders return, on its way to who asked. */
export class Answers {
  readonly #parts: AnswerParts;

  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** What a responder returns is checked and taken in like everything that is said. */
  answering(handler: Invoke): Invoke {
    const answering: Invoke = (message, context) => {
      const answer = handler(message, context);
      // By a promise of our own: the `then` of another kind may give nothing back.
      return isThenable(answer)
        ? Promise.resolve(answer).then((value) => this.#given(message, context, value))
        : this.#given(message, context, answer);
    };
    // A time-out says in which handler it was: in that of the user.
    return Object.defineProperty(answering, 'name', { value: handler?.name ?? '' });
  }

  /** A generator is driven to its end; what it returns then is the answer. */
  #given(message: Message, context: Attempt, value: unknown): unknown {
    const producer = producerOf(value);
    if (producer === undefined) return this.#returned(message, context, value);
    const driven = drive(producer, context, {
      env: this.#parts.env,
      take: (chunk) => this.#taken('chunk', message, chunk),
    });
    return driven.then((answer) => this.#returned(message, context, answer));
  }

  /** What a handler returns that has put its answer off is none. */
  #returned(message: Message, context: Attempt, value: unknown): unknown {
    return context.deferral === undefined ? this.answerOf(message, value) : undefined;
  }

  /** An answer as the contract gives it back, in the library's own. */
  answerOf(message: Message, value: unknown): unknown {
    return this.#taken('output', message, value);
  }

  #taken(what: 'output' | 'chunk', message: Message, value: unknown): unknown {
    const { contract, keeper } = this.#parts;
    const schema = contract?.family('requests', message.topic)?.[what];
    if (schema === undefined) return keeper.keep(value);
    return keeper.keep(parse(schema, value, { what, topic: message.topic }));
  }
}
