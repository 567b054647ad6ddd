/**
 * What every schema library offers that implements Standard Schema, version 1
 * (https://standardschema.dev). The interface is written out here, as its authors propose, so that
 * the library depends on no schema package: zod, valibot, arktype and the like fit as they are.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': StandardSchemaProps<Input, Output>;
}

/** The part of a schema that Standard Schema describes. */
export interface StandardSchemaProps<Input = unknown, Output = Input> {
  readonly version: 1;
  /** The library that made the schema. */
  readonly vendor: string;
  /** Parses a value: gives back the output, or what is wrong with it. */
  readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
  /** Exists for the type checker only. */
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}

/** What a schema answers: the parsed value, or the issues it found. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One finding of a schema. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}
