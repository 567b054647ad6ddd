// 30 Snapshots: signed, refused when forged, restored all or nothing, and fit for today's contract.
import { defineContract, isTellaskError, StateManager } from 'tellask';
import { z } from 'zod';

const SECRET = { key: 'only the desk knows' };
const contract = defineContract({
  state: { 'doc.{id}': z.object({ title: z.string(), tags: z.array(z.string()) }) },
});
const state = new StateManager({ contract });
const writer = state.as('writer');
writer.create('doc.1', { title: 'Tea', tags: [] });
writer.create('doc.2', { title: 'Coffee', tags: ['strong'] });
const show = () =>
  state.list().map(({ key, version, value }) => `${key}@${version} ${value.title}`);

const file = JSON.stringify(state.snapshot('doc.*', SECRET));
writer.set('doc.1', { title: 'Spoilt', tags: [] });
writer.delete('doc.2');
writer.create('doc.3', { title: 'Written since', tags: [] });
console.log('before:', show());

// Whoever has no key can change the file, but not unnoticed.
for (const text of [file.replace('Coffee', 'Poison'), file.slice(0, -20).concat('"}')]) {
  try {
    state.restore(JSON.parse(text), SECRET);
  } catch (error) {
    console.log(isTellaskError(error, 'TELLASK_STATE_SNAPSHOT') && error.message);
  }
}
console.log('nothing was restored:', show());

for (const { key, version, action } of state.restore(JSON.parse(file), SECRET)) {
  console.log(`${key}: ${action} as version ${version}`);
}
console.log('after:', show());
console.log('what was undone is still known:', state.getVersion('doc.3', 1).value?.title);

// Last year a document was a text. The contract of today is met by a migration, or nothing is.
const old = new StateManager();
old.set('doc.9', 'Cocoa');
const snapshot = old.snapshot();
try {
  state.restore(snapshot);
} catch (error) {
  console.log(isTellaskError(error, 'TELLASK_VALIDATION') && error.code);
}
state.restore(snapshot, { migrate: ({ value }) => ({ title: value, tags: ['migrated'] }) });
for (const { key, value } of state.list()) console.log(key, value);
