/** The name of a file must not move the cursor or colour the terminal. */
export function withoutControls(line: string): string {
  return line.replace(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/gu, '\uFFFD');
}
