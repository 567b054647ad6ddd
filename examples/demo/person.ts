import { createInterface } from 'node:readline';

/** Somebody who says yes or no. */
export type Person = (question: string, signal: AbortSignal) => Promise<boolean>;

/** Grants everything at once: for runs that nobody watches. */
export const agreeable: Person = async () => true;

/** Asks in a terminal, until the answer is one; who goes away without an answer says no. */
export function personAt(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Person {
  return (question, signal) =>
    new Promise((resolve) => {
      const lines = createInterface({ input, output, prompt: `${question} (y/n) `, signal });
      const end = (agrees: boolean) => {
        resolve(agrees);
        lines.close();
      };
      lines.on('line', (line) => {
        if (/^\s*y(es)?\s*$/i.test(line)) end(true);
        else if (/^\s*no?\s*$/i.test(line)) end(false);
        else lines.prompt();
      });
      lines.on('close', () => resolve(false));
      lines.prompt();
    });
}
