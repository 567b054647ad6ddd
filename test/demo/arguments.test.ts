import { expect, it } from 'vitest';
import { HELP, readArguments } from '../../examples/demo/arguments.ts';

it.each([
  [[], { folder: 'node_modules', ask: false, words: Infinity }],
  [['docs'], { folder: 'docs' }],
  [['--budget', '200', 'docs'], { folder: 'docs', words: 200 }],
  [['--budget=0'], { words: 0 }],
  [['--ask'], { ask: true }],
  [['--fail', 'announce'], { fail: 'announce' }],
  [[], { fail: undefined }],
  [['--help'], { help: true }],
])('reads %j', (argv, wishes) => {
  expect(readArguments(argv, true)).toMatchObject(wishes);
});

it.each([
  [['--budget', 'many'], '--budget takes a whole number of words, not "many".'],
  [['--budget=-1'], '--budget takes a whole number of words, not "-1".'],
  [['--budget', ''], '--budget takes a whole number of words, not "".'],
  [['--fail', 'write'], '--fail takes index or announce, not "write".'],
  [['a', 'b'], 'One folder at a time, please: a or b'],
  [['--quick'], "Unknown option '--quick'"],
])('says what is wrong with %j', (argv, message) => {
  expect(() => readArguments(argv, true)).toThrow(message);
});

it('asks nobody where there is no terminal', () => {
  expect(() => readArguments(['--ask'], false)).toThrow('--ask needs a terminal to ask in');
});

it('tells of every option, and what a budget counts', () => {
  for (const option of ['--ask', '--budget', '--fail', '--help']) expect(HELP).toContain(option);
  expect(HELP).toContain('what stands between blanks');
});
