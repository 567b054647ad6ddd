/**
 * Numbers from 0 up to, not including, 1: the same for the same seed, everywhere.
 *
 * SplitMix with 32 bits: Steele, Lea and Flood, "Fast splittable pseudorandom number generators",
 * OOPSLA 2014, with the mixing constants of MurmurHash3.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
