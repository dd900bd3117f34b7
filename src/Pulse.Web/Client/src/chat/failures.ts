import { texts } from './texts';

/** The code of a failure of the client package or of a route. */
export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

/** Explains a failure to people. */
export function explain(error: unknown): string {
  return texts.failures[codeOf(error)] ?? texts.failure;
}
