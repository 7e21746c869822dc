/**
 * What a measuring process is for: an engine, on a store, in a folder of its own.
 */
import type { Mode, S3Location, Store } from "./Engine.ts"
import type * as Engines from "./Engines.ts"

/** Which engine a process is for, and where its databases go. */
export interface Assignment {
  readonly engine: Engines.Name
  readonly mode: Mode
  /** The store, for engines that stand on one. */
  readonly store: Store
  readonly s3: S3Location | undefined
  readonly settings: Readonly<Record<string, unknown>>
  /** A folder of this process alone. */
  readonly directory: string
}
