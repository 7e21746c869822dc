import { assert, describe, it } from "@effect/vitest"
import * as HistoryCheck from "../../../src/internal/model/HistoryCheck.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"

const tracked = (...sequences: ReadonlyArray<number>): Manifest.Manifest => ({
  ...Manifest.empty,
  sequenceTracker: { sequences, seconds: sequences.map((sequence) => 60 * sequence) }
})

describe("HistoryCheck", () => {
  it("lets a tracker begin, go on, lose every second point, and be absent", () => {
    const absent: Manifest.Manifest = { ...Manifest.empty, sequenceTracker: undefined }
    for (const [previous, next] of [
      [tracked(), tracked(1)],
      [tracked(1, 2), tracked(1, 2, 3)],
      [tracked(1, 2, 3), tracked(1, 3)],
      [absent, tracked(1)],
      [tracked(1), absent]
    ] as const) {
      assert.deepStrictEqual(HistoryCheck.check(previous, next, 2), [])
    }
  })

  it("finds a point that changed", () => {
    assert.deepStrictEqual(
      HistoryCheck.check(tracked(1, 2), tracked(1, 3), 2).map(({ detail, rule }) => `${rule}: ${detail}`),
      ["tracker: a point changed: index=1 sequence=3@180 was=2@120"]
    )
  })

  it("a new checkpoint pins what nobody can have collected", () => {
    const pinning = (...manifestIds: ReadonlyArray<number>): Manifest.Manifest => ({
      ...Manifest.empty,
      checkpoints: manifestIds.map((manifestId, i) => ({
        id: `00000000-0000-0000-0000-00000000000${i}`,
        manifestId,
        createTimeSeconds: i,
        expireTimeSeconds: undefined,
        metadata: undefined,
        name: undefined
      }))
    })
    for (const manifestId of [9, 8, 3]) {
      assert.deepStrictEqual(HistoryCheck.check(pinning(3), pinning(3, manifestId), 9), [])
    }
    assert.deepStrictEqual(
      HistoryCheck.check(pinning(3), pinning(3, 7), 9).map(({ rule }) => rule),
      ["L9"]
    )
  })
})
