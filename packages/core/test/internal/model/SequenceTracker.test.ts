import { assert, describe, it } from "@effect/vitest"
import * as SequenceTracker from "../../../src/internal/model/SequenceTracker.ts"

const append = SequenceTracker.append

describe("a sequence tracker", () => {
  it("records the first commit, and then one a minute", () => {
    let tracker = append(SequenceTracker.empty, 1, 1000)
    for (let second = 1001; second <= 1130; second++) tracker = append(tracker, second - 999, second)
    assert.deepStrictEqual(tracker, { sequences: [1, 61, 121], seconds: [1000, 1060, 1120] })
  })

  it("records nothing while the clock is behind", () => {
    const tracker = append(SequenceTracker.empty, 1, 1000)
    assert.strictEqual(append(tracker, 2, 10), tracker)
    assert.deepStrictEqual(append(append(tracker, 2, 10), 3, 1060).sequences, [1, 3])
  })

  it("is the same when an edit is applied twice", () => {
    const once = append(append(SequenceTracker.empty, 5, 1000), 9, 2000)
    assert.deepStrictEqual(append(append(once, 5, 1000), 9, 2000), once)
    assert.strictEqual(append(once, 9, 9000), once)
  })

  it("drops every second point when it is full, and reaches as far back as before", () => {
    let tracker = SequenceTracker.empty
    for (let i = 0; i < SequenceTracker.pointsMax; i++) tracker = append(tracker, i + 1, i * 60)
    const full = tracker
    assert.strictEqual(full.sequences.length, SequenceTracker.pointsMax)
    const halved = append(full, SequenceTracker.pointsMax + 1, SequenceTracker.pointsMax * 60)
    assert.strictEqual(halved.sequences.length, SequenceTracker.pointsMax / 2 + 1)
    assert.deepStrictEqual(halved.sequences.slice(0, 3), [1, 3, 5])
    assert.deepStrictEqual(halved.seconds.slice(0, 3), [0, 120, 240])
    assert.strictEqual(halved.sequences.at(-1), SequenceTracker.pointsMax + 1)
    assert.strictEqual(full.sequences.length, SequenceTracker.pointsMax)
  })
})
