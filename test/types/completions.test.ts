import ts from 'typescript';
import { expect, it } from 'vitest';

const FILE = `${process.cwd()}/test/types/in-memory.ts`;
const PROGRAM = `import { fakeBus } from './fake-bus.ts';
interface Desk {
  topics: { 'report.{id}.drafted': string; 'doc.created': number; 'doc.deleted': number };
  requests: { 'search.web': { input: string; output: string } };
}
const bus = fakeBus<Desk>();
bus.publish('/*1*/', 1);
bus.publish('doc./*2*/', 1);
bus.subscribe('re/*3*/', (message) => message);
void bus.request('s/*4*/', '');
`;

function editor(): ts.LanguageService {
  const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, '.');
  const read = (file: string) => (file === FILE ? PROGRAM : ts.sys.readFile(file));
  return ts.createLanguageService({
    getScriptFileNames: () => [FILE],
    getScriptVersion: () => '1',
    getScriptSnapshot: (file) => ts.ScriptSnapshot.fromString(read(file) ?? ''),
    getCurrentDirectory: () => process.cwd(),
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    fileExists: (file) => file === FILE || ts.sys.fileExists(file),
    readFile: read,
  });
}

/** The keys that are offered; the sentence about the unfinished text may stand beside them. */
function offeredAt(service: ts.LanguageService, mark: string): readonly string[] {
  const found = service.getCompletionsAtPosition(FILE, PROGRAM.indexOf(mark), {});
  return (found?.entries ?? []).map(({ name }) => name).filter((name) => !name.includes(' '));
}

// F:A4 F:A5
it('offers topics, families and requests while they are written', { timeout: 60_000 }, () => {
  const service = editor();

  const offered = ['/*1*/', '/*2*/', '/*3*/', '/*4*/'].map((mark) => offeredAt(service, mark));

  expect(offered).toEqual([
    ['doc.created', 'doc.deleted'],
    ['doc.created', 'doc.deleted'],
    ['report.{id}.drafted', 'doc.created', 'doc.deleted'],
    ['search.web'],
  ]);
});
