import { describe, expectTypeOf, it } from 'vitest';
import { type ParamsOf, paramsOf, topic } from '../../src/message/template.ts';

describe('the types of a template', () => {
  it('name the parameters', () => {
    expectTypeOf<ParamsOf<'report.{id}.drafted'>>().toEqualTypeOf<{ readonly id: string }>();
    expectTypeOf<ParamsOf<'{area}.{id}'>>().toEqualTypeOf<{
      readonly area: string;
      readonly id: string;
    }>();
    expectTypeOf(paramsOf('doc.{id}', 'doc.7')).toEqualTypeOf<
      { readonly id: string } | undefined
    >();
  });

  it('give topics of the template', () => {
    const built = topic('report.{id}.drafted', { id: '7' });

    expectTypeOf(built).toEqualTypeOf<`report.${string}.drafted`>();
  });

  it('refuse parameters that are missing or not named', () => {
    // @ts-expect-error id is missing
    topic('doc.{id}', {});
    // @ts-expect-error name is no parameter of the template
    topic('doc.{id}', { id: '7', name: 'x' });
  });

  it('let a template that is known only at run time through', () => {
    expectTypeOf(topic('doc.{id}' as string, { id: '7' })).toEqualTypeOf<string>();
  });
});
