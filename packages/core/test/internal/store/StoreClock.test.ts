import { assert, describe, it } from "@effect/vitest"
import { StoreClock } from "../../../src/internal/store/StoreClock.ts"

const minute = 60_000
const leastAge = 5 * minute

/** Looks at moments of the monotonic clock, with both other clocks this far ahead of it. */
const looks = (
  moments: ReadonlyArray<{ readonly monotonic: number; readonly local: number; readonly store: number }>
) => {
  const clock = new StoreClock()
  return moments.map(
    ({ local, monotonic, store }) =>
      clock.now({ monotonic, local: monotonic + local, store: monotonic + store }, leastAge) - monotonic
  )
}

describe("StoreClock", () => {
  it("is the clock that is behind", () => {
    assert.deepStrictEqual(looks([{ monotonic: 0, local: 7, store: 5 }]), [5])
    assert.deepStrictEqual(looks([{ monotonic: 0, local: 5, store: 7 }]), [5])
    const aheadLater = [0, 1, 2].map((i) => ({ monotonic: i * minute, local: i === 0 ? 0 : 60 * minute, store: 0 }))
    assert.deepStrictEqual(looks(aheadLater), [0, 0, 0])
  })

  it("does not jump ahead until one least age has passed without a jump", () => {
    const jump = 60 * minute
    const at = (minutes: number, ahead: number) => ({ monotonic: minutes * minute, local: ahead, store: ahead })
    assert.deepStrictEqual(looks([at(0, 0), at(10, jump), at(14, jump), at(15, jump), at(25, jump)]), [
      0,
      0,
      0,
      jump,
      jump
    ])
    assert.deepStrictEqual(looks([at(0, 0), at(10, jump), at(12, 0), at(13, jump), at(17, jump)]), [0, 0, 0, 0, 0])
  })

  it("goes back at once, and drifts", () => {
    const at = (minutes: number, ahead: number) => ({ monotonic: minutes * minute, local: ahead, store: ahead })
    assert.deepStrictEqual(looks([at(0, 0), at(1, -minute)]), [0, -minute])
    assert.deepStrictEqual(looks([at(0, 0), at(1, 9_000), at(2, 18_000)]), [0, 9_000, 18_000])
  })
})
