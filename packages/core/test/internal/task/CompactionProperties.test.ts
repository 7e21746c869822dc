/**
 * Random trees of tables, compacted: what readers see before and after is the same, at
 * every sequence number that a reader may have, whatever tries it took.
 */
import { assert, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as ByteOrder from "../../../src/internal/model/ByteOrder.ts"
import { Kind, type RowEntry } from "../../../src/internal/model/RowEntry.ts"
import type { SsTable, SsTableInfo, VisibleRange } from "../../../src/internal/model/SsTable.ts"
import type { Options } from "../../../src/internal/task/CompactionExecutor.ts"
import * as CompactionLab from "../../support/CompactionLab.ts"
import * as RowModel from "../../support/RowModel.ts"

const below = (end: number) => Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: end - 1 })))
const codecs: ReadonlyArray<SsTableInfo["compression"]> = ["none", "snappy", "zlib", "lz4", "zstd"]

const shape = Arbitrary.all({
  codec: below(codecs.length),
  /** Blocks of one row, of some, or of all. */
  blockSize: below(3),
  /** Where the tables of runs end, among their rows: also within a key. */
  cuts: Arbitrary.array(below(12), { maxLength: 4 }),
  /** How the sources are divided into level 0 and runs. */
  l0: below(5),
  /** Rows that lie beneath the destination. */
  beneath: below(4),
  minSequence: below(42),
  now: below(3),
  maxSstSize: below(3),
  hidden: below(6),
  largeValues: below(4)
})

type Shape = typeof shape extends Arbitrary.Arbitrary<infer A> ? A : never

/** A tree as a job finds it, and the rows that readers find in it. */
interface Tree {
  readonly job: Pick<Options, "sources" | "isBottom" | "minSequence" | "now" | "merge" | "maxSstSizeBytes">
  readonly inJob: ReadonlyArray<RowEntry>
  readonly beneath: ReadonlyArray<RowEntry>
  readonly lastSequence: number
}

const plant = Effect.fnUntraced(function* (
  lab: CompactionLab.Lab,
  placed: ReadonlyArray<RowModel.Placed>,
  shape: Shape
): Effect.fn.Return<Tree> {
  const cutAt = placed[Math.min(shape.beneath, placed.length - 1)]?.row.sequence ?? 0
  const beneath = shape.beneath === 0 ? [] : placed.map(({ row }) => row).filter(({ sequence }) => sequence < cutAt)
  const grown = placed.map(({ row, source }) => ({ source, row: shape.largeValues === 0 ? large(row) : row }))
  const inSource = (source: number) =>
    RowModel.inOrder(
      grown
        .filter((one) => one.source === source && (beneath.length === 0 || one.row.sequence >= cutAt))
        .map(({ row }) => row),
      "ascending"
    )
  const options = { codecName: codecs[shape.codec] ?? "none", blockSizeBytes: [1, 100, 4096][shape.blockSize] ?? 1 }
  const visibleRange: VisibleRange | undefined =
    shape.hidden < 4
      ? {
          start: { _tag: "Included", key: RowModel.bytes("k1") },
          end: { _tag: "Excluded", key: RowModel.bytes(`k${1 + shape.hidden}`) }
        }
      : undefined
  const isShown = ({ key }: RowEntry) =>
    visibleRange === undefined || (RowModel.text(key) >= "k1" && RowModel.text(key) < `k${1 + shape.hidden}`)

  const l0: Array<SsTable> = []
  const runs: Array<{ readonly id: number; readonly tables: ReadonlyArray<SsTable> }> = []
  const inJob: Array<RowEntry> = []
  for (let source = 0; source < 4; source++) {
    const rows = inSource(source)
    if (rows.length === 0) continue
    if (source < shape.l0) {
      const isView = source === 0 && visibleRange !== undefined && rows.some(isShown)
      const table = yield* lab.table(rows, options)
      l0.push(isView ? { ...table, visibleRange } : table)
      inJob.push(...(isView ? rows.filter(isShown) : rows))
    } else {
      runs.push({
        id: 9 - source,
        tables: yield* Effect.forEach(pieces(rows, shape.cuts), (piece) => lab.table(piece, options))
      })
      inJob.push(...rows)
    }
  }
  return {
    job: {
      sources: { l0, runs },
      isBottom: beneath.length === 0,
      minSequence: shape.minSequence,
      now: 10 * shape.now,
      merge: RowModel.concat,
      maxSstSizeBytes: [1, 150, 1_000_000][shape.maxSstSize] ?? 1
    },
    inJob,
    beneath,
    lastSequence: placed.at(-1)?.row.sequence ?? 0
  }
})

const large = (row: RowEntry): RowEntry =>
  row.kind === Kind.tombstone ? row : { ...row, value: RowModel.bytes(RowModel.text(row.value).padEnd(300, ".")) }

const pieces = (rows: ReadonlyArray<RowEntry>, cuts: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<RowEntry>> => {
  const borders = [0, ...new Set(cuts.filter((cut) => cut > 0 && cut < rows.length)), rows.length].toSorted(
    (a, b) => a - b
  )
  return borders.slice(1).map((end, i) => rows.slice(borders[i], end))
}

/** What all readers see that there may be: those at a sequence number not below the job's, whose clock is not behind its. */
const views = (rows: ReadonlyArray<RowEntry>, { job, lastSequence }: Tree): ReadonlyArray<ReadonlyArray<string>> => {
  const seen: Array<ReadonlyArray<string>> = []
  for (let maxSequence = job.minSequence; maxSequence <= Math.max(job.minSequence, lastSequence); maxSequence++) {
    for (const now of [0, 10, 20]) if (now >= job.now) seen.push(RowModel.visible(rows, { maxSequence, now }))
  }
  return seen
}

const check = (lab: CompactionLab.Lab, tree: Tree, outputs: ReadonlyArray<SsTable>): void => {
  const rows = lab.rows(outputs)
  assert.deepStrictEqual(views([...rows, ...tree.beneath], tree), views([...tree.inJob, ...tree.beneath], tree))
  for (let i = 1; i < rows.length; i++) {
    const before = rows[i - 1] as RowEntry
    const row = rows[i] as RowEntry
    const order = ByteOrder.compare(before.key, row.key)
    assert.isTrue(
      order < 0 || (order === 0 && before.sequence > row.sequence),
      `${RowModel.told(before)} | ${RowModel.told(row)}`
    )
  }
}

const runs = { arbitrary: { runs: 300 } }

it.effect.prop(
  "readers see the same, and tables are cut between keys",
  [RowModel.placedRows, shape],
  Effect.fnUntraced(function* ([placed, shape]) {
    const lab = yield* CompactionLab.make()
    const tree = yield* plant(lab, placed, shape)
    const outputs = yield* lab.run(tree.job)
    check(lab, tree, outputs)
    for (let i = 1; i < outputs.length; i++) {
      const { lastEntry } = (outputs[i - 1] as SsTable).info
      assert.isBelow(
        ByteOrder.compare(lastEntry as Uint8Array, (outputs[i] as SsTable).info.firstEntry as Uint8Array),
        0
      )
    }
    for (const table of outputs) assert.isNotEmpty(lab.rows([table]))
    // Not only what readers see: at the bottom nothing is kept that none can see.
    if (tree.job.isBottom && tree.job.minSequence >= tree.lastSequence) {
      assert.isEmpty(lab.rows(outputs).filter(({ kind }) => kind === Kind.tombstone))
    }
  }),
  runs
)

it.effect.prop(
  "a job goes on behind each of its outputs",
  [RowModel.placedRows, shape],
  Effect.fnUntraced(function* ([placed, shape]) {
    const lab = yield* CompactionLab.make()
    const tree = yield* plant(lab, placed, { ...shape, maxSstSize: 0 })
    const told: Array<ReadonlyArray<SsTable>> = [[]]
    const outputs = yield* lab.run({ ...tree.job, onOutputs: (outputs) => Effect.sync(() => told.push(outputs)) })
    assert.deepStrictEqual(told.at(-1), outputs)
    for (const recorded of told) {
      const resumed = yield* lab.run({ ...tree.job, outputs: recorded })
      check(lab, tree, resumed)
      const last = lab.rows(recorded).at(-1)
      if (last?.kind !== Kind.merge) assert.deepStrictEqual(resumed.slice(0, recorded.length), recorded)
    }
  }),
  { arbitrary: { runs: 100 } }
)

it.effect.prop(
  "a job goes on behind outputs that were cut within a key, also when less is kept now",
  [RowModel.placedRows, shape, below(6)],
  Effect.fnUntraced(function* ([placed, shape, later]) {
    const lab = yield* CompactionLab.make()
    const tree = yield* plant(lab, placed, { ...shape, maxSstSize: 2 })
    const rows = lab.rows(yield* lab.run(tree.job))
    const now = { ...tree, job: { ...tree.job, minSequence: tree.job.minSequence + later } }
    for (let end = 1; end <= rows.length; end++) {
      const middle = end >> 1
      const recorded = yield* Effect.forEach(
        [rows.slice(0, middle), rows.slice(middle, end)].filter((piece) => piece.length > 0),
        (piece) => lab.table(piece)
      )
      const resumed = yield* lab.run({ ...now.job, outputs: recorded })
      check(lab, now, resumed)
      const kept = recorded.filter((table) => resumed.includes(table))
      if (rows[end - 1]?.kind === Kind.merge) assert.isBelow(kept.length, recorded.length)
      else assert.deepStrictEqual(resumed.slice(0, recorded.length), recorded)
    }
  }),
  { arbitrary: { runs: 100 } }
)
