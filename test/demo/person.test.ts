import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { personAt } from '../../examples/demo/person.ts';

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const shown: string[] = [];
  output.on('data', (text) => shown.push(String(text)));
  const ask = (signal = new AbortController().signal) => personAt(input, output)('Well?', signal);
  return { input, shown, ask };
}

it.each([
  ['y', true],
  [' Yes ', true],
  ['n', false],
  ['NO', false],
])('takes %j for an answer', async (line, agrees) => {
  const { input, ask } = terminal();
  input.write(`${line}\n`);

  expect(await ask()).toBe(agrees);
});

it('asks again when the answer is none', async () => {
  const { input, shown, ask } = terminal();
  const answer = ask();
  input.write('perhaps\n\ny\n');

  expect(await answer).toBe(true);
  expect(shown.join('').split('Well? (y/n) ')).toHaveLength(4);
});

it('takes the end of the input for a no', async () => {
  const { input, ask } = terminal();
  input.end();

  expect(await ask()).toBe(false);
});

it('stops asking when nobody waits any more', async () => {
  const { ask } = terminal();
  const asker = new AbortController();
  const answer = ask(asker.signal);
  asker.abort();

  expect(await answer).toBe(false);
});
