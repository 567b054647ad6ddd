import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, it } from 'vitest';

const FIXTURE = 'test/types/fixtures/wrong-programs.ts';

interface Answer {
  readonly line: number;
  readonly text: string;
}

function compile(file: string): readonly Answer[] {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const program = ts.createProgram([file], options);
  return ts.getPreEmitDiagnostics(program, program.getSourceFile(file)).map((diagnostic) => ({
    line: diagnostic.file?.getLineAndCharacterOfPosition(diagnostic.start ?? 0).line ?? -1,
    text: ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'),
  }));
}

/** What each `// expect:` line of the fixture wants of the line below it. */
function expectations(file: string): readonly Answer[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((line, index) => {
    const text = line.split('// expect: ')[1];
    return text === undefined ? [] : [{ line: index + 1, text }];
  });
}

// F:A6
it('answers wrong programs with sentences that say what is wrong', { timeout: 60_000 }, () => {
  const expected = expectations(FIXTURE);

  const answers = compile(FIXTURE);

  expect(expected.length).toBeGreaterThan(10);
  expect(answers.map(({ line }) => line)).toEqual(expected.map(({ line }) => line));
  for (const [index, { text }] of expected.entries()) expect(answers[index]?.text).toContain(text);
});
