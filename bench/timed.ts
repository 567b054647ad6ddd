import type { Sampler } from './row.ts';

/** Does this much of the row's work and returns when all of it is handled. */
export type Work = (operations: number) => void | Promise<void>;

/** How long to warm up and how long a sample is to last, in milliseconds. */
const warmUpMs = 250;
const sampleMs = 50;

async function durationMs(work: Work, operations: number): Promise<number> {
  const startedAt = performance.now();
  await work(operations);
  return performance.now() - startedAt;
}

/** Warms the work up and finds how many operations fill one sample. */
async function calibrate(work: Work): Promise<number> {
  const startedAt = performance.now();
  let operations = 1;
  for (;;) {
    const tookMs = await durationMs(work, operations);
    const warm = performance.now() - startedAt >= warmUpMs;
    if (tookMs < sampleMs / 2) operations *= 2;
    else if (warm) return Math.max(1, Math.round((operations * sampleMs) / tookMs));
  }
}

/** A sampler of nanoseconds an operation, by the wall clock. */
export async function timed(work: Work): Promise<Sampler> {
  const operations = await calibrate(work);
  return {
    sample: async () => ((await durationMs(work, operations)) * 1e6) / operations,
  };
}
