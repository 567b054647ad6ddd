import { type TopicOf, topic } from '../../src/message/template.ts';
const built = topic('report.{id}.drafted', { id: '7' });
const n: number = built;
type X = TopicOf<'report.{id}.drafted'>;
const m: number = 'a' as unknown as X;
export const back: `report.${string}.drafted` = built; export const forth: X = back; export { n, m };
