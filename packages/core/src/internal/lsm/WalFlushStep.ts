/**
 * The order in which WAL objects are stored and acknowledged, as a pure step.
 *
 *              frozen                uploaded, lease fresh
 *     (rows) ─────────> [ queue ] ───────────────────────> durable, acknowledged
 *                        oldest is                │
 *                        in flight                └ lease stale: read the manifest first
 *
 * - One upload at a time, in id order (L2): a later object must never be there
 *   while an earlier one is not, as replay would stop short of it.
 * - Rows are acknowledged only after their object is stored (L1, L12), and only
 *   under a fresh lease (L13): the fence that stops an old writer may have been
 *   collected, so a writer that was away for long asks the manifest first.
 *
 * `W` is what the task needs to build and to answer a WAL; the step never looks.
 */

export interface FrozenWal<W> {
  readonly id: number
  readonly wal: W
}

export interface State<W> {
  /** Oldest first; the first is in flight. */
  readonly queue: ReadonlyArray<FrozenWal<W>>
  /** The first is stored, and its acknowledgement waits for a manifest read. */
  readonly awaitsLease: boolean
}

export type Message<W> =
  | { readonly _tag: "Frozen"; readonly frozen: FrozenWal<W> }
  | { readonly _tag: "Uploaded"; readonly id: number; readonly isLeaseFresh: boolean }
  | { readonly _tag: "LeaseRead"; readonly isLeaseFresh: boolean }

export type Command<W> =
  | { readonly _tag: "Upload"; readonly frozen: FrozenWal<W> }
  | { readonly _tag: "ReadManifest" }
  | { readonly _tag: "Acknowledge"; readonly frozen: FrozenWal<W> }

export interface Stepped<W> {
  readonly state: State<W>
  readonly commands: ReadonlyArray<Command<W>>
}

export const initial: State<never> = { queue: [], awaitsLease: false }

export const step = <W>(state: State<W>, message: Message<W>): Stepped<W> => {
  switch (message._tag) {
    case "Frozen": {
      const queue = [...state.queue, message.frozen]
      return {
        state: { ...state, queue },
        commands: queue.length === 1 ? [{ _tag: "Upload", frozen: message.frozen }] : []
      }
    }
    case "Uploaded":
      return state.queue[0]?.id === message.id && !state.awaitsLease
        ? acknowledgeOldest(state, message.isLeaseFresh)
        : { state, commands: [] }
    case "LeaseRead":
      return state.awaitsLease ? acknowledgeOldest(state, message.isLeaseFresh) : { state, commands: [] }
  }
}

const acknowledgeOldest = <W>(state: State<W>, isLeaseFresh: boolean): Stepped<W> => {
  const [oldest, ...queue] = state.queue
  if (oldest === undefined) return { state, commands: [] }
  if (!isLeaseFresh) return { state: { ...state, awaitsLease: true }, commands: [{ _tag: "ReadManifest" }] }
  const next = queue[0]
  const acknowledge: Command<W> = { _tag: "Acknowledge", frozen: oldest }
  return {
    state: { queue, awaitsLease: false },
    commands: next === undefined ? [acknowledge] : [acknowledge, { _tag: "Upload", frozen: next }]
  }
}
