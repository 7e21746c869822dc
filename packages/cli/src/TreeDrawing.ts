/**
 * The tree of a database, drawn with characters.
 *
 *     WAL      what replay would read        the picture of a table:
 *     level 0  newest first                    its bytes beside the largest one
 *     runs     newest first                    its keys on the line of all keys
 *     jobs     compactions at work: the levels that they take say into which run
 */
import type { LsmTree } from "@effect-slatedb/core/Admin"
import type { Compaction } from "@effect-slatedb/core/Compactor"
import * as ByteText from "./ByteText.ts"
import * as CompactionText from "./CompactionText.ts"
import * as Figures from "./Figures.ts"
import * as TextTable from "./TextTable.ts"

type TableNode = LsmTree["l0"][number]
type WalNode = LsmTree["wals"][number]

export interface Options {
  readonly name: string
  readonly keys: ByteText.Format
  readonly columns: number
  /** The active ones. */
  readonly jobs?: ReadonlyArray<Compaction> | undefined
}

export const draw = (tree: LsmTree, options: Options): ReadonlyArray<string> => {
  const { manifest } = tree
  const { jobs = [] } = options
  const tables = [...tree.l0, ...tree.runs.flatMap((run) => run.tables)]
  const scale = makeScale(tables)
  const one = (table: TableNode, isLast: boolean) => tableLines(table, scale, options, isLast)
  return [
    `${options.name}: manifest ${tree.manifestId}, writer epoch ${manifest.writerEpoch}, ` +
      `sequence ${Figures.count(lastSequence(tree))}; ` +
      `${Figures.counted(tree.objects, "object")}, ${Figures.bytes(tree.bytes)}`,
    "",
    walTitle(tree),
    ...branches(tree.wals, (wal, isLast) => [walLine(wal, isLast)]),
    levelTitle("level 0", tree.l0) + levelZeroFate(tree, jobs),
    ...branches(tree.l0, one),
    ...(tree.runs.length === 0 ? ["runs     none"] : []),
    ...tree.runs.flatMap((run) => [
      levelTitle(`run ${run.id}`, run.tables) + runFate(run.id, jobs),
      ...branches(run.tables, one)
    ]),
    ...jobLines(jobs),
    ...checkpointLines(tree),
    ...unneededLines(tree)
  ].map((line) => TextTable.cut(line.trimEnd(), options.columns))
}

/** More than this many of a kind are counted, not drawn. */
const drawnMax = 40

const branches = <A>(
  items: ReadonlyArray<A>,
  lines: (item: A, isLast: boolean) => ReadonlyArray<string>
): ReadonlyArray<string> => {
  const drawn = items.slice(0, drawnMax)
  const hidden = items.length - drawn.length
  return [
    ...drawn.flatMap((item, i) => lines(item, hidden === 0 && i === drawn.length - 1)),
    ...(hidden === 0 ? [] : [` └─ and ${Figures.count(hidden)} more`])
  ]
}

const branch = (isLast: boolean): string => (isLast ? " └─ " : " ├─ ")

const walTitle = ({ wals }: LsmTree): string => {
  const bytes = sum(wals.map((wal) => wal.bytes))
  const rows = sum(wals.map((wal) => wal.contents.rows))
  return wals.length === 0
    ? "WAL      all of it is in tables"
    : `WAL      ${Figures.counted(wals.length, "object")} not in tables yet, ${Figures.bytes(bytes)}, ${Figures.counted(rows, "row")}`
}

const walLine = ({ bytes, contents, id }: WalNode, isLast: boolean): string => {
  const { firstSequence, lastSequence, rows } = contents
  const what =
    rows === 0
      ? "a fence: a writer opened here"
      : `${Figures.counted(rows, "row")}, sequence ${Figures.count(firstSequence)} to ${Figures.count(lastSequence)}`
  return `${branch(isLast)}${String(id).padStart(6)}  ${Figures.bytes(bytes).padStart(9)}  ${what}`
}

const levelTitle = (name: string, tables: ReadonlyArray<TableNode>): string =>
  tables.length === 0
    ? `${name.padEnd(8)} no tables`
    : `${name.padEnd(8)} ${Figures.counted(tables.length, "table")}, ${Figures.bytes(sum(tables.map((table) => table.bytes)))}`

/** A job takes the oldest tables of level 0, which are the last ones drawn. */
const levelZeroFate = ({ l0 }: LsmTree, jobs: ReadonlyArray<Compaction>): string => {
  const merge = jobs.map(CompactionText.mergeOf).find((merge) => merge.l0.length > 0)
  if (merge === undefined) return ""
  return `, ${merge.l0.length < l0.length ? `the oldest ${merge.l0.length} ` : ""}→ ${CompactionText.destination(merge)}`
}

const runFate = (id: number, jobs: ReadonlyArray<Compaction>): string => {
  const merge = jobs.map(CompactionText.mergeOf).find((merge) => merge.runs.includes(id))
  return merge === undefined ? "" : `, → ${CompactionText.destination(merge)}`
}

const jobLines = (jobs: ReadonlyArray<Compaction>): ReadonlyArray<string> =>
  jobs.length === 0
    ? []
    : [
        `jobs     ${Figures.counted(jobs.length, "compaction")}`,
        ...branches(jobs, (job, isLast) => {
          const written = job.outputs.length === 0 ? "" : `; ${CompactionText.outputs(job)} written`
          return [
            `${branch(isLast)}${job.id}  ${job.status}`,
            `${isLast ? "    " : " │  "}${CompactionText.merge(CompactionText.mergeOf(job))}${written}`
          ]
        })
      ]

const tableLines = (node: TableNode, scale: Scale, options: Options, isLast: boolean): ReadonlyArray<string> => {
  const { bytes, stats, table } = node
  const rows = stats === undefined ? "" : Figures.counted(stats.puts + stats.deletes + stats.merges, "row")
  const deletes = stats === undefined || stats.deletes === 0 ? "" : `, ${Figures.counted(stats.deletes, "delete")}`
  const codec = table.info.compression === "none" ? "" : `, ${table.info.compression}`
  const what = bytes === 0 ? "MISSING" : `${rows}${deletes}${codec}`
  const key = (bytes: Uint8Array | undefined) => (bytes === undefined ? "?" : ByteText.print(options.keys, bytes))
  const { firstEntry, lastEntry } = table.info
  return [
    `${branch(isLast)}${table.id}  ${Figures.bytes(bytes).padStart(9)} ${scale.size(bytes)}  ${what}`,
    `${isLast ? "    " : " │  "}${scale.keys(firstEntry, lastEntry)}  ${key(firstEntry)} … ${key(lastEntry)}`
  ]
}

const checkpointLines = ({ manifest }: LsmTree): ReadonlyArray<string> =>
  manifest.checkpoints.length === 0
    ? []
    : [
        `pins     ${Figures.counted(manifest.checkpoints.length, "checkpoint")}`,
        ...branches(manifest.checkpoints, ({ expireTimeSeconds, id, manifestId, name }, isLast) => [
          `${branch(isLast)}${name ?? id}  manifest ${manifestId}, ` +
            (expireTimeSeconds === undefined
              ? "for ever"
              : `until ${new Date(1000 * expireTimeSeconds).toISOString().slice(0, 19)}Z`)
        ])
      ]

const unneededLines = ({ unneeded }: LsmTree): ReadonlyArray<string> => {
  if (unneeded.length === 0) return []
  const kinds = ["compacted", "wal", "fence", "manifest", "compactions"] as const
  const parts = kinds.flatMap((kind) => {
    const count = unneeded.filter((object) => object.kind === kind).length
    return count === 0 ? [] : [`${count} ${kind}`]
  })
  const garbage = unneeded.filter(({ isGarbage }) => isGarbage)
  const bytesOf = (objects: LsmTree["unneeded"]) => Figures.bytes(sum(objects.map(({ bytes }) => bytes)))
  return [
    `waste    ${parts.join(", ")}: ${bytesOf(unneeded)}`,
    garbage.length === 0
      ? "         the collector would delete none of it now"
      : `         the collector would delete ${Figures.counted(garbage.length, "object")} now, ${bytesOf(garbage)}`
  ]
}

const lastSequence = ({ manifest, wals }: LsmTree): number =>
  Math.max(manifest.lastL0Sequence, ...wals.map((wal) => wal.contents.lastSequence))

/** What a table's bytes and keys are drawn against. */
interface Scale {
  readonly size: (bytes: number) => string
  readonly keys: (first: Uint8Array | undefined, last: Uint8Array | undefined) => string
}

const sizeWidth = 8
const keysWidth = 26

const makeScale = (tables: ReadonlyArray<TableNode>): Scale => {
  const largest = Math.max(1, ...tables.map((table) => table.bytes))
  const keys = tables.flatMap(({ table }) =>
    [table.info.firstEntry, table.info.lastEntry].filter((key) => key !== undefined)
  )
  const numberOf = numbering(keys)
  const numbers = keys.map(numberOf)
  const least = Math.min(...numbers)
  const span = Math.max(...numbers) - least
  const place = (key: Uint8Array): number =>
    span > 0 ? Math.round(((numberOf(key) - least) / span) * (keysWidth - 1)) : 0
  return {
    size: (bytes) => "█".repeat(Math.max(1, Math.round((bytes / largest) * sizeWidth))).padEnd(sizeWidth),
    keys: (first, last) => {
      if (first === undefined) return " ".repeat(keysWidth)
      const from = place(first)
      const to = last === undefined ? keysWidth - 1 : place(last)
      return `${"·".repeat(from)}${"━".repeat(to - from + 1)}${"·".repeat(keysWidth - 1 - to)}`
    }
  }
}

/** Leading bytes that all keys have in common. */
const sharedLength = (keys: ReadonlyArray<Uint8Array>): number => {
  const [first] = keys
  if (first === undefined) return 0
  let length = 0
  while (length < first.length && keys.every((key) => key[length] === first[length])) length++
  return length
}

/** Bytes of a key that are enough to place it. */
const placedBytes = 12

/**
 * From keys to numbers that grow as they do: what follows the bytes that all share, as digits of the bytes that occur
 * there. So keys of decimal digits lie where their numbers do.
 */
const numbering = (keys: ReadonlyArray<Uint8Array>): ((key: Uint8Array) => number) => {
  const from = sharedLength(keys)
  const digits = keys.flatMap((key) => Array.from(key.subarray(from, from + placedBytes)))
  const least = Math.min(0xff, ...digits)
  const base = Math.max(least, ...digits) - least + 1
  return (key) => {
    let number = 0
    for (let i = from; i < from + placedBytes; i++) number = number * base + (key[i] ?? least) - least
    return number
  }
}

const sum = (numbers: ReadonlyArray<number>): number => numbers.reduce((sum, number) => sum + number, 0)
