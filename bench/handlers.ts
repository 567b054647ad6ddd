import type { Handler, HandlerShape } from './contender.ts';
import type { Counter } from './counter.ts';

/**
 * Handlers made from distinct source, as the handlers of real programs are: closures of one
 * function would share its code, so that a library's call site stays monomorphic and looks
 * several times as fast as it ever is in use.
 */
export function makeHandlers(
  shape: HandlerShape,
  counter: Counter,
  count: number,
  /** Reads the number 1 from the payload. */
  read = '',
): Handler[] {
  return Array.from({ length: count }, (_, index) => {
    const body = `counter.add(${shape.payload}${read}); ${shape.last ?? ''}`;
    const source = `return function handler${index}(${shape.parameters}) { ${body} }`;
    return new Function('counter', source)(counter) as Handler;
  });
}
