// 36 Faults: a till that charges twice, found by a crash that comes after the work, and mended.
import { isTellaskError } from 'tellask';
import { explore, type FaultRule, type ScenarioBus } from 'tellask/testing';

const RETRY = { retry: { maxAttempts: 4, baseMs: 100 } } as const;

/** Charges each order; `careful` remembers what it has charged, by the key that retries share. */
const makeTill = (careful: boolean) => {
  const charged: string[] = [];
  const join = ({ bus }: ScenarioBus) => {
    bus.register('till').subscribe(
      'order.*.placed',
      ({ topic }, { idempotencyKey }) => {
        const name = careful ? idempotencyKey : topic;
        if (!careful || !charged.includes(name)) charged.push(name);
      },
      RETRY,
    );
  };
  return { join, charged };
};

const scenario = (careful: boolean) => async (t: ScenarioBus) => {
  const till = makeTill(careful);
  till.join(t);
  for (const id of [1, 2, 3]) t.bus.publish(`order.${id}.placed`, {});
  await t.run();
  if (till.charged.length > 3) throw new Error('an order was charged twice');
};

const show = async (what: string, careful: boolean, faults: readonly FaultRule[]) => {
  try {
    const { schedules } = await explore(scenario(careful), { faults });
    console.log(`${what}: ${schedules} schedules, nothing found`);
  } catch (error) {
    if (!isTellaskError(error, 'TELLASK_EXPLORE_FAILED')) throw error;
    const [head, ...report] = error.message.split('\n');
    console.log(`${what}: ${head}`);
    for (const line of report.slice(1, 5)) console.log(`  ${line}`);
  }
};

const harmless: FaultRule = { fault: 'delay', topic: 'order.**', probability: 0.3, maxMs: 500 };
const before: FaultRule = { fault: 'crash', agent: 'till', probability: 0.1 };
const after: FaultRule = { ...before, when: 'after' };
await show('no faults', false, []);
await show('late, and crashes before the work', false, [harmless, before]);
await show('crashes after the work', false, [harmless, before, after]);
await show('mended', true, [harmless, before, after]);
