import { aba } from './aba.ts';
import { autosave } from './autosave.ts';
import { budgetOverspend } from './budget-overspend.ts';
import { cacheStampede } from './cache-stampede.ts';
import { cancelAgainstComplete } from './cancel-against-complete.ts';
import { checkThenRegister } from './check-then-register.ts';
import type { ClassicBug } from './classic-bug.ts';
import { deadAgentChosen } from './dead-agent-chosen.ts';
import { doubleBooking } from './double-booking.ts';
import { droppedCommand } from './dropped-command.ts';
import { effectInTransaction } from './effect-in-transaction.ts';
import { lateBid } from './late-bid.ts';
import { lateSubscriber } from './late-subscriber.ts';
import { leaseLost } from './lease-lost.ts';
import { lockOrder } from './lock-order.ts';
import { lostUpdate } from './lost-update.ts';
import { lostWakeUp } from './lost-wake-up.ts';
import { orderAcrossRecipients } from './order-across-recipients.ts';
import { overtakingCancel } from './overtaking-cancel.ts';
import { readThenWatch } from './read-then-watch.ts';
import { replyRace } from './reply-race.ts';
import { retriedSideEffect } from './retried-side-effect.ts';
import { sagaRacesCompensation } from './saga-races-compensation.ts';
import { staleSnapshot } from './stale-snapshot.ts';

export const CLASSIC_BUGS: readonly ClassicBug[] = [
  lostUpdate,
  doubleBooking,
  lostWakeUp,
  aba,
  replyRace,
  retriedSideEffect,
  droppedCommand,
  cancelAgainstComplete,
  deadAgentChosen,
  orderAcrossRecipients,
  staleSnapshot,
  sagaRacesCompensation,
  budgetOverspend,
  leaseLost,
  checkThenRegister,
  lateSubscriber,
  lockOrder,
  effectInTransaction,
  overtakingCancel,
  readThenWatch,
  cacheStampede,
  lateBid,
  autosave,
];
