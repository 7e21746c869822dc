/** The plan against a naive one, which asks of each object the questions of the documents one by one. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as CollectionPlan from "../../../src/internal/lsm/CollectionPlan.ts"
import type { Compaction, CompactionStatus } from "../../../src/internal/model/Compactions.ts"
import type { Facts, Listed, Version } from "../../../src/internal/model/Garbage.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"
import * as Ulid from "../../../src/internal/model/Ulid.ts"
import * as Dice from "../../simulation/Dice.ts"

const times = 24
const idAt = (time: number, which: number) => Ulid.make(time, () => which / 4)

const table = (id: string): SsTable => ({
  id,
  viewId: id,
  formatVersion: 2,
  visibleRange: undefined,
  info: {
    firstEntry: new Uint8Array([1]),
    lastEntry: new Uint8Array([1]),
    indexOffset: 0,
    indexLength: 0,
    filterOffset: 0,
    filterLength: 0,
    filterFormat: "legacy",
    statsOffset: 0,
    statsLength: 0,
    compression: "none",
    kind: "compacted"
  }
})

const someTables = Effect.fnUntraced(function* (count: number) {
  const ids = yield* Effect.forEach(Array.from({ length: yield* Dice.below(count + 1) }), () =>
    Effect.map(Effect.all([Dice.below(times), Dice.below(4)]), ([time, which]) => idAt(time, which))
  )
  return [...new Set(ids)].toSorted().toReversed().map(table)
})

const someVersion = Effect.fnUntraced(function* (id: number) {
  const replayAfterWalId = yield* Dice.below(10)
  const version: Version = {
    id,
    manifest: {
      ...Manifest.empty,
      compactorEpoch: yield* Dice.below(2),
      replayAfterWalId,
      walIdLastSeen: replayAfterWalId + (yield* Dice.below(4)),
      lastCompactedViewId: (yield* Dice.oneIn(2)) ? idAt(yield* Dice.below(times), 0) : undefined,
      l0: yield* someTables(3),
      runs: [{ id: 1, tables: yield* someTables(3) }]
    }
  }
  return version
})

const statuses: ReadonlyArray<CompactionStatus> = [
  "submitted",
  "running",
  "completed",
  "failed",
  "compacted",
  "scheduled"
]

const someFacts = Effect.gen(function* () {
  const jobs: Array<Compaction> = []
  for (let i = yield* Dice.below(4); i > 0; i--) {
    jobs.push({
      id: idAt(yield* Dice.below(times), 3),
      spec: { _tag: "Tiered", l0ViewIds: [], runIds: [], destination: undefined, segment: new Uint8Array(0) },
      status: yield* Dice.pick(statuses),
      outputs: []
    })
  }
  const id = 3 + (yield* Dice.below(3))
  const facts: Facts = {
    compactions: (yield* Dice.oneIn(3))
      ? undefined
      : { id: 1 + (yield* Dice.below(4)), value: { compactorEpoch: 1, compactions: jobs, readOnlyReason: undefined } },
    latest: yield* someVersion(id),
    pinned: yield* Effect.forEach([1, 2].slice(yield* Dice.below(3)), someVersion),
    youngSince: yield* Dice.below(times + 4),
    withFences: yield* Dice.oneIn(2)
  }
  return facts
})

const everything: ReadonlyArray<Listed> = Array.from({ length: times + 4 }, (_, lastModified) => {
  const about = { path: "any", bytes: 1, lastModified }
  const numbered = Array.from({ length: 14 }, (_, id) =>
    (["manifest", "wal", "fence", "compactions"] as const).map((kind): Listed => ({ ...about, kind, id }))
  )
  const tables = Array.from({ length: times }, (_, time) =>
    [0, 1, 2, 3].map((which): Listed => ({ ...about, kind: "compacted", id: idAt(time, which) }))
  )
  return [...numbered.flat(), ...tables.flat()]
}).flat()

/** Whether an object may go, by one question after another. */
const mayGo = (facts: Facts, object: Listed): boolean => {
  if (object.lastModified >= facts.youngSince) return false
  const { latest, pinned } = facts
  switch (object.kind) {
    case "manifest":
      return object.id < latest.id && !pinned.some(({ id }) => id === object.id)
    case "compactions":
      return facts.compactions !== undefined && object.id < facts.compactions.id
    case "fence":
    case "wal": {
      if (object.kind === "fence" && !facts.withFences) return false
      for (const { manifest } of pinned) {
        for (let id = manifest.replayAfterWalId + 1; id <= manifest.walIdLastSeen; id++) {
          if (id === object.id) return false
        }
      }
      return object.id < latest.manifest.replayAfterWalId
    }
    case "compacted": {
      const time = Ulid.timeMillis(object.id)
      if (time >= facts.youngSince) return false
      for (const { manifest } of [latest, ...pinned]) {
        const named = [...manifest.l0, ...manifest.runs.flatMap(({ tables }) => tables)]
        if (named.some(({ id }) => id === object.id)) return false
      }
      const border = latest.manifest.l0[0]?.id ?? latest.manifest.lastCompactedViewId
      if (border === undefined || time >= Ulid.timeMillis(border)) return false
      if (facts.compactions === undefined) return latest.manifest.compactorEpoch === 0
      return facts.compactions.value.compactions.every(
        ({ id, status }) => status === "completed" || status === "failed" || time < Ulid.timeMillis(id)
      )
    }
  }
}

describe("CollectionPlan", () => {
  it.effect.each(Array.from({ length: 40 }, (_, seed) => seed))("judges as the naive plan does: seed %i", (seed) =>
    Effect.gen(function* () {
      const facts = yield* someFacts
      const judge = CollectionPlan.judge(facts)
      for (const object of everything) {
        assert.strictEqual(judge(object)._tag === "Garbage", mayGo(facts, object), JSON.stringify({ object, facts }))
      }
    }).pipe(Random.withSeed(seed))
  )

  it.effect("finds garbage of each kind", () =>
    Effect.gen(function* () {
      const found = new Set<string>()
      for (let i = 0; i < 40; i++) {
        const judge = CollectionPlan.judge(yield* someFacts)
        for (const object of everything) if (judge(object)._tag === "Garbage") found.add(object.kind)
      }
      assert.strictEqual(found.size, 5)
    }).pipe(Random.withSeed(1))
  )

  it.effect("condemns for good: what is garbage stays so while level 0 and replay go on, and time", () =>
    Effect.gen(function* () {
      for (let i = 0; i < 40; i++) {
        const facts = yield* someFacts
        const { latest } = facts
        const newest = table(idAt(times + 1, 0))
        const later: Facts = {
          ...facts,
          latest: {
            id: latest.id + 1,
            manifest: {
              ...latest.manifest,
              l0: [newest, ...latest.manifest.l0],
              replayAfterWalId: latest.manifest.replayAfterWalId + 1,
              walIdLastSeen: latest.manifest.walIdLastSeen + 1
            }
          },
          youngSince: facts.youngSince + 1
        }
        const [now, then] = [CollectionPlan.judge(facts), CollectionPlan.judge(later)]
        for (const object of everything) {
          if (now(object)._tag === "Garbage") assert.strictEqual(then(object)._tag, "Garbage")
        }
      }
    }).pipe(Random.withSeed(2))
  )
})
