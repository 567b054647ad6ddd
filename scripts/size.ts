// Size budget: bundled, minified, gzipped bytes of what one import costs.
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const budgets: readonly (readonly [name: string, code: string, maxGzip: number])[] = [
  ["MessageBus, dependencies included", 'export { MessageBus } from "./dist/index.js"', 22_000],
  ["BusError only (tree shaking)", 'export { BusError } from "./dist/index.js"', 500],
  ["inspect", 'export { toMermaid } from "./dist/inspect.js"', 4_000],
];
let failed = false;
for (const [name, contents, max] of budgets) {
  const out = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "node",
    logLevel: "error",
  });
  const size = gzipSync(out.outputFiles[0]?.contents ?? "").length;
  console.log(`${size <= max ? "ok  " : "FAIL"} ${size} / ${max} B gzip  ${name}`);
  if (size > max) failed = true;
}
process.exit(failed ? 1 : 0);

