import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as CompactionStep from "../../../src/internal/lsm/CompactionStep.ts"
import type { CompactionPlan } from "../../../src/internal/model/CompactionPlan.ts"
import { type Compaction, type Compactions, isActive } from "../../../src/internal/model/Compactions.ts"
import * as Manifest from "../../../src/internal/model/Manifest.ts"
import type { SsTable } from "../../../src/internal/model/SsTable.ts"
import * as Ulid from "../../../src/internal/model/Ulid.ts"
import * as Uuid from "../../../src/internal/model/Uuid.ts"

const ulid = (n: number): string => Ulid.make(n, () => 0)

const table = (n: number): SsTable => ({
  id: ulid(n),
  viewId: ulid(n),
  formatVersion: 2,
  info: {
    firstEntry: new Uint8Array([n]),
    lastEntry: new Uint8Array([n]),
    indexOffset: 10,
    indexLength: 1,
    filterOffset: 10,
    filterLength: 0,
    filterFormat: "legacy",
    statsOffset: 11,
    statsLength: 0,
    compression: "none",
    kind: "compacted"
  },
  visibleRange: undefined
})

/** Level 0 and runs by numbers, newest first: runs as id and tables. */
const manifest = (l0: ReadonlyArray<number>, runs: ReadonlyArray<readonly [id: number, ...tables: Array<number>]>) => ({
  ...Manifest.empty,
  l0: l0.map(table),
  runs: runs.map(([id, ...tables]) => ({ id, tables: tables.map(table) }))
})

const plan = (l0: ReadonlyArray<number>, runs: ReadonlyArray<number>, destination: number): CompactionPlan => ({
  l0: l0.map(ulid),
  runs,
  destination
})

const job = (id: number, of: CompactionPlan, outputs: ReadonlyArray<number> = []): CompactionStep.Job => ({
  id: ulid(id),
  plan: of,
  outputs: outputs.map(table)
})

/** As it is read from a file of version 1: without destinations. */
const register = (...edits: ReadonlyArray<CompactionStep.Edit>): Compactions => {
  const { compactions, ...rest } = CompactionStep.all(edits)(CompactionStep.none(1))
  return {
    ...rest,
    compactions: compactions.map((found): Compaction =>
      found.spec._tag === "Tiered" ? { ...found, spec: { ...found.spec, destination: undefined } } : found
    )
  }
}

const statuses = ({ compactions }: Compactions) =>
  compactions.map(({ id, status }) => `${Ulid.timeMillis(id)} ${status}`)

describe("edits of the register", () => {
  const p = plan([2, 1], [], 0)

  it("a job is submitted, runs, and is over; the last one that is stays", () => {
    const asked = register(CompactionStep.request(ulid(7), p))
    assert.deepStrictEqual(statuses(asked), ["7 submitted"])
    const begun = CompactionStep.begin([job(7, p), job(8, p)])(asked)
    assert.deepStrictEqual(statuses(begun), ["7 running", "8 running"])
    const one = CompactionStep.finish(ulid(8), "completed")(begun)
    assert.deepStrictEqual(statuses(one), ["7 running", "8 completed"])
    const both = CompactionStep.finish(ulid(7), "failed")(one)
    assert.deepStrictEqual(statuses(both), ["8 completed"], "the youngest, by which the collector judges")
  })

  it("a claim takes the epoch, and lets go of running jobs and old ones", () => {
    const found: Compactions = {
      ...register(CompactionStep.begin([job(3, p), job(4, p), job(5, p)])),
      compactorEpoch: 4
    }
    const old: Compactions = {
      ...found,
      compactions: found.compactions.map((each, i): Compaction => (i < 2 ? { ...each, status: "completed" } : each))
    }
    const claimed = CompactionStep.claim(5)(old)
    assert.strictEqual(claimed.compactorEpoch, 5)
    assert.deepStrictEqual(statuses(claimed), ["4 completed", "5 submitted"])
  })

  it("outputs are recorded for a job that is active, also fewer than before", () => {
    const begun = register(CompactionStep.begin([job(7, p)]))
    const outputsOf = ({ compactions }: Compactions) => compactions[0]?.outputs.map(({ id }) => id)
    const two = CompactionStep.recordOutputs(ulid(7), [table(10), table(11)])(begun)
    assert.deepStrictEqual(outputsOf(two), [ulid(10), ulid(11)])
    assert.deepStrictEqual(outputsOf(CompactionStep.recordOutputs(ulid(7), [table(10)])(two)), [ulid(10)])
    const over = CompactionStep.finish(ulid(7), "failed")(begun)
    assert.strictEqual(CompactionStep.recordOutputs(ulid(7), [table(10)])(over), over)
  })

  it("each changes nothing when it has landed already, nor what has ended", () => {
    const start = register(CompactionStep.request(ulid(6), p), CompactionStep.begin([job(7, p)]))
    const edits: ReadonlyArray<CompactionStep.Edit> = [
      CompactionStep.claim(3),
      CompactionStep.request(ulid(9), p),
      CompactionStep.begin([job(6, p), job(9, p)]),
      CompactionStep.recordOutputs(ulid(7), [table(10)]),
      CompactionStep.finish(ulid(6), "failed"),
      CompactionStep.finish(ulid(7), "completed")
    ]
    for (const edit of edits) {
      const once = edit(start)
      assert.notStrictEqual(once, start)
      assert.strictEqual(edit(once), once)
    }
    const over = CompactionStep.finish(ulid(7), "completed")(start)
    assert.strictEqual(CompactionStep.finish(ulid(7), "failed")(over), over)
    assert.strictEqual(CompactionStep.begin([job(7, p)])(over), over)
  })
})

describe("what an active job means that nobody here is running", () => {
  const survey = (
    compactions: Compactions,
    found: Manifest.Manifest,
    more: Partial<Parameters<typeof CompactionStep.survey>[0]> = {}
  ) =>
    CompactionStep.survey({
      compactions,
      manifest: found,
      running: new Map(),
      plans: new Map(),
      jobsMax: 4,
      ...more
    })
  const begun = (id: number, of: CompactionPlan, outputs: ReadonlyArray<number> = []) =>
    register(CompactionStep.begin([job(id, of, outputs)]))
  const outcome = ({ finished, jobs }: CompactionStep.Survey) => [
    ...jobs.map(({ outputs, plan }) => `run to ${plan.destination} behind ${outputs.length}`),
    ...finished.map(({ detail, status }) => `${status}: ${detail}`)
  ]

  it.each([
    [
      "its sources are there",
      begun(9, plan([], [2, 1], 1), [5]),
      manifest(
        [],
        [
          [2, 2],
          [1, 1]
        ]
      ),
      "run to 1 behind 1"
    ],
    [
      "they are level 0 alone, without runs",
      begun(9, plan([2, 1], [], 0), [5]),
      manifest([2, 1], []),
      "run to 0 behind 1"
    ],
    [
      "the same, where there are runs",
      begun(9, plan([2, 1], [], 4), []),
      manifest([2, 1], [[3, 3]]),
      "run to 4 behind 0"
    ],
    ["the same, with outputs", begun(9, plan([2, 1], [], 4), [5]), manifest([2, 1], [[3, 3]]), "run to 4 behind 1"],
    [
      "a source is gone",
      begun(9, plan([2, 1], [], 0)),
      manifest([2], []),
      `failed: a source is not in level 0: table=${ulid(1)}`
    ],
    [
      "its outputs are in a run",
      begun(9, plan([2, 1], [], 0), [5, 6]),
      manifest([], [[0, 5, 6]]),
      "completed: it is in the manifest"
    ],
    [
      "only some of its outputs are in a run",
      begun(9, plan([], [2, 1], 1), [5, 6]),
      manifest([], [[1, 5]]),
      "failed: a source is not among the runs: run=2"
    ]
  ] as const)("%s", (_, compactions, found, says) => {
    assert.deepStrictEqual(outcome(survey(compactions, found)), [says])
  })

  it("a commit without outputs is known by its checkpoint", () => {
    const checkpoint = {
      id: CompactionStep.checkpointId(ulid(9)),
      manifestId: 1,
      createTimeSeconds: 0,
      expireTimeSeconds: 900,
      metadata: undefined,
      name: undefined
    }
    const committed = { ...manifest([], []), checkpoints: [checkpoint] }
    assert.deepStrictEqual(outcome(survey(begun(9, plan([2, 1], [], 0)), committed)), [
      "completed: it is in the manifest"
    ])
    assert.isTrue(Uuid.isUuid(checkpoint.id))
    assert.notStrictEqual(checkpoint.id, CompactionStep.checkpointId(ulid(10)))
  })

  it("a job of a segment has failed", () => {
    const { compactions, ...rest } = begun(9, plan([2, 1], [], 0))
    const foreign = compactions.map((found): Compaction => ({
      ...found,
      spec: { ...found.spec, segment: new Uint8Array([1]) }
    }))
    assert.deepStrictEqual(outcome(survey({ ...rest, compactions: foreign }, manifest([2, 1], []))), [
      "failed: it is of a segment"
    ])
  })

  it("a destination that is known here is the job's", () => {
    const known = plan([2, 1], [], 7)
    const found = survey(begun(9, known, [5]), manifest([2, 1], [[3, 3]]), { plans: new Map([[ulid(9), known]]) })
    assert.deepStrictEqual(outcome(found), ["run to 7 behind 1"])
  })

  it("of two that exclude each other the second has failed, also where the first runs here", () => {
    const both = register(CompactionStep.begin([job(8, plan([1], [], 0)), job(9, plan([2, 1], [], 0))]))
    const found = manifest([2, 1], [])
    assert.deepStrictEqual(outcome(survey(both, found)), [
      "run to 0 behind 0",
      "failed: level 0 is being compacted: destination=0"
    ])
    const second = plan([2, 1], [], 0)
    const running = survey(both, found, {
      running: new Map([[ulid(9), true]]),
      plans: new Map([[ulid(9), second]])
    })
    assert.deepStrictEqual(outcome(running), ["failed: level 0 is being compacted: destination=0"])
    assert.deepStrictEqual(running.active, [second])
  })

  it("jobs beyond the room wait, and keep their sources", () => {
    const plans = [plan([], [6, 5], 5), plan([], [4, 3], 3), plan([], [2, 1], 1)]
    const all = register(CompactionStep.begin(plans.map((of, i) => job(i + 7, of))))
    const found = survey(
      all,
      manifest(
        [],
        [
          [6, 6],
          [5, 5],
          [4, 4],
          [3, 3],
          [2, 2],
          [1, 1]
        ]
      ),
      { jobsMax: 2 }
    )
    assert.deepStrictEqual(outcome(found), ["run to 5 behind 0", "run to 3 behind 0"])
    assert.deepStrictEqual(found.active, plans)
    assert.strictEqual(found.room, 0)
  })
})

describe("plans of a policy", () => {
  const found = manifest([2, 1], [[3, 3]])

  it("are begun as far as there is room, and refused where they must not be", () => {
    const good = plan([2, 1], [], 4)
    const bad = plan([9], [], 4)
    const admit = (room: number, active: ReadonlyArray<CompactionPlan>) =>
      CompactionStep.admit([bad, good], { manifest: found, room, active })
    assert.deepStrictEqual(admit(1, []).admitted, [good])
    assert.deepStrictEqual(admit(1, []).refused, [`a source is not in level 0: table=${ulid(9)}`])
    assert.deepStrictEqual(admit(0, []), { admitted: [], refused: admit(1, []).refused })
    assert.lengthOf(admit(1, [plan([1], [], 4)]).refused, 2)
  })

  it("that exclude each other are not begun together", () => {
    const { admitted, refused } = CompactionStep.admit([plan([1], [], 4), plan([2, 1], [], 4)], {
      manifest: found,
      room: 4,
      active: []
    })
    assert.lengthOf(admitted, 1)
    assert.lengthOf(refused, 1)
  })

  it("cannot be asked for beside an active job that excludes them", () => {
    const busy = register(CompactionStep.begin([job(9, plan([1], [], 4))]))
    assert.isUndefined(CompactionStep.refusalOf(plan([2, 1], [], 4), register(), found))
    assert.isDefined(CompactionStep.refusalOf(plan([2, 1], [], 4), busy, found))
    assert.isTrue(busy.compactions.every(isActive))
    assert.isTrue(Result.isSuccess(CompactionStep.planOf(busy.compactions[0] as Compaction, found)))
  })
})
