/** The settings of templates, as they are shown and edited. What is right for each, the API says. */
import type { Limits } from '../api/schema';

export const LIMITS: { key: keyof Limits; label: string; unit: string; about: string }[] = [
  { key: 'cpu_ms', label: 'Processor time', unit: 'ms', about: 'of one execution' },
  { key: 'wall_ms', label: 'Elapsed time', unit: 'ms', about: 'of one execution' },
  { key: 'mem_mb', label: 'Memory', unit: 'MB', about: 'of a session' },
  { key: 'max_events', label: 'Events', unit: 'events', about: 'of one execution' },
  { key: 'max_output_kb', label: 'Output', unit: 'kB', about: 'of one execution' },
];

export const RUNTIME = [
  { key: 'strict', label: 'Strict mode', about: 'Snippets and scripts run in strict mode' },
  { key: 'esm', label: 'ES modules', about: 'Files are modules, whatever they are called' },
  { key: 'typescript', label: 'TypeScript', about: 'Snippets may have types; .ts files always may' },
  { key: 'console', label: 'Console', about: 'Code has a console to write to' },
] as const;
