/**
 * A lifecycle measurement: what it is asked for, and what its parts share.
 */
import type { Assignment } from "../Assignment.ts"
import type { Database } from "../Engine.ts"
import * as Loop from "../Loop.ts"

export const parts = ["load", "open", "scan", "memory", "requests", "compaction"] as const
export type Part = (typeof parts)[number]

export interface Task {
  readonly part: Part
  /** Its folder is that of the one database. */
  readonly assignment: Assignment
  readonly entries: number
  readonly valueBytes: number
  /** `load`: whether to flush and close; otherwise the process is to be killed, and leaves a WAL to replay. */
  readonly flush: boolean
  /** `open`: whether to scan everything. */
  readonly scan: boolean
  /** `memory`, `requests`: seconds without work. */
  readonly idleSeconds: number
  /** `requests`: loops, their time, and whether they wait for durability. */
  readonly lanes: number
  readonly seconds: number
  readonly durable: boolean
}

/** One measurement. */
export type Line = Readonly<Record<string, unknown>>

/** Opens the database of a task, with settings that add to its own. */
export type Open<P extends object> = (settings?: Readonly<Record<string, unknown>>) => Promise<Database<P>>

/** A value, read as the engine reads. */
export const get = async <P extends object>(database: Database<P>, key: Buffer): Promise<Uint8Array | undefined> => {
  const answer = database.get(key)
  return answer === undefined || answer instanceof Uint8Array
    ? answer
    : database.found(await database.run(Loop.one(answer)))
}

export const close = <P extends object>(database: Database<P>): Promise<unknown> =>
  database.run(Loop.one(database.close()))
