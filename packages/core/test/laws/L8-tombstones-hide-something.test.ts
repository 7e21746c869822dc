/** L8: a tombstone is dropped only where nothing older can lie beneath. */
import { assert, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as ApplyCompaction from "../../src/internal/lsm/ApplyCompaction.ts"
import * as CompactionPlan from "../../src/internal/lsm/CompactionPlan.ts"
import { DropTombstones } from "../../src/internal/lsm/DropTombstones.ts"
import { KWayMerge } from "../../src/internal/lsm/KWayMerge.ts"
import { Retention } from "../../src/internal/lsm/Retention.ts"
import type { CompactionPlan as Plan } from "../../src/internal/model/CompactionPlan.ts"
import * as Manifest from "../../src/internal/model/Manifest.ts"
import { Kind, type RowEntry } from "../../src/internal/model/RowEntry.ts"
import * as GenerationModel from "../internal/lsm/GenerationModel.ts"
import * as TreeModel from "../internal/lsm/TreeModel.ts"
import * as RowModel from "../support/RowModel.ts"

/** A database as it is read: its manifest, and what is in the tables. */
interface World {
  readonly manifest: Manifest.Manifest
  readonly contents: ReadonlyMap<string, ReadonlyArray<RowEntry>>
}

const rowsOf = ({ contents, manifest }: World): ReadonlyArray<RowEntry> =>
  TreeModel.ages(manifest).flatMap((id) => contents.get(id) ?? [])

/** Puts, deletes and operands of a few keys, of which some expire at 10 or 20, dealt to tables of level 0 in order. */
const worldOf = (random: TreeModel.Dice): World => {
  const contents = new Map<string, ReadonlyArray<RowEntry>>()
  const l0: Array<Manifest.Manifest["l0"][number]> = []
  let sequence = 0
  for (let number = 1; number <= 3 + random(6); number++) {
    const rows = Array.from({ length: random(8) }, () => {
      const what = [{ put: `p${sequence}` }, { merge: `m${sequence}` }, {}, {}][random(4)] ?? {}
      const expireTime = "put" in what || "merge" in what ? [10, 20, Infinity, Infinity][random(4)] : Infinity
      return RowModel.row(`k${random(4)}`, ++sequence, { ...what, expireTime: expireTime ?? Infinity })
    })
    const table = TreeModel.table(number)
    contents.set(table.id, rows)
    l0.unshift(table)
  }
  return { contents, manifest: { ...Manifest.empty, lastL0Sequence: 1000, l0 } }
}

interface Horizon {
  readonly minSequence: number
  readonly now: number
}

/** Carries a plan out. `isBottom` decides about tombstones. */
const compacted = (
  { contents, manifest }: World,
  plan: Plan,
  number: number,
  horizon: Horizon,
  isBottom: boolean
): World => {
  const { l0, runs } = CompactionPlan.sourcesOf(plan, manifest)
  const sources = [...l0, ...runs.flatMap(({ tables }) => tables)].map(
    ({ id }) => new RowModel.ArrayCursor(RowModel.inOrder(contents.get(id) ?? [], "ascending"))
  )
  const retained = new Retention(new KWayMerge(sources, "ascending"), { ...horizon, merge: RowModel.concat })
  const rows = RowModel.drain(isBottom ? new DropTombstones(retained) : retained)
  const table = TreeModel.table(number)
  const outcome = {
    plan,
    outputs: rows.length === 0 ? [] : [table],
    checkpoint: TreeModel.checkpoint(`job ${number}`)
  }
  return {
    manifest: Result.getOrThrow(ApplyCompaction.apply(outcome)(manifest, number)),
    contents: new Map(contents).set(table.id, rows)
  }
}

/** What readers who may exist see, at every sequence number from the horizon on. */
const seen = (rows: ReadonlyArray<RowEntry>, all: ReadonlyArray<RowEntry>, { minSequence, now }: Horizon) =>
  [...new Set(all.map(({ sequence }) => sequence)), minSequence, Infinity]
    .filter((sequence) => sequence >= minSequence)
    .flatMap((maxSequence) => [now, 20].map((now) => RowModel.visible(rows, { maxSequence, now }).join()))

const trailing = (rows: ReadonlyArray<RowEntry>): ReadonlyArray<RowEntry> => {
  const ordered = RowModel.inOrder(rows, "ascending")
  return ordered.filter(
    (row, i) =>
      row.kind === Kind.tombstone && RowModel.text(ordered[i + 1]?.key ?? row.key.slice(1)) !== RowModel.text(row.key)
  )
}

it("compactions of whatever sources change nothing that a reader sees, and leave no needless tombstone at the bottom", () => {
  const count = { bottom: 0, above: 0, dropped: 0, harmful: 0 }
  for (let seed = 0; seed < 2000; seed++) {
    const random = GenerationModel.randomFrom(seed)
    let world = worldOf(random)
    const all = rowsOf(world)
    const horizon = { minSequence: random(all.length + 2), now: random(3) * 10 }
    const expected = seen(all, all, horizon)
    for (let number = 100; number < 110; number++) {
      const plan = TreeModel.randomPlan(world.manifest, random)
      if (plan === undefined) continue
      const isBottom = CompactionPlan.isBottom(plan, world.manifest)
      const next = compacted(world, plan, number, horizon, isBottom)
      assert.deepStrictEqual(seen(rowsOf(next), all, horizon), expected, `seed=${seed} ${JSON.stringify(plan)}`)
      if (isBottom) {
        count.bottom++
        const kept = next.contents.get(TreeModel.table(number).id) ?? []
        assert.isEmpty(trailing(kept), `seed=${seed}`)
        count.dropped += rowsOf(compacted(world, plan, number, horizon, false)).length - rowsOf(next).length
      } else {
        count.above++
        const careless = compacted(world, plan, number, horizon, true)
        if (seen(rowsOf(careless), all, horizon).join() !== expected.join()) count.harmful++
      }
      world = next
    }
  }
  // It met both cases, and without the law values would have come back.
  assert.isAbove(count.bottom, 1000)
  assert.isAbove(count.above, 300)
  assert.isAbove(count.dropped, 300)
  assert.isAbove(count.harmful, 20)
})

it("a tombstone in a run above another stays; merged into the last one it goes, with what it hid", () => {
  const contents = new Map([
    [TreeModel.table(2).id, [RowModel.row("a", 2, {})]],
    [TreeModel.table(1).id, [RowModel.row("a", 1, { put: "old" })]]
  ])
  const manifest = {
    ...Manifest.empty,
    lastL0Sequence: 2,
    l0: [TreeModel.table(2)],
    runs: [{ id: 0, tables: [TreeModel.table(1)] }]
  }
  const horizon = { minSequence: 2, now: 0 }
  const into = (world: World, plan: Plan, number: number) =>
    compacted(world, plan, number, horizon, CompactionPlan.isBottom(plan, world.manifest))
  const above = into({ contents, manifest }, { l0: [TreeModel.table(2).viewId], runs: [], destination: 1 }, 3)
  assert.deepStrictEqual(rowsOf(above).map(RowModel.told), ["2 a-", "1 a=old"])
  const whole = into(above, { l0: [], runs: [1, 0], destination: 0 }, 4)
  assert.deepStrictEqual(rowsOf(whole), [])
  assert.deepStrictEqual(whole.manifest.runs, [], "an empty result is no run")
})
