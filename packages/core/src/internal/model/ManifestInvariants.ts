/**
 * What is true of every manifest, and of every two in a row.
 *
 * A manifest has no checksum, and every row hangs on it. So the laws are checked
 * in pairs: before a manifest is written, and after it is read. Each law says what
 * it prevents. They are those that one can see from manifests alone; whether the
 * named objects exist and hold what is said of them is for `verify`.
 *
 * A law must hold for whatever an honest writer, ours or another's, may write: to
 * break one is to be refused. What only our writer does is not a law here.
 */
import * as ByteOrder from "./ByteOrder.ts"
import type { Manifest, SortedRun } from "./Manifest.ts"
import type { SsTable, SsTableInfo } from "./SsTable.ts"

/** A broken law. As text: one line. */
export class Violation {
  /** The law's number in the architecture, or the noun it is about. */
  readonly law: string
  readonly says: string
  readonly prevents: string
  /** What was found, as `key=value`. */
  readonly found: string

  constructor(law: Law<never>, found: string) {
    this.law = law.law
    this.says = law.says
    this.prevents = law.prevents
    this.found = found
  }

  toString(): string {
    return `${this.law}: ${this.says}, else ${this.prevents}: ${this.found}`
  }
}

export interface Law<in A> {
  readonly law: string
  readonly says: string
  readonly prevents: string
  /** What breaks it; empty when it holds. */
  readonly broken: (subject: A) => ReadonlyArray<string>
}

/** Level 0 and runs: of the database, or of a segment. */
interface Tree {
  readonly l0: ReadonlyArray<SsTable>
  readonly runs: ReadonlyArray<SortedRun>
}

const treesOf = (manifest: Manifest): ReadonlyArray<Tree> => [manifest, ...manifest.segments]

const runsOf = (manifest: Manifest): ReadonlyArray<SortedRun> => treesOf(manifest).flatMap((tree) => tree.runs)

const tablesOf = (manifest: Manifest): ReadonlyArray<SsTable> =>
  treesOf(manifest).flatMap((tree) => [...tree.l0, ...tree.runs.flatMap((run) => run.tables)])

/** The laws of one manifest. */
export const laws: ReadonlyArray<Law<Manifest>> = [
  {
    law: "L6",
    says: "runs are listed by descending id",
    prevents: "an older version of a key would hide a newer one",
    broken: (manifest) =>
      treesOf(manifest).flatMap((tree) =>
        adjacent(tree.runs, (newer, older) =>
          newer.id > older.id ? undefined : `run=${newer.id} before run=${older.id}`
        )
      )
  },
  {
    law: "L6",
    says: "run ids are unique in the database",
    prevents: "a compaction would replace a run that it did not read",
    broken: (manifest) => repeated(runsOf(manifest).map((run) => String(run.id))).map((id) => `run=${id}`)
  },
  {
    law: "L6",
    says: "a table is named once, unless its views show different ranges",
    prevents: "its merge operands would be counted twice",
    broken: (manifest) =>
      repeated(
        tablesOf(manifest)
          .filter((table) => table.visibleRange === undefined)
          .map((table) => table.viewId)
      ).map((id) => `table=${id}`)
  },
  {
    law: "L7",
    says: "the tables of a run are ordered and disjoint, but for one key at their border",
    prevents: "a lookup, which asks one table of a run, would miss rows",
    broken: (manifest) =>
      runsOf(manifest).flatMap((run) =>
        adjacent(run.tables, (left, right) => {
          const end = lastKey(left) ?? firstKey(left)
          const start = firstKey(right)
          if (end === undefined || start === undefined || ByteOrder.compare(end, start) <= 0) return undefined
          return `run=${run.id} table=${left.id} next=${right.id}`
        })
      )
  },
  {
    law: "table",
    says: "the first key of a table is not above its last",
    prevents: "lookups and scans would pass it by",
    broken: (manifest) =>
      tablesOf(manifest)
        .filter(
          ({ info }) =>
            info.firstEntry !== undefined &&
            info.lastEntry !== undefined &&
            ByteOrder.compare(info.firstEntry, info.lastEntry) > 0
        )
        .map((table) => `table=${table.id}`)
  },
  {
    law: "table",
    says: "a table of level 0 or a run is of the compacted kind",
    prevents: "a WAL object, unordered, would be searched as if it were ordered",
    broken: (manifest) =>
      tablesOf(manifest)
        .filter(({ info }) => info.kind !== "compacted")
        .map((table) => `table=${table.id}`)
  },
  {
    law: "table",
    says: "the filter of a table is followed by its index, and that by its stats",
    prevents: "one part would be read as another",
    broken: (manifest) =>
      tablesOf(manifest)
        .filter(({ info }) => !isLaidOut(info))
        .map((table) => `table=${table.id}`)
  },
  {
    law: "table",
    says: "a visible range begins at a key or nowhere, and shows something of its table",
    prevents: "rows would be hidden or shown that should not be",
    broken: (manifest) =>
      tablesOf(manifest)
        .filter((table) => !showsSomething(table))
        .map((table) => `table=${table.id}`)
  },
  {
    law: "L16",
    says: "a database with tables has a last sequence number",
    prevents: "sequence numbers would be given twice, and old rows hide new ones",
    broken: (manifest) =>
      manifest.lastL0Sequence === 0 && tablesOf(manifest).length > 0 ? [`tables=${tablesOf(manifest).length}`] : []
  },
  {
    law: "L16",
    says: "the WAL is covered no further than its writer knew of it",
    prevents: "rows in WAL objects not yet read would be taken for stored",
    broken: ({ replayAfterWalId, walIdLastSeen }) =>
      replayAfterWalId > walIdLastSeen ? [`replayAfterWalId=${replayAfterWalId} walIdLastSeen=${walIdLastSeen}`] : []
  },
  {
    law: "L9",
    says: "a checkpoint has an id of its own and pins a manifest",
    prevents: "the collector would delete what it should keep",
    broken: ({ checkpoints }) => [
      ...repeated(checkpoints.map((checkpoint) => checkpoint.id)).map((id) => `checkpoint=${id}`),
      ...checkpoints.filter(({ manifestId }) => manifestId === 0).map(({ id }) => `checkpoint=${id} manifestId=0`)
    ]
  },
  {
    law: "tracker",
    says: "the points of the sequence tracker ascend",
    prevents: "a moment would be resolved to a state that it never had",
    broken: ({ sequenceTracker }) => {
      if (sequenceTracker === undefined) return []
      const { seconds, sequences } = sequenceTracker
      return [
        ...(seconds.length === sequences.length ? [] : [`sequences=${sequences.length} seconds=${seconds.length}`]),
        ...adjacent(sequences, (left, right) => (left < right ? undefined : `sequence=${right} after=${left}`)),
        ...adjacent(seconds, (left, right) => (left <= right ? undefined : `seconds=${right} after=${left}`))
      ]
    }
  }
]

/** A manifest and the one written after it. */
export interface Succession {
  readonly previous: Manifest
  readonly next: Manifest
}

type Ascending = "writerEpoch" | "compactorEpoch" | "replayAfterWalId" | "walIdLastSeen" | "lastL0Sequence"

const descents = ({ next, previous }: Succession, fields: ReadonlyArray<Ascending>): ReadonlyArray<string> =>
  fields
    .filter((field) => next[field] < previous[field])
    .map((field) => `${field}=${next[field]} was=${previous[field]}`)

/** The laws of a manifest and its successor. */
export const successionLaws: ReadonlyArray<Law<Succession>> = [
  {
    law: "L10",
    says: "epochs never go down",
    prevents: "a fenced process would take itself for the owner again",
    broken: (succession) => descents(succession, ["writerEpoch", "compactorEpoch"])
  },
  {
    law: "L16",
    says: "what is covered stays covered",
    prevents: "WAL objects that may be gone would be replayed, or sequence numbers given twice",
    broken: (succession) => descents(succession, ["replayAfterWalId", "walIdLastSeen", "lastL0Sequence"])
  },
  {
    law: "L16",
    says: "the clock of level 0 does not go back",
    prevents: "the official engine could not flush another memtable",
    broken: ({ next, previous }) =>
      previous.lastL0ClockTick === undefined || (next.lastL0ClockTick ?? -Infinity) >= previous.lastL0ClockTick
        ? []
        : [`lastL0ClockTick=${next.lastL0ClockTick} was=${previous.lastL0ClockTick}`]
  },
  {
    law: "L16",
    says: "a new table of level 0 comes with a greater last sequence number",
    prevents: "its rows would be replayed from the WAL as well, and their merge operands counted twice",
    broken: (succession) => {
      const { added } = levelZeroChange(succession)
      return added.length === 0 || succession.next.lastL0Sequence > succession.previous.lastL0Sequence
        ? []
        : [`table=${added[0]?.id} lastL0Sequence=${succession.next.lastL0Sequence}`]
    }
  },
  {
    law: "L6",
    says: "level 0 grows at its front and shrinks at its end",
    prevents: "an older version of a key would hide a newer one",
    broken: (succession) => {
      const { added, kept } = levelZeroChange(succession)
      const { next, previous } = succession
      const inOrder = kept.every((table, i) => table.viewId === previous.l0[i]?.viewId)
      const atEnd = kept.every((table, i) => table.viewId === next.l0[added.length + i]?.viewId)
      return inOrder && atEnd ? [] : [`was=${names(previous.l0)} is=${names(next.l0)}`]
    }
  },
  {
    law: "L6",
    says: "tables leave level 0 together with the mark of the newest that left",
    prevents: "a writer that merges this manifest into its own would bring them back",
    broken: (succession) => {
      const newest = levelZeroChange(succession).removed[0]?.viewId
      const mark = succession.next.lastCompactedViewId
      return newest === undefined || newest === mark ? [] : [`removed=${newest} lastCompactedViewId=${mark}`]
    }
  },
  {
    law: "database",
    says: "it stays initialized, and its WAL stays where it is",
    prevents: "the next writer would find no WAL, or replay another's",
    broken: ({ next, previous }) => [
      ...(previous.initialized && !next.initialized ? ["initialized=false"] : []),
      ...(previous.hasSeparateWalStore === next.hasSeparateWalStore
        ? []
        : [`hasSeparateWalStore=${next.hasSeparateWalStore} was=${previous.hasSeparateWalStore}`])
    ]
  }
]

const violations = <A>(laws: ReadonlyArray<Law<A>>, subject: A): ReadonlyArray<Violation> =>
  laws.flatMap((law) => law.broken(subject).map((found) => new Violation(law, found)))

/** The laws that a manifest breaks. */
export const check = (manifest: Manifest): ReadonlyArray<Violation> => violations(laws, manifest)

/** The laws that a manifest breaks, coming after another. `next` itself is for {@link check}. */
export const checkSuccession = (previous: Manifest, next: Manifest): ReadonlyArray<Violation> =>
  violations(successionLaws, { previous, next })

/** What happened to level 0, by view ids; each list in the order of its manifest. */
const levelZeroChange = ({ next, previous }: Succession) => {
  const before = new Set(previous.l0.map((table) => table.viewId))
  const after = new Set(next.l0.map((table) => table.viewId))
  return {
    added: next.l0.filter((table) => !before.has(table.viewId)),
    kept: previous.l0.filter((table) => after.has(table.viewId)),
    removed: previous.l0.filter((table) => !after.has(table.viewId))
  }
}

const isLaidOut = (info: SsTableInfo): boolean =>
  info.filterOffset + info.filterLength === info.indexOffset &&
  (info.statsLength === 0 || info.indexOffset + info.indexLength === info.statsOffset)

/** The least key that a table shows; absent when it has no rows. */
const firstKey = ({ info, visibleRange }: SsTable): Uint8Array | undefined => {
  const start = visibleRange?.start
  if (info.firstEntry === undefined || start === undefined || start._tag === "Unbounded") return info.firstEntry
  return ByteOrder.compare(start.key, info.firstEntry) > 0 ? start.key : info.firstEntry
}

/** A key that no key shown by a table is above; absent when that is not known. */
const lastKey = ({ info, visibleRange }: SsTable): Uint8Array | undefined => {
  const end = visibleRange?.end
  if (end === undefined || end._tag === "Unbounded") return info.lastEntry
  if (info.lastEntry === undefined) return end.key
  return ByteOrder.compare(end.key, info.lastEntry) < 0 ? end.key : info.lastEntry
}

const showsSomething = (table: SsTable): boolean => {
  const range = table.visibleRange
  if (range === undefined) return true
  if (range.start._tag === "Excluded") return false
  const first = firstKey(table)
  const last = lastKey(table)
  if (first === undefined || last === undefined) return true
  const order = ByteOrder.compare(first, last)
  const lastIsHidden = range.end._tag === "Excluded" && ByteOrder.compare(range.end.key, last) === 0
  return order < 0 || (order === 0 && !lastIsHidden)
}

const adjacent = <A>(
  items: ReadonlyArray<A>,
  broken: (left: A, right: A) => string | undefined
): ReadonlyArray<string> => {
  const found: Array<string> = []
  for (let i = 1; i < items.length; i++) {
    const here = broken(items[i - 1] as A, items[i] as A)
    if (here !== undefined) found.push(here)
  }
  return found
}

const repeated = (ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return ids.filter((id) => seen.size === seen.add(id).size)
}

const names = (tables: ReadonlyArray<SsTable>): string => `[${tables.map((table) => table.viewId).join(",")}]`
