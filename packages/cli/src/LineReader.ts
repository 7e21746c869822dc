/**
 * Lines of a byte stream, each with the place where it ends, so that reading can
 * be taken up again there. Lines end with `\n`; the last one need not.
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Problem from "./Problem.ts"

export interface Line {
  readonly bytes: Uint8Array
  /** Counted from 1, of the whole input. */
  readonly number: number
  /** Offset in the input of what comes after the line. */
  readonly end: number
}

/** Where reading begins: the first line is number `lines + 1`. */
export interface Position {
  readonly bytes: number
  readonly lines: number
}

export const start: Position = { bytes: 0, lines: 0 }

/** A line longer than this is taken for a mistake: the largest value and key, written as base64, would fit. */
const lineBytesMax = 512 * 1024 * 1024

export const lines = <E, R>(
  input: Stream.Stream<Uint8Array, E, R>,
  from: Position = start
): Stream.Stream<Line, E | Problem.Problem, R> =>
  Stream.suspend(() => {
    let pending: Array<Uint8Array> = []
    let pendingBytes = 0
    let { bytes: offset, lines: number } = from
    const finish = (rest: Uint8Array, end: number): Line => {
      const bytes = pending.length === 0 ? rest : new Uint8Array(Buffer.concat([...pending, rest]))
      pending = []
      pendingBytes = 0
      return { bytes, number: ++number, end }
    }
    const split = (chunk: Uint8Array): ReadonlyArray<Line> => {
      const found: Array<Line> = []
      let at = 0
      for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, at)) {
        found.push(finish(chunk.subarray(at, end), offset + end + 1))
        at = end + 1
      }
      if (at < chunk.length) pending.push(chunk.subarray(at))
      pendingBytes += chunk.length - at
      offset += chunk.length
      return found
    }
    const last = Stream.suspend(() =>
      pendingBytes === 0 ? Stream.empty : Stream.succeed(finish(new Uint8Array(0), offset))
    )
    return input.pipe(
      Stream.mapEffect((chunk) => {
        const found = split(chunk)
        return pendingBytes <= lineBytesMax
          ? Effect.succeed(found)
          : Effect.fail(Problem.failure(`line ${number + 1} is longer than ${lineBytesMax} bytes`))
      }),
      Stream.flatMap((found) => Stream.fromArray(found)),
      Stream.concat(last)
    )
  })

const newline = 0x0a
