/** Things that are told apart, and put in order, by a number. */
export interface Ordered {
  readonly order: number;
}

/** Puts `item` where its order says: nearly always at the end. */
export function insertInOrder<T extends Ordered>(items: T[], item: T): void {
  const last = items.at(-1);
  if (last === undefined || last.order < item.order) items.push(item);
  else items.splice(placeOf(items, item.order), 0, item);
}

/** Takes `item` out and tells whether it was in. */
export function removeInOrder<T extends Ordered>(items: T[], item: T): boolean {
  const place = placeOf(items, item.order);
  if (items[place] !== item) return false;
  items.splice(place, 1);
  return true;
}

/** The first place whose order is not lower, by halving. */
function placeOf(items: readonly Ordered[], order: number): number {
  let from = 0;
  let to = items.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if ((items[middle] as Ordered).order < order) from = middle + 1;
    else to = middle;
  }
  return from;
}
