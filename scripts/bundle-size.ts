import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** One import, and whether the packages that it takes count as well. */
export interface Bundle {
  readonly code: string;
  readonly counts: 'own' | 'all';
}

/** What a program imports that only wants the bus. */
export const MESSAGE_BUS = "export { MessageBus } from './dist/index.js'";

/** Bytes of what an import bundles to, minified and gzipped. Reads `dist`. */
export async function gzipBytes({ code, counts }: Bundle): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: '.' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
    ...(counts === 'own' ? { packages: 'external' as const } : {}),
  });
  return gzipSync(outputFiles[0]?.contents ?? '').length;
}
