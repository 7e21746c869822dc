/**
 * Instances that are kept so that V8 keeps the shapes of their classes.
 *
 * What V8 knows of the fields of a class (its map) lives through two full collections without an instance; then it is
 * dropped, and with it all compiled code that relied on it: the next operations run in slow code, as the first ones
 * did. Objects of one operation are gone when it ends, so of a class that has no others one instance
 * is kept, made as all are. See ADR 41.
 */
const kept: Array<object> = []

/** Keeps an instance for as long as the process lives: it should refer to next to nothing. */
export const keep = (instance: object): void => {
  kept.push(instance)
}
