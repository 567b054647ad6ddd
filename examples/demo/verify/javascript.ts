import { transform } from 'esbuild';
import { readings } from '../checks/excerpt.ts';
import type { Verify } from '../finding.ts';
import { blockText, isHistory } from './raw-text.ts';

/** Reads the block with esbuild, which knows modules, JSX and TypeScript. */
export const verifyJavaScript: Verify = async (finding, library) => {
  if (isHistory(finding.file)) {
    return { agrees: false, claim: 'history', because: 'release notes show what was' };
  }
  const text = await blockText(finding, library);
  const faults = await esbuildFaults(text, 'jsx');
  if (faults.length === 0) {
    return { agrees: false, claim: 'no-such-fault', because: 'esbuild reads all of it' };
  }
  if (faults.every(isRedeclaration)) {
    return { agrees: false, claim: 'excerpt', because: 'it shows alternatives side by side' };
  }
  for (const { name, text: reading } of readings(text)) {
    if (!(await esbuildFaults(reading, 'jsx')).every(isRedeclaration)) continue;
    return { agrees: false, claim: 'excerpt', because: `esbuild reads it as ${name}` };
  }
  if ((await esbuildFaults(text, 'ts')).length === 0) {
    return { agrees: false, claim: 'dialect', because: 'it compiles as TypeScript' };
  }
  const fault = faults.find((found) => !isRedeclaration(found));
  return { agrees: true, because: `esbuild says: ${fault}` };
};

function isRedeclaration(fault: string): boolean {
  return fault.includes('has already been declared');
}

async function esbuildFaults(text: string, loader: 'jsx' | 'ts'): Promise<string[]> {
  try {
    await transform(text, { loader, logLevel: 'silent', target: 'esnext', jsx: 'preserve' });
    return [];
  } catch (error) {
    const errors = (error as { errors?: { text: string }[] }).errors;
    return errors?.map((fault) => fault.text) ?? [String(error)];
  }
}
