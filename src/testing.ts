export {
  createTestBus,
  type TestBus,
  type TestBusOptions,
  type TestClock,
} from './testing/test-bus.ts';
