/** Gives the items in turn, again and again. */
export function rotation(items: readonly string[]): () => string {
  let next = 0;
  return () => {
    next = next === items.length - 1 ? 0 : next + 1;
    return items[next] ?? '';
  };
}
