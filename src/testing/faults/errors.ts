import { TellaskError } from '../../kernel/errors.ts';

/** A test made a handler or a store fail. Code `TELLASK_INJECTED_FAULT`. */
export class InjectedFaultError extends TellaskError {
  constructor(what: string) {
    super('TELLASK_INJECTED_FAULT', `${what}, as a fault of the test`, { stack: false });
  }
}
