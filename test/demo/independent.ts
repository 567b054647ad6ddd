import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Finding } from '../../examples/demo/finding.ts';

/** What the independent script finds in a folder, one line a finding. */
export function askScript(folder: string): string[] {
  const script = fileURLToPath(new URL('independent.mjs', import.meta.url));
  return JSON.parse(execFileSync(process.execPath, [script, folder], { encoding: 'utf8' }));
}

/** A finding as the script names it. */
export function nameOf({ file, kind, subject }: Finding): string {
  return [file, kind, subject].join(' | ');
}
