import { type ChildProcess, fork } from 'node:child_process';
import type { Answer } from './child.ts';

/** Preparing 100 000 patterns takes seconds; a message that is lost never ends. */
const answerTimeoutMs = 120_000;

/** One contender at one row, in a process of its own. */
export class ContenderProcess {
  readonly #child: ChildProcess;

  constructor(program: string, args: readonly string[], nodeFlags: readonly string[]) {
    this.#child = fork(program, args, { execArgv: [...nodeFlags], stdio: 'inherit' });
  }

  /** The first call prepares, every later one takes a sample. */
  ask(): Promise<Answer> {
    return new Promise((resolve) => {
      const finish = (answer: Answer): void => {
        clearTimeout(timer);
        this.#child.removeAllListeners();
        resolve(answer);
      };
      const late = `no answer in ${answerTimeoutMs / 1_000} s: was everything handled?`;
      const timer = setTimeout(finish, answerTimeoutMs, { error: late });
      this.#child.once('message', (answer) => finish(answer as Answer));
      this.#child.once('error', (error) => finish({ error: error.message }));
      this.#child.once('exit', (code, signal) => finish({ error: `ended: ${signal ?? code}` }));
      this.#child.send('next', (error) => {
        if (error !== null) finish({ error: error.message });
      });
    });
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
