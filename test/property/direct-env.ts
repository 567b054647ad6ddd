import type { Library } from './world.ts';

/** A simulated Env on which messages for idle mailboxes take the shortcut, as in production. */
export function directEnv({ SimEnv }: Library, maxSteps: number): InstanceType<typeof SimEnv> {
  const env = new SimEnv({ maxSteps });
  Object.defineProperty(env, 'direct', { value: true });
  return env;
}
