import { TellaskError } from '../kernel/errors.ts';

/** A plugin was taken out, and does something on its host all the same. Code `TELLASK_PLUGIN_GONE`. */
export class PluginGoneError extends TellaskError {
  readonly plugin: string;

  constructor(plugin: string, action: string) {
    super('TELLASK_PLUGIN_GONE', `Plugin ${plugin} is uninstalled: no ${action} any more`);
    this.plugin = plugin;
  }
}
