/**
 * Compares keys by Unicode code points, as SQLite, Redis and LevelDB do by the bytes of UTF-8.
 * `<` compares UTF-16 code units, which differs for what lies above U+FFFF.
 *
 * Source: the fix-up of "UTF-16 for Processing", Unicode Technical Note 12, section 5.
 */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    const [unitA, unitB] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (unitA !== unitB) return lifted(unitA) - lifted(unitB);
  }
  return a.length - b.length;
}

/** Puts surrogates, which stand for what is above U+FFFF, behind all other code units. */
function lifted(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
