/**
 * A measured loop, written once for every engine.
 *
 * Engines answer in different ways: at once, through a promise, or through an
 * Effect. A loop is a generator that yields only the answers that are still
 * pending (of type `P`) and is resumed with what they settled to; who runs it
 * decides how to wait. An engine that answers at once is never yielded, so it
 * pays for no promise and no fiber; an engine of promises pays one `await`, and
 * effect-slatedb runs the very same loop as the body of one `Effect.gen`.
 */

/**
 * A loop that waits for answers of type `P` and ends with an `A`.
 */
export type Loop<P, A> = Generator<P, A, unknown>

/**
 * Runs a loop whose pending answers are promises.
 */
export const runPromises = async <A>(loop: Loop<Promise<unknown>, A>): Promise<A> => {
  let step = loop.next()
  while (step.done !== true) step = loop.next(await step.value)
  return step.value
}

/**
 * One turn of the event loop. A lane that is answered at once for ever would
 * otherwise starve the timers and the other lanes.
 */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Waits for a single answer. */
export function* one<P>(answer: P | undefined): Loop<P, unknown> {
  return answer === undefined ? undefined : yield answer
}
