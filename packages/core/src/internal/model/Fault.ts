/** Something in an object that is not as it should be. */
export interface Fault {
  /** The law, as `L16`, or the rule that was broken: `checksum`, `order`, `reference`, ... */
  readonly rule: string
  /** What was expected and what was found, as `key=value`. */
  readonly detail: string
}
