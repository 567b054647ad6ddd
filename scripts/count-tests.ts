// Prints `N passed, N failed` from the JSON report of the test run, as the last line of the gate.
import { readFileSync } from 'node:fs';

interface FileReport {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}
interface RunReport {
  readonly success: boolean;
  readonly testResults: readonly FileReport[];
}

function readReport(path: string): RunReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as RunReport;
  } catch {
    return undefined;
  }
}

function count({ success, testResults }: RunReport): { passed: number; failed: number } {
  const tests = testResults.flatMap((file) => file.assertionResults);
  const having = (status: string) => tests.filter((test) => test.status === status).length;
  // A file that does not even load has no tests that could fail.
  const broken = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.every((t) => t.status !== 'failed'),
  );
  const failed = having('failed') + broken.length;
  return { passed: having('passed'), failed: success ? failed : Math.max(failed, 1) };
}

const report = readReport(process.argv[2] ?? '');
const { passed, failed } = report === undefined ? { passed: 0, failed: 1 } : count(report);
console.log(`${passed} passed, ${failed} failed`);
