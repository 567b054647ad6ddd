import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What the heap held when so many messages had passed. */
export interface HeapPoint {
  readonly messages: number;
  readonly bytes: number;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use after collection; twice, since finalizers free more. */
export async function heapBytes(): Promise<number> {
  for (let round = 0; round < 2; round += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return process.memoryUsage().heapUsed;
}

/** Bytes a million messages: the line of least squares through the points. */
export function slopePerMillion(points: readonly HeapPoint[]): number {
  const mean = (pick: (point: HeapPoint) => number): number =>
    points.reduce((sum, point) => sum + pick(point), 0) / points.length;
  const meanMessages = mean((point) => point.messages);
  const meanBytes = mean((point) => point.bytes);
  let covariance = 0;
  let variance = 0;
  for (const { messages, bytes } of points) {
    covariance += (messages - meanMessages) * (bytes - meanBytes);
    variance += (messages - meanMessages) ** 2;
  }
  return (covariance / variance) * 1e6;
}
