// 23 A saga that outlives its process: a child is killed in the middle of it, and this one goes on.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, execArgv, execPath, kill, pid } from 'node:process';
import { fileURLToPath } from 'node:url';
import { saga } from 'tellask';
import { FileStore } from './file-store.ts';

/** Each process makes the definition anew; `hotelBooked` is what happens in its second step. */
function makeTrips(who: string, hotelBooked: () => void) {
  const book = (what: string) => (to: string, c: { readonly idempotencyKey: string }) => {
    console.log(`${who} books the ${what}, ${c.idempotencyKey}`);
    if (what === 'hotel') hotelBooked();
    return `${what} to ${to}`;
  };
  return saga<string>('trip')
    .step('flight', { run: book('flight') })
    .step('hotel', { run: book('hotel') })
    .step('car', { run: book('car') });
}

async function beChild(path: string): Promise<void> {
  const trips = makeTrips('the child', () => kill(pid, 'SIGKILL'));
  await trips.run('trip-7', 'Rome', { store: new FileStore(path) });
}

async function beParent(path: string): Promise<void> {
  const own = [...execArgv, fileURLToPath(import.meta.url), '--child', path];
  const [, signal] = await once(spawn(execPath, own, { stdio: 'inherit' }), 'exit');
  console.log(`the child ended with ${String(signal)}`);

  const store = new FileStore(path);
  const trips = makeTrips('the parent', () => {});
  for (const { id, status } of await trips.list({ store })) console.log(`${id} is ${status}`);
  // The lease of the child ends in half a minute; but we know that it is gone. The hotel is booked
  // again, under the same key, since nobody can know whether it was: the hotel has to see that.
  const { status, results } = await trips.resume('trip-7', { store, takeOver: true });
  console.log(status, results);
}

const child = argv.indexOf('--child');
if (child !== -1) await beChild(argv[child + 1] as string);
else {
  const folder = await mkdtemp(join(tmpdir(), 'tellask-saga-'));
  await beParent(join(folder, 'store.json'));
  await rm(folder, { recursive: true });
}
