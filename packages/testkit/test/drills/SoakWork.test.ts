/** A soak's work against a model that keeps everything, and what its own model finds. */
import { SoakWork } from "@effect-slatedb/testkit/drills/SoakWork"
import type { Entry } from "@effect-slatedb/testkit/interop/Contents"
import { assert, describe, it } from "@effect/vitest"

const batches = 400
const options = { seed: 5, keys: 300 }

/** Work, and all that it gave out in a map. */
const worked = () => {
  const work = new SoakWork(options)
  const model = new Map<string, Entry>()
  let userBytes = 0
  let deletes = 0
  for (let i = 0; i < batches; i++) {
    for (const write of work.next()) {
      userBytes += write.key.length
      const name = Buffer.from(write.key).toString("latin1")
      if (write._tag === "Put") {
        userBytes += write.value.length
        model.set(name, { key: write.key, value: write.value })
      } else if (model.delete(name)) deletes++
    }
  }
  const entries = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry)
  return { work, entries, userBytes, deletes }
}

const difference = (work: SoakWork, entries: ReadonlyArray<Entry>): string | undefined => {
  const expected = work.expected()
  for (const entry of entries) expected.see(entry)
  return expected.end()
}

describe("SoakWork", () => {
  it("has the contents of its operations", () => {
    const { deletes, entries, userBytes, work } = worked()
    assert.isAbove(deletes, 100)
    assert.isAbove(entries.length, 200)
    assert.strictEqual(work.userBytes, userBytes)
    assert.strictEqual(
      work.rowBytes,
      entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0)
    )
    assert.isUndefined(difference(work, entries))
  })

  it("is the same for the same seed, and another for another", () => {
    const other = new SoakWork({ ...options, seed: 6 })
    const first = new SoakWork(options).next()
    assert.deepStrictEqual(new SoakWork(options).next(), first)
    assert.notDeepEqual(other.next(), first)
  })

  it("finds a row that is lost, wherever it was", () => {
    const { entries, work } = worked()
    for (const at of [0, 1, 100, entries.length - 1]) {
      assert.match(difference(work, entries.toSpliced(at, 1)) ?? "", new RegExp(`^entry ${at}: expected key/`))
    }
    assert.match(difference(work, []) ?? "", /found nothing$/)
  })

  it("finds a row that should not be there", () => {
    const { entries, work } = worked()
    const end: Entry = { key: Buffer.from("key/999999999999"), value: Buffer.from("?") }
    assert.match(difference(work, [...entries, end]) ?? "", /expected nothing, found key\/999999999999$/)
    assert.match(difference(work, entries.toSpliced(1, 0, ...entries.slice(0, 1))) ?? "", /^entry 1: /)
  })

  it("finds a value of another time", () => {
    const { entries, work } = worked()
    const [first, second] = entries
    assert.isDefined(first)
    assert.isDefined(second)
    assert.match(
      difference(work, entries.toSpliced(0, 1, { key: first.key, value: second.value })) ?? "",
      /^entry 0: .*found another value/
    )
  })

  it("expects what was there when it was asked, whatever came after", () => {
    const { entries, work } = worked()
    const expected = work.expected()
    work.next()
    for (const entry of entries) expected.see(entry)
    assert.isUndefined(expected.end())
  })
})
