import fc from 'fast-check';

// The same programs in every run, so that a failure is the change's and not the draw's.
// `npm run soak` is where new seeds are drawn, and printed.
fc.configureGlobal({ seed: 1 });
