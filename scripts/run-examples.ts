// Runs every example; its output must equal the file examples/expected/<name>.txt when there is one.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

const native = Number(process.versions.node.split(".")[0]) >= 24;
const argv = native ? [] : ["--import", "tsx"];
let failed = 0;
for (const file of readdirSync("examples")
  .filter((f) => f.endsWith(".ts"))
  .sort()) {
  const start = performance.now();
  const run = spawnSync(process.execPath, [...argv, `examples/${file}`], {
    encoding: "utf8",
    timeout: 30_000,
  });
  const expected = `examples/expected/${file.replace(/\.ts$/, ".txt")}`;
  const wrong = existsSync(expected) && readFileSync(expected, "utf8") !== run.stdout;
  const ok = run.status === 0 && !wrong;
  if (!ok) failed++;
  console.log(`${ok ? "ok  " : "FAIL"} ${file} ${Math.round(performance.now() - start)} ms`);
  if (!ok) console.error(run.stdout, run.stderr);
}
process.exit(failed === 0 ? 0 : 1);

